import type { LineageEdge, LineageHit } from './catalogue.js';
import type { DatasetRef } from './dataset.js';
import type { Direction, EdgeType, Evidence, LineageLevel } from './lineage.js';

export interface JobRef {
  readonly namespace: string;
  readonly name: string;
}

/** `dataset` is the dataset's name in `namespace`. */
export interface ColumnKey {
  readonly namespace: string;
  readonly dataset: string;
  readonly name: string;
}

/** Names one node: exactly one of the fields is given. */
export interface NodeRef {
  readonly id?: string | null | undefined;
  readonly dataset?: DatasetRef | null | undefined;
  readonly column?: ColumnKey | null | undefined;
  readonly job?: JobRef | null | undefined;
  readonly run?: string | null | undefined;
}

/** Filters prune the walk: nothing behind an excluded edge or node is reached through it. The start is never excluded. */
export interface LineageFilter {
  /** null: both. */
  readonly edgeTypes?: readonly EdgeType[] | null | undefined;
  /** null: all but DECLARED. */
  readonly evidence?: readonly Evidence[] | null | undefined;
  /** null: all. */
  readonly namespaces?: readonly string[] | null | undefined;
}

export interface LineageQuery {
  readonly of: readonly NodeRef[];
  readonly direction: Direction;
  readonly level: LineageLevel;
  /** At least 0; null: no bound. */
  readonly maxDepth: number | null;
  /** In 1..200,000. */
  readonly maxNodes: number;
  readonly filter: LineageFilter | null;
}

export type Truncation = 'MAX_NODES' | 'MAX_DEPTH';

export interface LineageAnswer {
  /** Ids of the nodes that the walk started from. */
  readonly start: readonly string[];
  /** RFC 3339, by the graph's clock. */
  readonly asOf: string;
  readonly revision: string;
  /** Nodes within `maxDepth`, start not counted, also those that `maxNodes` left out. */
  readonly totalNodes: number;
  /** Nearest first; the start is not among them. */
  readonly hits: readonly LineageHit[];
  /** Edges between the nodes shown. */
  readonly edges: readonly LineageEdge[];
  /** MAX_NODES: `hits` holds only the nearest. MAX_DEPTH: something lies beyond `maxDepth`. */
  readonly truncated: readonly Truncation[];
  /** Sets of nodes that reach one another, among the nodes shown. */
  readonly cycles: readonly (readonly string[])[];
}
