import { PlatformError } from '../model/errors.js';
import type { Change, ImpactFinding, ImpactReport, JudgedChange } from '../model/impact.js';
import type { KeptReport, ReportSubject } from '../model/impact-report.js';
import type { CheckedSpec } from './check-pipelines.js';
import type { ImpactReportService } from './impact-reports.js';
import type { PlacedIssue } from './pipeline-order.js';

/** Says what a change does to everything downstream. @param maxDepth  in jobs; null: no bound */
export type Judge = (change: Change, maxDepth: number | null) => Promise<JudgedChange>;

export interface GateParts {
  readonly judge: Judge;
  readonly reports: ImpactReportService;
}

/** A set of documents that is to be saved, as it is judged. */
export interface GatedSet {
  readonly checked: readonly CheckedSpec[];
  /** By namespace and name. */
  readonly subjects: readonly ReportSubject[];
}

export type GateDecision =
  /** `acknowledged`: it breaks readers, and somebody answers for that. */
  | { readonly outcome: 'open'; readonly acknowledged: KeptReport | null }
  | { readonly outcome: 'blocked'; readonly message: string; readonly report: KeptReport }
  | { readonly outcome: 'invalid'; readonly issues: readonly PlacedIssue[] };

/** The report of this id. @throws PlatformError NOT_FOUND */
export async function acknowledgedReport(reports: ImpactReportService, id: string): Promise<KeptReport> {
  const report = await reports.byId(id);
  if (report === null)
    throw new PlatformError('NOT_FOUND', `There is no impact report ${id} to acknowledge; use the id of one that \`impact\` or GateBlocked gave.`);
  return report;
}

/**
 * Judges documents that others read from. What breaks a reader, what turns columns NULL that somebody reads, and what has more readers
 * than were judged, passes only with a report of the same documents, against the same saved versions, with the same findings.
 */
export async function passGate({ judge, reports }: GateParts, { checked, subjects }: GatedSet, acknowledged: KeptReport | null): Promise<GateDecision> {
  const judged = await judge(changeOf(checked), null);
  if (judged.outcome === 'invalid') return judged;
  const { report } = judged;
  const found = damageOf(report);
  if (found === null) return { outcome: 'open', acknowledged: null };
  const objection = acknowledged === null ? null : objectionTo(acknowledged, subjects, report);
  if (acknowledged !== null && objection === null) return { outcome: 'open', acknowledged };
  const kept = await reports.keep(report, subjects);
  return { outcome: 'blocked', message: sentence(found, kept.id, objection), report: kept };
}

export function changeOf(checked: readonly CheckedSpec[]): Change {
  return { kind: 'pipelineSpecs', specs: checked.map(({ spec, request: { spec: _, ...described } }) => ({ spec, described })) };
}

/** Why a report does not answer for a change; null when it does. */
function objectionTo(acknowledged: KeptReport, subjects: readonly ReportSubject[], { findingsHash }: ImpactReport): string | null {
  const { id, subjects: then } = acknowledged;
  const documents = (list: readonly ReportSubject[]): string => JSON.stringify(list.map(({ namespace, name, specHash }) => [namespace, name, specHash]));
  if (documents(then) !== documents(subjects)) return `Report ${id} is about another change.`;
  const moved = subjects.find(({ version }, index) => version !== then[index]?.version);
  if (moved !== undefined) {
    const before = then.find(({ namespace, name }) => namespace === moved.namespace && name === moved.name)?.version ?? 0;
    return `Report ${id} was made when ${moved.namespace}/${moved.name} was at version ${before}; it is at version ${moved.version} now.`;
  }
  return acknowledged.findingsHash === findingsHash ? null : `Since report ${id} was made, what the change does to others has changed.`;
}

/** What nobody may do to others without answering for it; null: nothing of the kind. What becomes of the changed pipelines is no finding. */
function damageOf({ findings, verdict, truncated }: ImpactReport): string | null {
  const jobs = findings.filter(({ kind }) => kind === 'JOB');
  const keys = (list: readonly ImpactFinding[]): string[] => list.map(({ key }) => key);
  if (verdict === 'BREAKS') return `The change breaks ${named(keys(jobs.filter(({ severity }) => severity === 'BREAKS')))}; ${together}`;
  const nulled = keys(jobs.filter(({ code }) => code === 'NULL_READ' || code === 'TURNS_NULL'));
  if (nulled.length > 0) return `The change turns columns NULL that are read or written by ${named(nulled)}; ${together}`;
  if (truncated.length === 0) return null;
  return 'More jobs read what changes than were judged, and what was not judged may break; nothing was saved. Change less at a time, or';
}

const together = 'nothing was saved. Change what reads it first or together with it, or';

function named(keys: readonly string[]): string {
  const shown = keys.slice(0, 3).join(', ') + (keys.length > 3 ? ` and ${keys.length - 3} more` : '');
  return keys.length === 1 ? `the job ${shown}` : `${keys.length} jobs: ${shown}`;
}

function sentence(found: string, reportId: string, objection: string | null): string {
  const said = `${found} save with \`acknowledge: "${reportId}"\`.`;
  return objection === null ? said : `${objection} ${said}`;
}
