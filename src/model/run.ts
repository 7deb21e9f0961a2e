import type { ErrorRecord } from './errors.js';

export type RunState = 'QUEUED' | 'RUNNING' | 'COMPLETE' | 'FAIL' | 'ABORT' | 'SKIPPED';

const transitions: Readonly<Record<RunState, readonly RunState[]>> = {
  QUEUED: ['RUNNING', 'SKIPPED', 'ABORT'],
  RUNNING: ['COMPLETE', 'FAIL', 'ABORT', 'QUEUED'],
  COMPLETE: [],
  FAIL: [],
  ABORT: [],
  SKIPPED: [],
};

/** States from which `to` may be entered. */
export function statesBefore(to: RunState): RunState[] {
  return (Object.keys(transitions) as RunState[]).filter((from) => transitions[from].includes(to));
}

export function isFinal(state: RunState): boolean {
  return transitions[state].length === 0;
}

/** States of a run that has not ended. */
export const unfinishedStates: readonly RunState[] = (Object.keys(transitions) as RunState[]).filter((state) => !isFinal(state));

export interface RunMetrics {
  readonly rowsRead: number;
  /** Rows inserted, updated or deleted at the destinations. */
  readonly rowsWritten: number;
  readonly rowsRejected: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

export const noMetrics: RunMetrics = { rowsRead: 0, rowsWritten: 0, rowsRejected: 0, bytesRead: 0, bytesWritten: 0 };

/** rowsIn = rowsOut + rowsRejected + rows that a filter dropped. */
export interface StepMetrics {
  readonly step: string;
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly rowsRejected: number;
  readonly durationMs: number;
}

/** What a run's process reports at its end. */
export interface RunSummary {
  readonly metrics: RunMetrics;
  readonly steps: readonly StepMetrics[];
  readonly outputs: readonly OutputSummary[];
}

/** `lineage` is keyed by the same order as the compiled outputs. */
export interface OutputSummary {
  readonly loadId: string;
  /** The attempt whose rows stand in the table; its dead letters are the ones to open. */
  readonly committedAttempt: number;
  readonly rowsWritten: number;
  readonly bytesWritten: number;
}

/** `trigger` of a run that takes dead letters again. */
export const replayTrigger = 'replay';

/** Values that a run was started with, by name, as they were given. */
export type RunParams = Readonly<Record<string, string | number | boolean | null>>;

export interface Run {
  /** UUIDv7, the OpenLineage runId. */
  readonly id: string;
  readonly pipelineId: string;
  readonly pipelineVersion: number;
  readonly state: RunState;
  readonly trigger: string;
  /** From 1; 0 while it has never been claimed. */
  readonly attempt: number;
  readonly epoch: number;
  readonly queuedAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly metrics: RunMetrics;
  readonly steps: readonly StepMetrics[];
  /** Why it ended so; of a run that is queued again, why its last attempt failed. */
  readonly error: ErrorRecord | null;
  /** null: none were given. */
  readonly params: RunParams | null;
  /** The run that it was made to do again. */
  readonly retryOf: string | null;
  /** Its next attempt begins then or later; null: it need not wait. */
  readonly notBefore: string | null;
}
