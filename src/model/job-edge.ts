import type { EdgeType } from './lineage.js';

/** FEEDS: dataset to dataset. DERIVES: column to column. INFLUENCES: column to dataset. */
export type EdgeKind = 'FEEDS' | 'DERIVES' | 'INFLUENCES';

/** An edge that a job makes between nodes of the graph, before it has an id. Its identity is kind, from and to (with the job and the evidence). */
export interface NewJobEdge {
  readonly kind: EdgeKind;
  readonly fromId: string;
  readonly toId: string;
  /** Dataset that the job writes there. */
  readonly outputId: string;
  /** JSON of transformations. */
  readonly transformations: string;
  /** Types among the transformations, for filters; of a FEEDS edge, those of the column edges beside it. */
  readonly types: readonly EdgeType[];
}

export interface JobEdge extends NewJobEdge {
  readonly id: string;
}
