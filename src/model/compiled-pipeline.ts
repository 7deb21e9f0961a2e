import type { LoadColumn, ReadConversion } from './connector.js';
import type { ColumnRef, ColumnSchema, DatasetRef } from './dataset.js';
import type { OutputLineage } from './lineage.js';
import type { IncrementalSpec, LoadSpec } from './pipeline-spec.js';

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
  readonly incremental: IncrementalSpec | null;
  readonly recomputeBy: readonly string[];
  /** The whole schema found, in table order. */
  readonly schema: readonly ColumnSchema[];
  /** What is read: the columns that some output, filter or cast needs, in table order. */
  readonly columns: readonly CompiledInputColumn[];
  /** Rows that go to the dead letters before any step sees them, over the texts of `columns`; null: none. */
  readonly rejects: CompiledInputRejects | null;
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

export type StepKind = 'map' | 'filter' | 'cast' | 'union' | 'join' | 'aggregate' | 'dedupe';

export interface CompiledStep {
  readonly id: string;
  readonly kind: StepKind;
  /** The relations it reads: one; two for a join (left, right); any number for a union. */
  readonly from: readonly string[];
  /**
   * A SELECT over the relations named by `from`, `_pos` its first column. A union has one for each of `from`, to be put together
   * by UNION ALL (those whose source is there); every other step has one.
   */
  readonly selects: readonly string[];
  /** null: row by row, so that any part of the rows may be given to it at a time. */
  readonly blocking: CompiledBlocking | null;
  /** For a cast that rejects: rows of `from` that cannot be cast. null: every row that is not filtered goes on. */
  readonly rejects: CompiledRejects | null;
  /** What is computed, one by one, so that a failing value can be found: column name and expression over `from`. */
  readonly expressions: readonly { readonly column: string | null; readonly sql: string }[];
}

/** A step that must see together the rows that belong together. */
export interface CompiledBlocking {
  /**
   * For each of `from`, expressions over that relation: rows with equal values belong together, and rows of two sides
   * have equal values in equal places. Empty lists: everything belongs together.
   */
  readonly partitionBy: readonly (readonly string[])[];
  /** A join that may be given any part of the left side while the whole right side is there. */
  readonly streamsLeft: boolean;
  /** Its `_pos` counts from 1 within each part, so that an offset must be added. */
  readonly renumbers: boolean;
}

/** SQL that tells which rows are refused and what is kept of them. */
export interface CompiledCondition {
  /** True for a row that goes to the dead letters. */
  readonly conditionSql: string;
  /** VARCHAR: a sentence that names the columns at fault. */
  readonly messageSql: string;
  /** JSON object of the row as it came: for each of `columns` a text or null. */
  readonly rowSql: string;
}

/** Of the rows of an input. `kept` false: they are left out without a letter. */
export interface CompiledInputRejects extends CompiledCondition {
  readonly kept: boolean;
}

export interface CompiledRejects extends CompiledCondition {
  readonly columns: readonly CompiledRejectsColumn[];
}

/** A column of the relation that a rejecting step reads, so far as it goes on to the step's result. */
export interface CompiledRejectsColumn {
  readonly name: string;
  /** DuckDB type of the value; null: there is only the text. */
  readonly type: string | null;
  /** Some expression reads its value. */
  readonly value: boolean;
  /** Its text is handed on. */
  readonly text: boolean;
  /** The input column whose text it has; null: it is computed, and its text is that of the value. */
  readonly passedFrom: ColumnRef | null;
}

export interface CompiledOutput {
  readonly from: string;
  /** Aliases of the inputs its rows come from. */
  readonly inputs: readonly string[];
  readonly connection: string;
  readonly stream: string;
  readonly dataset: DatasetRef;
  /** Schema of the table that was found, in table order; null: it is made at the commit. */
  readonly existing: readonly ColumnSchema[] | null;
  readonly load: LoadSpec;
  /** In the order of the relation; `sql` is the text form that is loaded, an expression over `from`. */
  readonly columns: readonly (LoadColumn & { readonly sql: string })[];
  /** Rows that a run has read and that do not stand in its result any more: what is deleted by them. Empty unless it reads increments. */
  readonly erases: readonly CompiledErase[];
  readonly lineage: OutputLineage;
}

/** Names rows to delete, unless the result of the same run has them. */
export interface CompiledErase {
  /** Relation whose parts it is run over. */
  readonly from: string;
  /** A SELECT over it: `_pos`, then the load key (and `orderBy`, when it can be computed) as text forms. */
  readonly sql: string;
  /** Names of its columns behind `_pos`. */
  readonly columns: readonly string[];
}
