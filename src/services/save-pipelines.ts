import { newId } from '../graph/ids.js';
import { readMeta } from '../graph/meta.js';
import { findPipelines, neighboursOfPipelines } from '../graph/pipelines.js';
import type { Pipeline } from '../model/catalogue.js';
import { PlatformError } from '../model/errors.js';
import type { KeptReport, ReportSubject } from '../model/impact-report.js';
import type { ParsedSpec } from '../pipeline/spec/parse-spec.js';
import type { AuditLog } from './audit.js';
import { type CheckedSpec, type CheckParts, checkPipelines, touchedBy } from './check-pipelines.js';
import { acknowledgedReport, type GateParts, passGate } from './gate.js';
import type { PlacedIssue } from './pipeline-order.js';
import { checkVersion, writePipelines } from './save-pipeline.js';

export interface SaveParts extends CheckParts, GateParts {
  readonly audit: AuditLog;
}

export interface SetToSave {
  readonly parsed: readonly ParsedSpec[];
  /** One for each document. 0: must not exist yet; null: any. */
  readonly expectedVersions: readonly (number | null)[];
  /** Id of an impact report. */
  readonly acknowledge: string | null;
  readonly actor: string | null;
}

export type SavedSet =
  | { readonly outcome: 'saved'; readonly pipelines: readonly Pipeline[] }
  | { readonly outcome: 'invalid'; readonly issues: readonly PlacedIssue[] }
  | { readonly outcome: 'blocked'; readonly message: string; readonly report: KeptReport };

/** What documents were found to be at one revision of the graph. */
interface Judged {
  readonly checked: readonly CheckedSpec[];
  readonly subjects: readonly ReportSubject[];
  readonly revision: number;
  /** Others read what these write, or write what these read: so the verdict holds for this revision only. */
  readonly bound: boolean;
  readonly acknowledged: KeptReport | null;
}

const mostTries = 10;

/**
 * Checks documents together, judges what they do to everything that reads from them, and saves all of them or none. What was
 * judged is saved on the very graph that it was judged on: when that has changed meanwhile, everything is done again.
 *
 * @throws PlatformError CONFLICT when a version is not the expected one or the graph does not stand still; NOT_FOUND for a
 *   report that is not there; CONNECTION_FAILED, ACCESS_DENIED, SECRET_MISSING when a connection cannot be used now
 */
export async function saveSet(parts: SaveParts, set: SetToSave): Promise<SavedSet> {
  const acknowledged = set.acknowledge === null ? null : await acknowledgedReport(parts.reports, set.acknowledge);
  const auditId = newId('aud');
  for (let tries = 1; tries <= mostTries; tries += 1) {
    const judged = await judgeSet(parts, set, acknowledged);
    if ('outcome' in judged) return judged;
    const { checked, ...rest } = judged;
    const pipelines = checked.map((one, index) => ({ ...one, expectedVersion: set.expectedVersions[index] ?? null, actor: set.actor }));
    const written = await writePipelines(parts, { ...rest, pipelines, auditId, actor: set.actor });
    if (written !== 'moved') return { outcome: 'saved', pipelines: written };
  }
  throw new PlatformError('CONFLICT', `What others save changed the lineage ${mostTries} times while this was judged; nothing was saved. Try again.`, {
    retryable: true,
  });
}

async function judgeSet(parts: SaveParts, { parsed, expectedVersions }: SetToSave, acknowledged: KeptReport | null): Promise<Judged | SavedSet> {
  // First of all: whatever is read below is of this revision or of a later one, which is noticed when it is saved.
  const [state] = await parts.graph.read(readMeta, {});
  if (state === undefined) throw new PlatformError('INTERNAL', 'The graph has no Meta node: it was not brought to its format at start.');
  const versions = await savedVersions(parts, parsed);
  for (const [index, expected] of expectedVersions.entries()) {
    const version = versions[index] ?? 0;
    if (expected !== null) checkVersion({ version, deleted: false }, expected, keyOf(parsed[index] as ParsedSpec));
  }
  const result = await checkPipelines(parts, parsed);
  if ('issues' in result) return { outcome: 'invalid', issues: result.issues };
  const { checked } = result;
  const judged = { checked, subjects: subjectsOf(checked, versions), revision: state.revision };
  const { read, written } = await neighboursOf(parts, checked);
  if (!read) return { ...judged, bound: written, acknowledged: null };
  const decision = await passGate(parts, judged, acknowledged);
  return decision.outcome === 'open' ? { ...judged, bound: true, acknowledged: decision.acknowledged } : decision;
}

/** 0 where there is none. */
export async function savedVersions({ graph }: Pick<CheckParts, 'graph'>, parsed: readonly ParsedSpec[]): Promise<number[]> {
  const found = await graph.read(findPipelines, { pipelines: parsed.map(({ spec: { namespace, name } }) => ({ namespace, name })) });
  const versions = new Map(found.map((pipeline) => [JSON.stringify([pipeline.namespace, pipeline.name]), pipeline.version]));
  return parsed.map(({ spec }) => versions.get(JSON.stringify([spec.namespace, spec.name])) ?? 0);
}

/** By namespace and name, so that a set is the same in any order. */
export function subjectsOf(checked: readonly CheckedSpec[], versions: readonly number[]): ReportSubject[] {
  return checked
    .map(({ spec: { namespace, name }, specHash }, index) => ({ namespace, name, specHash, version: versions[index] ?? 0 }))
    .sort((one, other) => (keyText(one) < keyText(other) ? -1 : 1));
}

async function neighboursOf({ graph }: SaveParts, checked: readonly CheckedSpec[]): Promise<{ read: boolean; written: boolean }> {
  const [neighbours] = await graph.read(neighboursOfPipelines, touchedBy(checked));
  return neighbours ?? { read: false, written: false };
}

function keyOf({ spec: { namespace, name } }: ParsedSpec): string {
  return `${namespace}/${name}`;
}

function keyText({ namespace, name }: ReportSubject): string {
  return JSON.stringify([namespace, name]);
}
