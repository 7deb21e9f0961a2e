import type { CompiledPipeline } from './compiled-pipeline.js';
import type { StreamDescription } from './connector.js';
import type { DatasetRef } from './dataset.js';
import type { DeadLetterStage, RejectedRow } from './dead-letter.js';
import type { ErrorRecord, SpecIssue } from './errors.js';
import type { PipelineSpec } from './pipeline-spec.js';
import type { RunMetrics, RunSummary, StepMetrics } from './run.js';
import type { RunPlace } from './run-log.js';
import type { Segment } from './segment.js';

/** A connection as a run's process needs it, with its secrets in place. Goes over the process channel only. */
export interface ResolvedConnection {
  readonly name: string;
  readonly kind: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly datasetNamespace: string;
}

/** Schemas to compile against. */
export interface CompileRequest {
  readonly spec: PipelineSpec;
  /** By input alias. */
  readonly inputs: Readonly<Record<string, StreamDescription>>;
  /** Kind of the connection, by input alias. */
  readonly inputKinds: Readonly<Record<string, string>>;
  /** In the order of the spec's outputs. `existing` null: the table is not there yet. */
  readonly outputs: readonly { readonly kind: string; readonly dataset: DatasetRef; readonly existing: StreamDescription | null }[];
}
export type CompileResult =
  | { readonly compiled: CompiledPipeline }
  /** DESTINATION_MISMATCH when the document is right and only tables that are there do not fit it. */
  | { readonly issues: readonly SpecIssue[]; readonly code: 'INVALID_SPEC' | 'DESTINATION_MISMATCH' };

export interface RunRequest {
  readonly runId: string;
  readonly pipelineId: string;
  readonly attempt: number;
  readonly epoch: number;
  readonly spec: PipelineSpec;
  /** By connection name. */
  readonly connections: Readonly<Record<string, ResolvedConnection>>;
  /** The run's own folder: made by the caller, who also removes it. */
  readonly folder: string;
  /** The run's start, RFC 3339: what now() is in expressions. */
  readonly startedAt: string;
  /** Text forms by name; null: NULL. */
  readonly params: Readonly<Record<string, string | null>>;
  /** The dead letters to take again instead of reading; null: it is a run of everything. */
  readonly replay: readonly ReplayPart[] | null;
}

/** Dead letters with the same columns that one step refused on their way to one output. */
export interface ReplayPart {
  readonly stage: DeadLetterStage;
  readonly step: string;
  /** Place of the output in the document, from 0. */
  readonly output: number;
  /** Every text of the rows; `_pos` counts them through all parts. */
  readonly segments: readonly Segment[];
}

/** What the parent sends to a run's process. One `compile`, `compileMany` or `run` per process; `cancel` at any time. */
export type ToRunProcess =
  | { readonly type: 'compile'; readonly request: CompileRequest }
  | { readonly type: 'compileMany'; readonly requests: readonly CompileRequest[] }
  | { readonly type: 'run'; readonly request: RunRequest }
  | { readonly type: 'stored'; readonly batch: number; readonly error: ErrorRecord | null }
  | { readonly type: 'cancel' };

/** What a run's process sends. It ends with exactly one of `compiled`, `compiledAll`, `done` and `failed`, and then exits by itself. */
export type FromRunProcess =
  | { readonly type: 'ready' }
  | { readonly type: 'compiled'; readonly result: CompileResult }
  /** One of many, in their order. */
  | { readonly type: 'compiledOne'; readonly index: number; readonly result: CompileResult; readonly casts: readonly BoundCast[] }
  | { readonly type: 'compiledAll' }
  /** Sent once, before the first read: what the run's lineage will be. */
  | { readonly type: 'bound'; readonly compiled: CompiledPipeline }
  | { readonly type: 'progress'; readonly metrics: RunMetrics; readonly steps: readonly StepMetrics[]; readonly place: RunPlace }
  /** At most 1,000 letters; the process waits for `stored` with the same batch number. */
  | { readonly type: 'rejected'; readonly batch: number; readonly rows: readonly RejectedRow[] }
  /** Sent once, before the first COMMIT: from now on an output may stand at its destination, whatever else is said. */
  | { readonly type: 'committing' }
  | { readonly type: 'done'; readonly summary: RunSummary }
  | { readonly type: 'failed'; readonly error: ErrorRecord; readonly metrics: RunMetrics; readonly steps: readonly StepMetrics[] };

/** A conversion that compiled SQL makes of a column, written or not. */
export interface BoundCast {
  readonly step: string;
  /** The column that is converted, as the step's source names it; null: a computed value. */
  readonly column: string | null;
  readonly from: string;
  readonly to: string;
}
