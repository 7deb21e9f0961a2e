import type { ErrorRecord } from '../model/errors.js';

/** Why the worker ends a run, as it is stored with the run. */
export const cancelled: ErrorRecord = { code: 'RUN_CANCELLED', message: 'The run was cancelled.', retryable: false, step: null };

export function timedOut(timeoutMs: number): ErrorRecord {
  const message = `The run did not end within its limits.timeout of ${timeoutMs / 1000} s and was stopped. Raise limits.timeout, or read less.`;
  return { code: 'RUN_TIMED_OUT', message, retryable: false, step: null };
}

/** Another attempt may be quicker: a lock, a busy server. */
export function attemptTimedOut(timeoutMs: number): ErrorRecord {
  const message = `The attempt did not end within its limits.attemptTimeout of ${timeoutMs / 1000} s and was stopped. Raise limits.attemptTimeout, read less, or look for what the databases waited for.`;
  return { code: 'RUN_TIMED_OUT', message, retryable: true, step: null };
}

export function takenOverTooOften(takeovers: number): ErrorRecord {
  const message = `${takeovers} workers were lost while they executed this run: each ended by itself or was cut off from the graph for a minute. It is not tried again by itself, since it may be what ends them: look into their logs, then start the run again.`;
  return { code: 'RUN_PROCESS_DIED', message, retryable: false, step: null };
}

export function memoryLimit(foundBytes: number, limitBytes: number): ErrorRecord {
  const message = `The run's process held ${mebibytes(foundBytes)} MiB of memory; its limits.memory is ${mebibytes(limitBytes)} MiB. Raise limits.memory, or make rows and expressions smaller.`;
  return { code: 'MEMORY_LIMIT', message, retryable: false, step: null };
}

export function processDied(how: string): ErrorRecord {
  const message = `The run's process ended by itself (${how}). If the machine ran out of memory, lower limits.memory; otherwise start the run again and report it if it happens again.`;
  return { code: 'RUN_PROCESS_DIED', message, retryable: true, step: null };
}

export function committedWithoutLineage(error: ErrorRecord): ErrorRecord {
  return {
    ...error,
    message: `${error.message} The rows had been committed by an earlier attempt: the destination is complete, its lineage is recorded by the next run.`,
  };
}

export function commitUnknown(error: ErrorRecord): ErrorRecord {
  const message = `${error.message} The destination has not answered since, so that it is not known whether the rows were committed: look into its _tributary_loads for loads of this run before it is started again.`;
  return { ...error, message, retryable: false };
}

function mebibytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}
