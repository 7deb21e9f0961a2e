import { forgetObserved } from '../graph/edges.js';
import { lockMark } from '../graph/ids.js';
import { lockMeta, raiseRevision } from '../graph/meta.js';
import { deletePipeline } from '../graph/pipelines.js';
import { requestCancel } from '../graph/runs.js';
import type { GraphTransaction } from '../graph/transaction.js';
import type { JobRef } from '../model/lineage-query.js';
import { writeEdges } from './edge-records.js';
import { abortQueued } from './run-transitions.js';

export interface DeletedPipeline {
  /** The run that has been asked to end. */
  readonly runningRunId: string | null;
  /** Runs that were queued and are aborted. */
  readonly abortedRunIds: readonly string[];
}

/**
 * Marks a pipeline as deleted, aborts its queued runs, asks a running one to end, and closes all its edges.
 *
 * @returns null when there is none
 */
export async function deletePipelineOf(transaction: GraphTransaction, { namespace, name }: JobRef): Promise<DeletedPipeline | null> {
  const [deleted] = await transaction.run(deletePipeline, { namespace, name, lock: lockMark() });
  if (deleted === undefined) return null;
  const { id, runningRunId } = deleted;
  const abortedRunIds = await abortQueued(transaction, id, null, 'Its pipeline was deleted before it was started.');
  if (runningRunId !== null) await transaction.run(requestCancel, { id: runningRunId });
  const [at = ''] = await transaction.run(lockMeta, { lock: lockMark() });
  const executed = await writeEdges(transaction, { jobId: id, source: 'EXECUTED', edges: [], at });
  const declared = await writeEdges(transaction, { jobId: id, source: 'DECLARED', edges: [], at });
  await transaction.run(forgetObserved, { jobId: id, outputIds: null });
  if (executed || declared) await transaction.run(raiseRevision, {});
  return { runningRunId, abortedRunIds };
}
