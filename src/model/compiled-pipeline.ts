import type { LoadColumn, ReadConversion } from './connector.js';
import type { ColumnSchema, DatasetRef } from './dataset.js';
import type { OutputLineage } from './lineage.js';
import type { LoadSpec } from './pipeline-spec.js';

/** A pipeline bound to the schemas found: plain data, safe to send to another process. */
export interface CompiledPipeline {
  readonly inputs: readonly CompiledInput[];
  /** In an order in which every step stands behind the one it reads. */
  readonly steps: readonly CompiledStep[];
  readonly outputs: readonly CompiledOutput[];
}

export interface CompiledInput {
  readonly alias: string;
  readonly connection: string;
  readonly stream: string;
  readonly dataset: DatasetRef;
  /** The whole schema found, in table order. */
  readonly schema: readonly ColumnSchema[];
  /** What is read: the columns that some output, filter or cast needs, in table order. */
  readonly columns: readonly CompiledInputColumn[];
}

export interface CompiledInputColumn {
  readonly name: string;
  readonly storeType: string;
  /** Some expression reads its value. */
  readonly value: boolean;
  /** It is handed on as it is, or cast from its text. */
  readonly text: boolean;
  readonly read: ReadConversion | null;
}

export interface CompiledStep {
  readonly id: string;
  readonly kind: 'map' | 'filter' | 'cast';
  readonly from: string;
  /** A SELECT over the relation named by `from`; `_pos` is its first column. */
  readonly sql: string;
  /** For a cast that rejects: rows of `from` that cannot be cast. null: every row that is not filtered goes on. */
  readonly rejects: CompiledRejects | null;
  /** What is computed, one by one, so that a failing value can be found: column name and expression over `from`. */
  readonly expressions: readonly { readonly column: string | null; readonly sql: string }[];
}

export interface CompiledRejects {
  /** True for a row that goes to the dead letters. */
  readonly conditionSql: string;
  /** VARCHAR: a sentence that names the columns at fault. */
  readonly messageSql: string;
  /** JSON object of the row as it came into the step. */
  readonly rowSql: string;
}

export interface CompiledOutput {
  readonly from: string;
  /** Alias of the input its rows come from. */
  readonly input: string;
  readonly connection: string;
  readonly stream: string;
  readonly dataset: DatasetRef;
  /** Schema of the table that was found, in table order; null: it is made at the commit. */
  readonly existing: readonly ColumnSchema[] | null;
  readonly load: LoadSpec;
  /** In the order of the relation; `sql` is the text form that is loaded, an expression over `from`. */
  readonly columns: readonly (LoadColumn & { readonly sql: string })[];
  readonly lineage: OutputLineage;
}
