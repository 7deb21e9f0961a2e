import type { ErrorCode } from '../../../src/model/errors.js';
import type { ImpactCode, ImpactReport, Severity } from '../../../src/model/impact.js';
import { type ImpactCase, source } from '../../unit/lineage/impact/impact-cases.js';
import { type JobDocument, openShop, report } from '../../unit/lineage/impact/impact-shop.js';

export type WrittenCase = Pick<ImpactCase, 'name' | 'tables' | 'jobs' | 'change' | 'anew'>;

/** What is said of a job. NONE: its table stays as it is. BREAKS: it fails. Of the others, nothing that a run could be held against. */
export interface Said {
  readonly severity: Severity;
  readonly code: ImpactCode | null;
}

/** A change with at least one verdict that running tells to be right or wrong. */
export interface LawCase extends WrittenCase {
  /** The jobs once the change is made. */
  readonly after: readonly JobDocument[];
  /** By name of the job. */
  readonly said: ReadonlyMap<string, Said>;
}

/** Those of the cases that say NONE or BREAKS of a job. */
export async function lawCases(cases: readonly WrittenCase[]): Promise<LawCase[]> {
  const judged: LawCase[] = [];
  for (const one of cases) {
    const law = await judgedCase(one);
    if ([...law.said.values()].some(({ severity }) => severity === 'NONE' || severity === 'BREAKS')) judged.push(law);
  }
  return judged;
}

/** What a run that breaks ends with. */
export function failureOf(code: ImpactCode | null): ErrorCode {
  if (code === 'DATASET_GONE') return 'STREAM_NOT_FOUND';
  return code === 'DESTINATION_MISMATCH' ? 'DESTINATION_MISMATCH' : 'INVALID_SPEC';
}

/** Each job behind all that write what it reads; jobs that feed one another as they are listed. */
export function runOrder(jobs: readonly JobDocument[]): JobDocument[] {
  const left = [...jobs];
  const order: JobDocument[] = [];
  while (left.length > 0) {
    const ready = left.findIndex((job) => !left.some((other) => other !== job && readsOf(job).includes(tableOf(other))));
    order.push(...left.splice(Math.max(ready, 0), 1));
  }
  return order;
}

/** The table that a job writes. */
export function tableOf({ outputs }: JobDocument): string {
  return (outputs as { stream: string }[])[0]?.stream ?? '';
}

function readsOf({ inputs }: JobDocument): string[] {
  return Object.values(inputs as Record<string, { stream: string }>).map(({ stream }) => stream);
}

async function judgedCase(one: WrittenCase): Promise<LawCase> {
  const { tables = {}, jobs, change, anew = [] } = one;
  const told = await report(await openShop({ ...source, ...tables }, jobs), change);
  const saved = jobs.map((job) => anew.find(({ name }) => name === job.name) ?? job);
  const after = [...saved, ...anew.filter(({ name }) => !jobs.some((job) => job.name === name))];
  const own = new Map(after.map((job) => [job.name, saidOf(told, job, anew.includes(job))]));
  // Rows of several jobs cannot be told apart: their table stays the same only if all of them do.
  const said = after.map(({ name }): [string, Said] => {
    const { severity, code } = own.get(name) as Said;
    const others = after.filter((job) => job.name !== name && tableOf(job) === tableOf(after.find((one) => one.name === name) as JobDocument));
    const alone = others.every((job) => own.get(job.name)?.severity === 'NONE');
    return [name, severity === 'NONE' && !alone ? runs : { severity, code }];
  });
  return { ...one, after, said: new Map(said) };
}

const runs: Said = { severity: 'CHANGES_VALUES', code: null };

/** A job that is not reached is not mentioned; neither is one that is saved anew, but for its columns. */
function saidOf({ findings, blindSpots }: ImpactReport, job: JobDocument, isAnew: boolean): Said {
  const key = `shop/${job.name}`;
  const found = findings.find((finding) => finding.kind === 'JOB' && finding.key === key);
  if (found) return { severity: found.severity, code: found.code };
  const table = `shop.${tableOf(job)}`;
  const isChanged = isAnew && findings.some((finding) => finding.kind !== 'JOB' && `${finding.key}.`.includes(`/${table}.`));
  return isChanged || blindSpots.some((spot) => spot.key === key) ? runs : { severity: 'NONE', code: null };
}
