import type { CommittedLoad } from '../model/connector.js';
import type { StepMetrics } from '../model/run.js';
import type { RunRequest } from '../model/run-process.js';
import type { OutputLoad } from './load/output-load.js';
import type { ParamValue } from './transform/params.js';

export function paramValues({ spec, params }: RunRequest): ParamValue[] {
  return Object.entries(spec.params).map(([name, { type, default: value = null }]) => ({ name, type, value: name in params ? (params[name] ?? null) : value }));
}

export function addMetrics(some: StepMetrics, others: StepMetrics): StepMetrics {
  return {
    step: some.step,
    rowsIn: some.rowsIn + others.rowsIn,
    rowsOut: some.rowsOut + others.rowsOut,
    rowsRejected: some.rowsRejected + others.rowsRejected,
    durationMs: some.durationMs + others.durationMs,
  };
}

export function writtenBy({ committed, bytesStaged }: OutputLoad): { committedAttempt: number; rowsWritten: number; bytesWritten: number } {
  const counts: CommittedLoad['counts'] | undefined = committed?.counts;
  const rowsWritten = counts ? counts.inserted + counts.updated + counts.deleted : 0;
  return { committedAttempt: committed?.attempt ?? 0, rowsWritten, bytesWritten: committed ? bytesStaged : 0 };
}
