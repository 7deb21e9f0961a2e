/** A dataset as OpenLineage names it: where it is stored, and what it is called there. */
export interface DatasetRef {
  /** e.g. `postgres://localhost:5432` */
  readonly namespace: string;
  /** e.g. `shop.public.orders` (database.schema.table) */
  readonly name: string;
}

/** A column of a dataset as the store describes it. */
export interface ColumnSchema {
  readonly name: string;
  /** The store's own word, e.g. PostgreSQL's `format_type`: `numeric(12,2)`; null when it is not known. */
  readonly type: string | null;
  readonly nullable: boolean | null;
  /** 1 for the first column. */
  readonly ordinal: number;
}

export interface ColumnRef {
  readonly dataset: DatasetRef;
  /** Nested fields as a dotted path. */
  readonly name: string;
}

/** Text form for keys of maps and for messages. */
export function datasetKey({ namespace, name }: DatasetRef): string {
  return `${namespace}/${name}`;
}
