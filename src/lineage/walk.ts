import type { Direction } from '../model/lineage.js';
import type { WalkNode } from '../model/walk-node.js';

export interface WalkStart {
  readonly id: string;
  /** 0, or 1 for what a job that is the start reads or writes. */
  readonly depth: number;
}

/**
 * Depth of every node that is reached: the least number of lineage edges from a start, the step between a dataset and its
 * columns costing nothing. A 0-1 breadth-first search. A start at depth 0 is not reached, and upstream a dataset is only
 * passed, on the way from a column to what influences it as a whole.
 *
 * @param nodes  what the walk can pass; a node that is missing leads nowhere
 */
export function reachedDepths(nodes: Iterable<WalkNode>, starts: readonly WalkStart[], direction: Exclude<Direction, 'BOTH'>): Map<string, number> {
  const byId = new Map<string, WalkNode>();
  for (const node of nodes) byId.set(node.id, node);
  const depths = searchDepths(byId, starts);
  for (const { id, depth } of starts) if (depth === 0) depths.delete(id);
  if (direction === 'UPSTREAM') for (const id of passedDatasets(byId.values())) depths.delete(id);
  return depths;
}

/** Upstream, the datasets that columns lead to. */
function* passedDatasets(nodes: Iterable<WalkNode>): Iterable<string> {
  for (const node of nodes) yield* node.columns;
}

function searchDepths(nodes: ReadonlyMap<string, WalkNode>, starts: readonly WalkStart[]): Map<string, number> {
  const depths = new Map<string, number>();
  const levels: string[][] = [];
  for (const { id, depth } of starts) levelAt(levels, depth).push(id);
  for (let depth = 0; depth < levels.length; depth += 1) {
    const level = levelAt(levels, depth);
    for (let id = level.pop(); id !== undefined; id = level.pop()) {
      if (depths.has(id)) continue;
      depths.set(id, depth);
      const { columns, edges } = nodes.get(id) ?? { columns: [], edges: [] };
      for (const next of columns) if (!depths.has(next)) level.push(next);
      for (const next of edges) if (!depths.has(next)) levelAt(levels, depth + 1).push(next);
    }
  }
  return depths;
}

function levelAt(levels: string[][], depth: number): string[] {
  while (levels.length <= depth) levels.push([]);
  return levels[depth] as string[];
}
