import type { ColumnRef, DatasetRef } from './dataset.js';

/** OpenLineage columnLineage transformation types. */
export type EdgeType = 'DIRECT' | 'INDIRECT';
export type TransformationSubtype = 'IDENTITY' | 'TRANSFORMATION' | 'AGGREGATION' | 'CONDITIONAL' | 'WINDOW' | 'FILTER' | 'JOIN' | 'GROUP_BY' | 'SORT';

/** How we know. EXECUTED by this platform, DECLARED by a saved pipeline. */
export type Evidence = 'EXECUTED' | 'DECLARED';

export interface Transformation {
  readonly type: EdgeType;
  readonly subtype: TransformationSubtype;
  /** The expression as it was written; null where there is none (a column passed through). */
  readonly expression: string | null;
  readonly masking: boolean;
  readonly step: string | null;
}

/** `to` is a column of the output dataset, by name. */
export interface ColumnEdge {
  readonly from: ColumnRef;
  readonly to: string;
  readonly transformations: readonly Transformation[];
}

/** A column that decides which rows the output has, or their order or grouping. Once per output dataset. */
export interface InfluenceEdge {
  readonly from: ColumnRef;
  readonly transformations: readonly Transformation[];
}

/** Everything that one output of a pipeline depends on: its edge set. */
export interface OutputLineage {
  readonly output: DatasetRef;
  readonly inputs: readonly DatasetRef[];
  readonly columns: readonly ColumnEdge[];
  readonly influences: readonly InfluenceEdge[];
}

export type Direction = 'UPSTREAM' | 'DOWNSTREAM' | 'BOTH';
export type LineageLevel = 'DATASET' | 'COLUMN';
