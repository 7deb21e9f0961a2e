import type { CompiledPipeline, CompiledStep } from '../../model/compiled-pipeline.js';
import { PlatformError } from '../../model/errors.js';
import type { StepMetrics } from '../../model/run.js';
import { assertCount, assertNoMore } from './assert-count.js';

interface Counted {
  rowsIn: number;
  rowsOut: number;
  rowsRejected: number;
  durationMs: number;
}

/** Names under which rows are counted: inputs that refuse rows, then the steps. */
export function reportedSteps({ inputs, steps }: Pick<CompiledPipeline, 'inputs' | 'steps'>): string[] {
  return [...inputs.filter(({ rejects }) => rejects !== null).map(({ alias }) => alias), ...steps.map(({ id }) => id)];
}

/** What went through each step so far. */
export class StepCounts {
  private readonly counts: ReadonlyMap<string, Counted>;

  /** @param steps  names, in the order in which they are reported */
  constructor(steps: readonly string[]) {
    this.counts = new Map(steps.map((id) => [id, { rowsIn: 0, rowsOut: 0, rowsRejected: 0, durationMs: 0 }]));
  }

  of(step: string): Counted {
    const counted = this.counts.get(step);
    if (!counted) throw new PlatformError('INTERNAL', `Step "${step}" is not part of this pass.`);
    return counted;
  }

  get rowsRejected(): number {
    return [...this.counts.values()].reduce((total, { rowsRejected }) => total + rowsRejected, 0);
  }

  metrics(): StepMetrics[] {
    return [...this.counts].map(([step, counted]) => ({ step, ...counted, durationMs: Math.round(counted.durationMs) }));
  }
}

/** Of rows that a step was given, none may be lost or made up. @throws PlatformError COUNTS_MISMATCH */
export function assertReconciled({ id, kind }: CompiledStep, rowsIn: number, rowsOut: number, rowsRejected: number): void {
  const where = `Step "${id}"`;
  if (kind === 'map' || kind === 'cast' || kind === 'union') assertCount(where, rowsIn, rowsOut + rowsRejected);
  else if (kind === 'filter' || kind === 'dedupe') assertNoMore(where, rowsIn, rowsOut);
  else if (kind === 'aggregate') assertNoMore(where, Math.max(rowsIn, 1), rowsOut);
}
