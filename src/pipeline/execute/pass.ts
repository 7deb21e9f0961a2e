import type { DuckDBConnection } from '@duckdb/node-api';
import type { CompiledPipeline } from '../../model/compiled-pipeline.js';
import type { StepMetrics } from '../../model/run.js';
import type { RunStage } from '../../model/run-log.js';
import type { Segment } from '../../model/segment.js';
import type { StoreRejected } from '../rejected-rows.js';
import type { PassOutput } from './destinations.js';
import type { ExchangeSizes } from './exchange.js';
import type { RejectedLimits } from './rejected-table.js';

/** One way through a pipeline: inputs are read, and some of the outputs are filled. */
export interface Pass {
  /** Whole. */
  readonly compiled: CompiledPipeline;
  /** Those to fill, opened. */
  readonly outputs: readonly PassOutput[];
  /** Rows that have left the result are told to the outputs. */
  readonly erases: boolean;
  /** The segments of one input. */
  read(alias: string): AsyncIterable<Segment>;
  readonly connection: DuckDBConnection;
  /** The run's own; nothing that the pass makes in it is left at its end. */
  readonly folder: string;
  /** `limits.memory` of the document. */
  readonly memoryBytes: number;
  readonly limits: RejectedLimits;
  readonly store: StoreRejected;
  readonly signal: AbortSignal;
  /** @param step  one that is computed over several rows; null: rows go through all of them */
  onStage?(stage: RunStage, step: string | null): void;
  /** After the segment went through the steps. */
  onRead(alias: string, segment: Segment): void;
  /** Cumulative, in the order of the steps. */
  onSteps(metrics: readonly StepMetrics[]): void;
}

/** Shares of `limits.memory`, half of which is DuckDB's. */
export function exchangeSizes(memoryBytes: number): ExchangeSizes {
  return { bufferBytes: Math.floor(memoryBytes / 8), partBytes: Math.floor(memoryBytes / 16), streamBytes: Math.floor(memoryBytes / 32), parts: 64 };
}
