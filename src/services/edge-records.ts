import { closeEdges, openEdges, openEdgesOfJob } from '../graph/edges.js';
import { newId } from '../graph/ids.js';
import type { GraphTransaction } from '../graph/transaction.js';
import { batches } from '../lib/batches.js';
import { edgeChanges } from '../lineage/edge-set.js';
import type { EdgeKind, NewJobEdge } from '../model/job-edge.js';
import type { Evidence } from '../model/lineage.js';
import { rowsPerStatement } from './dataset-records.js';

export interface WantedEdges {
  readonly jobId: string;
  readonly source: Evidence;
  /** All that the job shall have of this evidence. */
  readonly edges: readonly NewJobEdge[];
  /** RFC 3339: when those that are gone end and new ones begin. */
  readonly at: string;
}

const kinds: readonly EdgeKind[] = ['FEEDS', 'DERIVES', 'INFLUENCES'];

/**
 * Opens and closes edges so that a job's open edges are the wanted ones. To be called under the lock of Meta.
 *
 * @returns whether anything was changed
 */
export async function writeEdges(transaction: GraphTransaction, { jobId, source, edges, at }: WantedEdges): Promise<boolean> {
  const { opened, closed } = edgeChanges(await transaction.run(openEdgesOfJob, { jobId, source }), edges);
  for (const kind of kinds) {
    const ids = closed.filter((edge) => edge.kind === kind).map(({ id }) => id);
    for (const batch of batches(ids, rowsPerStatement)) await transaction.run(closeEdges[kind], { jobId, ids: batch, at });
    const made = opened.filter((edge) => edge.kind === kind).map(({ kind: _, ...edge }) => ({ ...edge, id: newId('edge') }));
    for (const batch of batches(made, rowsPerStatement)) await transaction.run(openEdges[kind], { jobId, source, edges: batch, at });
  }
  return opened.length + closed.length > 0;
}
