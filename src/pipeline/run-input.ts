import { rm } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { prefetch } from '../lib/prefetch.js';
import { SerialQueue } from '../lib/serial-queue.js';
import type { CompiledInput, CompiledStep } from '../model/compiled-pipeline.js';
import type { Session } from '../model/connector.js';
import type { StepMetrics } from '../model/run.js';
import type { Segment } from '../model/segment.js';
import type { OutputLoad } from './load/output-load.js';
import { type StoreRejected, storeTransformRejects } from './rejected-rows.js';
import { Transformer } from './transform/transformer.js';

/** Segments read ahead of the steps, and segments waiting for the destination. */
const ahead = 2;

export interface InputRun {
  readonly input: CompiledInput;
  /** Those that this input feeds and that are not committed yet. */
  readonly outputs: readonly OutputLoad[];
  readonly steps: readonly CompiledStep[];
  readonly session: Session;
  readonly connection: DuckDBConnection;
  readonly folder: string;
  readonly segmentBytes: number;
  readonly store: StoreRejected;
  readonly signal: AbortSignal;
  onRead(segment: Segment, steps: readonly StepMetrics[]): void;
}

/** Extract, transform and stage one input, the three at the same time; at the end every row is staged or stored as rejected. */
export async function runInput(run: InputRun): Promise<void> {
  const { input, outputs, session, connection, folder, signal } = run;
  const transformer = new Transformer(connection, input, { steps: run.steps, outputs: outputs.map(({ compiled }) => compiled) }, folder);
  await transformer.prepare();
  for (const output of outputs) await output.open();
  const columns = input.columns.map(({ name }) => name);
  const staging = new SerialQueue(ahead);
  try {
    for await (const segment of prefetch(session.read({ stream: input.stream, columns, folder, limits: { segmentBytes: run.segmentBytes } }, signal), ahead)) {
      const results = await transformer.transform(segment, signal);
      run.onRead(segment, transformer.metrics());
      for (const [index, result] of results.entries()) await staging.push(() => stage(outputs[index], result));
    }
  } catch (error) {
    await staging.drain().catch(() => undefined);
    throw error;
  }
  await staging.drain();
  for (const output of outputs) {
    await storeTransformRejects(connection, transformer.rejected, stepsBehind(run.steps, output.compiled.from), output.identity.loadId, run.store);
    await output.storeRefused(run.store);
  }
}

async function stage(output: OutputLoad | undefined, segment: Segment): Promise<void> {
  await output?.stage(segment);
  await rm(segment.path, { force: true });
}

/** The steps on the way to a relation. */
function stepsBehind(steps: readonly CompiledStep[], relation: string): Set<string> {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const way = new Set<string>();
  for (let step = byId.get(relation); step; step = byId.get(step.from)) way.add(step.id);
  return way;
}
