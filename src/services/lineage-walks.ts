import { columnClosure, datasetClosure, type WalkFilter } from '../graph/lineage.js';
import type { GraphTransaction } from '../graph/transaction.js';
import { nearest } from '../lineage/selection.js';
import { reachedDepths, type WalkNode } from '../lineage/walk.js';
import type { OneDirection, Starts } from './lineage-starts.js';

/** What one walk found. */
export interface Walk {
  /** Depth of every node reached, starts left out. */
  readonly depths: ReadonlyMap<string, number>;
  /** Pairs of a dataset and a column of it that the walk can pass. */
  readonly hasColumn: readonly (readonly [datasetId: string, columnId: string])[];
}

/** Depths count datasets. */
export async function walkDatasets(transaction: GraphTransaction, starts: Starts, direction: OneDirection, filter: WalkFilter): Promise<Walk> {
  const begin = starts.walk[direction];
  const walks: Map<string, number>[] = [new Map(begin.map(({ id, depth }) => [id, depth]))];
  for (const offset of [0, 1]) {
    const startIds = begin.filter(({ depth }) => depth === offset).map(({ id }) => id);
    if (startIds.length === 0) continue;
    const reached = await transaction.run(datasetClosure[direction], { startIds, ...filter });
    walks.push(new Map(reached.map(({ id, depth }) => [id, depth + offset])));
  }
  const depths = nearest(walks);
  for (const { id, depth } of begin) if (depth === 0) depths.delete(id);
  return { depths, hasColumn: [] };
}

/** Depths count column edges. Nodes up to `maxDepth` + 1 are found, so that it is known whether something lies beyond. */
export async function walkColumns(
  transaction: GraphTransaction,
  starts: Starts,
  direction: OneDirection,
  filter: WalkFilter,
  maxDepth: number | null,
): Promise<Walk> {
  const begin = starts.walk[direction];
  const oneWalkPerDataset = direction === 'DOWNSTREAM' && filter.namespaces === null;
  const startIds = begin.map(({ id }) => id).filter((id) => !(oneWalkPerDataset && starts.behindDataset.has(id)));
  if (startIds.length === 0) return { depths: new Map(), hasColumn: [] };
  // Every edge can have a free step beside it, and a walk from a dataset begins with one.
  const maxHops = maxDepth === null ? null : 2 * (maxDepth + 1) + 1;
  const nodes = await transaction.run(columnClosure[direction], { startIds, ...filter, maxHops });
  return { depths: reachedDepths(nodes, begin, direction), hasColumn: nodes.flatMap((node) => pairs(node, direction)) };
}

function pairs({ id, columns }: WalkNode, direction: OneDirection): [string, string][] {
  return columns.map((other) => (direction === 'DOWNSTREAM' ? [id, other] : [other, id]));
}
