import { columnClosure, columnSteps, datasetClosure, type WalkFilter } from '../graph/lineage.js';
import type { GraphTransaction } from '../graph/transaction.js';
import { nearest } from '../lineage/selection.js';
import { reachedDepths, type WalkStart } from '../lineage/walk.js';
import type { WalkNode } from '../model/walk-node.js';
import type { OneDirection, Starts } from './lineage-starts.js';

/** With more starts than this, walks from each of them would pass the same columns too often. */
const mostWalks = 2;

/** What one walk found. */
export interface Walk {
  /** Depth of every node reached, starts left out. */
  readonly depths: ReadonlyMap<string, number>;
  /** Pairs of a dataset and a column of it that the walk can pass. */
  readonly hasColumn: readonly (readonly [datasetId: string, columnId: string])[];
  /** True when it passes datasets that it does not reach: upstream. */
  readonly passes: boolean;
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
  return { depths, hasColumn: [], passes: false };
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
  if (begin.length === 0) return { depths: new Map(), hasColumn: [], passes: false };
  const find =
    begin.length > mostWalks
      ? stepsBehindDatasets(transaction, starts.datasetIds[direction], direction, filter)
      : stepsBehind(transaction, begin, direction, filter, maxDepth);
  const nodes = await find;
  return {
    depths: reachedDepths(nodes, begin, direction),
    hasColumn: nodes.flatMap((node) => pairs(node, direction)),
    passes: direction === 'UPSTREAM',
  };
}

/** One walk from each start. */
function stepsBehind(
  transaction: GraphTransaction,
  begin: readonly WalkStart[],
  direction: OneDirection,
  filter: WalkFilter,
  maxDepth: number | null,
): Promise<WalkNode[]> {
  // Every edge can have a free step beside it, and a walk from a dataset begins with one.
  const maxHops = maxDepth === null ? null : 2 * (maxDepth + 1) + 1;
  return transaction.run(columnClosure[direction], { startIds: begin.map(({ id }) => id), ...filter, maxHops });
}

/** One walk over datasets, which holds every column edge there can be: beside each stands a FEEDS edge. */
async function stepsBehindDatasets(
  transaction: GraphTransaction,
  startIds: readonly string[],
  direction: OneDirection,
  filter: WalkFilter,
): Promise<WalkNode[]> {
  const reached = await transaction.run(datasetClosure[direction], { startIds, ...filter, edgeTypes: null });
  return transaction.run(columnSteps[direction], { datasetIds: [...startIds, ...reached.map(({ id }) => id)], ...filter });
}

function pairs({ id, columns }: WalkNode, direction: OneDirection): [string, string][] {
  return columns.map((other) => (direction === 'DOWNSTREAM' ? [id, other] : [other, id]));
}
