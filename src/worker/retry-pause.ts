import { backoffMs } from '../lib/backoff.js';
import type { ErrorRecord } from '../model/errors.js';
import type { RetrySpec } from '../model/pipeline-spec.js';

/** What is left to a run when an attempt of it fails. */
export interface RetryBudget {
  readonly retry: RetrySpec;
  /** Attempts that had failed before this one. Those whose worker was lost or stopped are not among them. */
  readonly failedAttempts: number;
  /** Until `limits.timeout`, by `Date.now()`; null: for ever. */
  readonly untilMs: number | null;
}

/**
 * How long a run waits before its next attempt, in milliseconds; null when the failure is its end: the error does not pass by itself,
 * the attempts are used up, or its time would be over before the next one began.
 */
export function retryPauseMs(error: ErrorRecord, { retry, failedAttempts, untilMs }: RetryBudget, random?: () => number): number | null {
  if (!error.retryable || failedAttempts + 1 >= retry.attempts) return null;
  const pauseMs = backoffMs(failedAttempts, retry.initialMs, retry.maxMs, random);
  return untilMs !== null && Date.now() + pauseMs >= untilMs ? null : pauseMs;
}
