import type { ColumnSchema, DatasetRef } from './dataset.js';
import type { Evidence, Transformation } from './lineage.js';

/** What the graph knows, as it is returned to callers. Ids are opaque: `ds_`, `col_`, `job_`, …; a run's id is its UUID. Times are RFC 3339. */
export type NodeKind = 'DATASET' | 'COLUMN' | 'JOB' | 'RUN';

export interface Dataset extends DatasetRef {
  readonly kind: 'DATASET';
  readonly id: string;
  readonly displayName: string;
  readonly deletedAt: string | null;
  readonly description: string | null;
  readonly owners: readonly string[];
}

export interface Column extends Omit<ColumnSchema, 'type' | 'nullable'> {
  readonly kind: 'COLUMN';
  readonly id: string;
  readonly displayName: string;
  readonly deletedAt: string | null;
  readonly datasetId: string;
  readonly type: string | null;
  readonly nullable: boolean | null;
  readonly description: string | null;
}

/** A job that this platform executes. */
export interface Pipeline {
  readonly kind: 'JOB';
  readonly id: string;
  readonly displayName: string;
  readonly deletedAt: string | null;
  readonly namespace: string;
  readonly name: string;
  readonly description: string | null;
  readonly owners: readonly string[];
  /** The document as it was saved, defaults not filled in. */
  readonly spec: unknown;
  readonly version: number;
}

export interface PipelineVersion {
  readonly version: number;
  readonly spec: unknown;
  readonly createdAt: string;
  readonly createdBy: string | null;
}

export interface DatasetVersion {
  readonly id: string;
  readonly datasetId: string;
  readonly createdAt: string;
  readonly columns: readonly {
    readonly columnId: string;
    readonly name: string;
    readonly type: string | null;
    readonly nullable: boolean | null;
    readonly ordinal: number;
  }[];
  readonly producedByRunId: string | null;
  readonly rowCount: number | null;
}

export interface LineageEdge {
  readonly id: string;
  readonly fromId: string;
  readonly toId: string;
  readonly jobId: string | null;
  readonly transformations: readonly Transformation[];
  readonly evidence: Evidence;
  readonly validFrom: string;
  readonly validTo: string | null;
  readonly lastRunId: string | null;
}

export interface LineageHit {
  readonly nodeId: string;
  readonly depth: number;
}

/** A page of a list ordered by an opaque cursor. */
export interface Page<T> {
  readonly items: readonly { readonly cursor: string; readonly node: T }[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  readonly totalCount: number;
}

/** `first` in 1..1,000. */
export interface PageRequest {
  readonly first: number;
  readonly after: string | null;
}
