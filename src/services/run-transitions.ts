import { lockMark } from '../graph/ids.js';
import { numberTransitions } from '../graph/run-transitions.js';
import { abortQueuedRuns } from '../graph/runs.js';
import type { GraphTransaction } from '../graph/transaction.js';

/**
 * To be called by every transaction that changes the state of runs, behind the change: numbers it and keeps it on the runs until it is
 * in the log. A change that is numbered already, because the transaction is tried again, is left alone.
 *
 * @param message  a sentence for people; null: the state says it all
 */
export async function numberTransition(transaction: GraphTransaction, ids: readonly string[], message: string | null): Promise<void> {
  if (ids.length > 0) await transaction.run(numberTransitions, { ids, message: JSON.stringify(message), lock: lockMark() });
}

/** Aborts queued runs of a pipeline that the transaction has locked. @param runId  only this one; null: all @returns their ids */
export async function abortQueued(transaction: GraphTransaction, pipelineId: string, runId: string | null, message: string): Promise<string[]> {
  const ids = await transaction.run(abortQueuedRuns, { pipelineId, id: runId });
  await numberTransition(transaction, ids, message);
  return ids;
}
