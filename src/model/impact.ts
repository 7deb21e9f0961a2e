import type { DatasetRef } from './dataset.js';
import type { SpecIssue } from './errors.js';
import type { ColumnKey, Truncation } from './lineage-query.js';
import type { PipelineSpec } from './pipeline-spec.js';
import type { BoundCast, CompileRequest, CompileResult } from './run-process.js';

/** BREAKS: the job can no longer run. CHANGES_VALUES: it runs, with other values. STALE: no longer refreshed, because something upstream breaks. */
export type Severity = 'BREAKS' | 'CHANGES_VALUES' | 'STALE' | 'NONE';

/** Worst first. */
export const severities: readonly Severity[] = ['BREAKS', 'CHANGES_VALUES', 'STALE', 'NONE'];

/** Stable, documented names: what a severity was decided by. */
export type ImpactCode =
  // BREAKS
  | 'COLUMN_READ'
  | 'JOIN_KEY'
  | 'FILTER_INPUT'
  | 'GROUP_KEY'
  | 'SORT_KEY'
  | 'WINDOW_INPUT'
  | 'LOAD_KEY'
  | 'CURSOR'
  | 'RECOMPUTE_KEY'
  | 'DATASET_GONE'
  | 'TYPE_MISMATCH'
  | 'DESTINATION_MISMATCH'
  | 'SPEC_INVALID'
  // CHANGES_VALUES, of a job
  | 'IMPLICIT_CAST'
  | 'CAST_SOURCE'
  | 'TYPE_READ'
  | 'TURNS_NULL'
  | 'OUTPUT_SCHEMA'
  | 'NULL_READ'
  | 'VALUES_READ'
  | 'TABLE_MADE_ANEW'
  // CHANGES_VALUES, of a column or dataset
  | 'COLUMN_GONE'
  | 'TYPE_CHANGED'
  | 'VALUES_CHANGED'
  | 'EXPRESSION_CHANGED'
  | 'ROWS_CHANGED'
  // STALE
  | 'UPSTREAM_BREAKS'
  | 'OUTPUT_REMOVED'
  // NONE
  | 'NOT_USED'
  | 'SAME_VALUES';

/** What somebody intends to do. A rename and a retype name the column as it is now. */
export type Change =
  | { readonly kind: 'dropColumn'; readonly column: ColumnKey }
  | { readonly kind: 'renameColumn'; readonly column: ColumnKey; readonly to: string }
  /** `to` is the store's own word, e.g. `numeric(12,2)`. */
  | { readonly kind: 'retypeColumn'; readonly column: ColumnKey; readonly to: string }
  | { readonly kind: 'dropDataset'; readonly dataset: DatasetRef }
  | { readonly kind: 'pipelineSpecs'; readonly specs: readonly ChangedSpec[] };

/** A document that is to be saved. */
export interface ChangedSpec {
  readonly spec: PipelineSpec;
  /** What its streams were found to be just now. */
  readonly described: Omit<CompileRequest, 'spec'>;
}

export type ImpactNodeKind = 'DATASET' | 'COLUMN' | 'JOB';

/** Names a node for people and for the hash; ids are beside it where the graph has the node. */
export interface ImpactNode {
  readonly kind: ImpactNodeKind;
  /** null: the graph does not have it yet. */
  readonly id: string | null;
  /** `namespace/name` of a job or dataset; a column's is its dataset's with `.column` behind it. */
  readonly key: string;
  readonly namespace: string;
}

export interface ImpactFinding extends ImpactNode {
  readonly severity: Severity;
  readonly code: ImpactCode;
  /** One sentence a person can act on; names the job, step and column. */
  readonly reason: string;
  /** Jobs on the path behind the changed node: 1 for the direct readers and what they write, 0 for what a changed pipeline itself writes. */
  readonly depth: number;
  /** One shortest path from the changed node to this one, both included. */
  readonly path: readonly ImpactNode[];
  readonly owners: readonly string[];
  readonly tags: readonly string[];
}

/** A job that reads something affected and could not be judged: never "no effect". */
export interface BlindSpot extends ImpactNode {
  readonly reason: string;
}

export interface ImpactReport {
  /** Of the graph that it was judged on. */
  readonly revision: string;
  /** The worst severity of any finding; NONE when there is none. BREAKS only where a job breaks. */
  readonly verdict: Severity;
  /** Worst first, then nearest first, then by key. */
  readonly findings: readonly ImpactFinding[];
  readonly blindSpots: readonly BlindSpot[];
  readonly truncated: readonly Truncation[];
  /** The same for equal findings (key, severity, code) and blind spots: what an acknowledgement is bound to. */
  readonly findingsHash: string;
}

export type JudgedChange =
  | { readonly outcome: 'judged'; readonly report: ImpactReport }
  /** A changed document does not compile on the end state; `issues` by the place of the spec in the change. */
  | { readonly outcome: 'invalid'; readonly issues: readonly { readonly spec: number; readonly issue: SpecIssue }[] };

export type ImpactGroup = 'KIND' | 'OWNER' | 'NAMESPACE' | 'TAG' | 'SEVERITY';

export interface ImpactCount {
  readonly key: string;
  readonly severity: Severity;
  readonly count: number;
}

/** Compiles many documents, each on its own; `failure` when the compiler itself was stopped or died of it. In the order of the requests. */
export type CompileMany = (requests: readonly CompileRequest[]) => Promise<readonly CompileOutcome[]>;
export type CompileOutcome = { readonly result: CompileResult; readonly casts: readonly BoundCast[] } | { readonly failure: string };

export function worst(found: Iterable<Severity>): Severity {
  const all = new Set(found);
  return severities.find((severity) => all.has(severity)) ?? 'NONE';
}
