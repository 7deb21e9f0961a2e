import type { Run } from '../model/run.js';
import type { RunNode } from '../services/nodes.js';

/** A run as a thing that lineage passes through; its display name is loaded when it is asked for. */
export function runNode(run: Run): Omit<RunNode, 'displayName'> {
  return { ...run, kind: 'RUN', deletedAt: null };
}
