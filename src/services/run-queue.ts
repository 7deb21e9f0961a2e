import type { Graph } from '../graph/graph.js';
import { lockMark, newId } from '../graph/ids.js';
import {
  type Claimed,
  claimRun,
  endRun,
  findClaimedRun,
  nextQueuedRun,
  type Requeueing,
  recordProgress,
  recoverRuns,
  renewLease,
  requeueRun,
} from '../graph/run-queue.js';
import { findRunsByIds } from '../graph/runs.js';
import type { GraphTransaction } from '../graph/transaction.js';
import { type ErrorRecord, PlatformError } from '../model/errors.js';
import { type RunMetrics, type RunState, type StepMetrics, statesBefore } from '../model/run.js';
import { numberTransition } from './run-transitions.js';

/** Who reports: the claim of a run. */
export interface Holder {
  readonly runId: string;
  readonly epoch: number;
}

export interface Claimant {
  /** A process that executes runs: no other has this name. */
  readonly worker: string;
}

/** A failed attempt that is not the last one. */
export interface FailedAttempt extends RunReport {
  readonly error: ErrorRecord;
  /** The next attempt waits so long, in milliseconds. */
  readonly delayMs: number;
}

export interface RunReport {
  readonly metrics: RunMetrics;
  readonly steps: readonly StepMetrics[];
  readonly error?: ErrorRecord | null;
}

/** `spec` is the document of the version to run; `cancelRequested` when the run was asked to end before a restart. */
export type ClaimedRun = Claimed;

const leaseSeconds = 60;

/** The queue of runs in the graph. Every conditional write locks first; the epoch tells an old holder from the present one. */
export class RunQueue {
  constructor(private readonly graph: Graph) {}

  claim(by: Claimant): Promise<ClaimedRun | null> {
    const claim = newId('claim');
    let repeated = false;
    return this.graph.transaction(async (transaction) => {
      const [earlier] = repeated ? await transaction.run(findClaimedRun, { claim }) : [];
      repeated = true;
      return earlier ?? this.#claimNext(transaction, { ...by, claim });
    });
  }

  async renew({ runId, epoch }: Holder): Promise<'held' | 'cancel' | 'lost'> {
    const [cancelRequested] = await this.graph.write(renewLease, { id: runId, epoch, leaseSeconds, lock: lockMark() });
    if (cancelRequested === undefined) return 'lost';
    return cancelRequested ? 'cancel' : 'held';
  }

  async progress({ runId, epoch, metrics, steps }: Holder & Pick<RunReport, 'metrics' | 'steps'>): Promise<void> {
    const report = { id: runId, epoch, metrics: JSON.stringify(metrics), steps: JSON.stringify(steps), lock: lockMark() };
    const [held] = await this.graph.write(recordProgress, report);
    if (held === undefined) throw leaseLost(runId, epoch);
  }

  async end(to: 'FAIL' | 'ABORT', { runId, epoch, ...ended }: Holder & RunReport): Promise<void> {
    await this.graph.transaction(async (transaction) => {
      const held = await endHeldRun(transaction, to, { runId, epoch, ...ended });
      if (held !== null) await numberTransition(transaction, [runId], ended.error ? `${ended.error.code}: ${ended.error.message}` : null);
    });
  }

  /** Ends an attempt that is not the last one: the run is queued again and keeps the attempt's error until it ends. */
  async retry({ runId, epoch, delayMs, error, metrics, steps }: Holder & FailedAttempt): Promise<void> {
    const report = { metrics: JSON.stringify(metrics), steps: JSON.stringify(steps), error: JSON.stringify(error) };
    const message = `Attempt failed with ${error.code}: ${error.message} The next one begins in ${(delayMs / 1_000).toFixed(1)} s.`;
    await this.#requeue({ runId, epoch }, { ...report, delayMs, failed: true }, message);
  }

  /** Gives a run back that its worker cannot go on with. */
  async handBack(holder: Holder): Promise<void> {
    await this.#requeue(holder, { delayMs: 0, failed: false, metrics: null, steps: null, error: null }, 'Queued again: its worker stops.');
  }

  /** @returns the ids of the runs that are queued again */
  async recover(workers: readonly string[]): Promise<string[]> {
    return this.graph.transaction(async (transaction) => {
      const ids = await transaction.run(recoverRuns, { from: statesBefore('QUEUED'), workers, lock: lockMark() });
      await numberTransition(transaction, ids, 'Queued again: the process that executed it is gone.');
      return ids;
    });
  }

  async #requeue({ runId, epoch }: Holder, report: Pick<Requeueing, 'delayMs' | 'failed' | 'metrics' | 'steps' | 'error'>, message: string): Promise<void> {
    await this.graph.transaction(async (transaction) => {
      const [queued] = await transaction.run(requeueRun, { id: runId, epoch, from: statesBefore('QUEUED'), ...report, lock: lockMark() });
      if (queued === undefined) throw leaseLost(runId, epoch);
      await numberTransition(transaction, [runId], message);
    });
  }

  async #claimNext(transaction: GraphTransaction, by: Claimant & { claim: string }): Promise<ClaimedRun | null> {
    for (;;) {
      const [next] = await transaction.run(nextQueuedRun, { lock: by.claim });
      if (next === undefined) return null;
      const [claimed] = await transaction.run(claimRun, { ...next, ...by, from: statesBefore('RUNNING'), leaseSeconds, lock: by.claim });
      if (claimed === undefined) continue;
      await numberTransition(transaction, [claimed.run.id], `Attempt ${claimed.run.attempt} begins.`);
      return claimed;
    }
  }
}

/**
 * Ends a run under the lock of its pipeline; the caller numbers the change when it has done the rest. null: this holder has ended it so before, and its answer was lost.
 *
 * @throws PlatformError LEASE_LOST when the run is not held by this claim any more
 */
export async function endHeldRun(transaction: GraphTransaction, to: RunState, { runId, epoch, metrics, steps, error }: Holder & RunReport) {
  const [ended] = await transaction.run(endRun, {
    id: runId,
    epoch,
    from: statesBefore(to),
    to,
    metrics: JSON.stringify(metrics),
    steps: JSON.stringify(steps),
    error: error ? JSON.stringify(error) : null,
    lock: lockMark(),
  });
  if (ended !== undefined) return ended;
  const [found] = await transaction.run(findRunsByIds, { ids: [runId] });
  if (found?.run.state === to && found.run.epoch === epoch) return null;
  throw leaseLost(runId, epoch);
}

function leaseLost(runId: string, epoch: number): PlatformError {
  return new PlatformError(
    'LEASE_LOST',
    `Run ${runId} is not held by epoch ${epoch} any more: it has ended, or another attempt of it has begun. This report is not recorded.`,
    {
      context: { runId, epoch },
    },
  );
}
