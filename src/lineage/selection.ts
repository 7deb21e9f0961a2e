import type { LineageHit } from '../model/catalogue.js';
import type { Truncation } from '../model/lineage-query.js';

export interface Selection {
  /** Nearest first. */
  readonly hits: readonly LineageHit[];
  readonly totalNodes: number;
  readonly truncated: readonly Truncation[];
}

/** The lesser depth where several walks reached the same node. */
export function nearest(walks: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const depths = new Map<string, number>();
  for (const walk of walks) {
    for (const [id, depth] of walk) depths.set(id, Math.min(depth, depths.get(id) ?? depth));
  }
  return depths;
}

/**
 * The nodes to show of those reached.
 *
 * @param maxDepth  at least 0; null: no bound
 * @param maxNodes  at least 1
 */
export function select(depths: ReadonlyMap<string, number>, maxDepth: number | null, maxNodes: number): Selection {
  const within = [...depths].filter(([, depth]) => maxDepth === null || depth <= maxDepth).map(([nodeId, depth]) => ({ nodeId, depth }));
  within.sort((a, b) => a.depth - b.depth || (a.nodeId < b.nodeId ? -1 : 1));
  const truncated: Truncation[] = [];
  if (within.length > maxNodes) truncated.push('MAX_NODES');
  if (within.length < depths.size) truncated.push('MAX_DEPTH');
  return { hits: within.slice(0, maxNodes), totalNodes: within.length, truncated };
}
