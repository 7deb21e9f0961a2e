import type { CompiledStep } from '../../model/compiled-pipeline.js';
import type { SpecIssue } from '../../model/errors.js';
import type { Needs, Relation, RelationColumn } from './relation.js';

/** A column of a step's result that is made from one row of one source. */
export interface RowColumn {
  readonly name: string;
  /** Over the source under its alias. */
  readonly sql: string;
  readonly reads: readonly RelationColumn[];
  /** The source's column that is handed on as it is. */
  readonly passed: RelationColumn | null;
}

/** How the rows of a result hang together with those of the sources. */
export interface RowOrigin {
  /** each: a row comes from one row of one of the sources. Places: every row comes from rows of all of these. */
  readonly covers: 'each' | readonly number[];
  /** Condition of the rows that are kept; null: no row is dropped on purpose. */
  readonly where: string | null;
  /** What expressions call a source. */
  alias(source: number): string;
  columns(source: number): readonly RowColumn[];
}

/** A step that is bound. Its SQL is made last, when it is known what is read of its result. */
export interface BoundStep {
  readonly relation: Relation;
  readonly sources: readonly Relation[];
  readonly rows: RowOrigin;
  /** It must see several rows together. */
  readonly isBlocking: boolean;
  /** Adds to `sources` what this step reads of each source when `own` is read of its result. */
  need(own: Needs, sources: readonly Needs[]): void;
  emit(own: Needs, sources: readonly Needs[]): CompiledStep;
}

export type BindResult = { readonly step: BoundStep } | { readonly issues: readonly SpecIssue[] };

/** The columns of a source as they are. */
export function passedColumns({ columns }: Relation): RowColumn[] {
  return columns.map((column) => ({ name: column.name, sql: '', reads: [column], passed: column }));
}
