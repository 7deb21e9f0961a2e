import { quoteIdentifier } from '../../lib/duckdb-text.js';
import type { ColumnSource } from '../../lineage/transformations.js';
import type { InfluenceEdge } from '../../model/lineage.js';

/**
 * A column of an input or of a step's result. In DuckDB it is up to two columns: the value under its own name, when `type`
 * is not null, and for a column passed through from an input its text, under `_text:` and its name.
 */
export interface RelationColumn {
  readonly name: string;
  /** DuckDB type of the value; null: there is no exact one, only the text. */
  readonly type: string | null;
  /** The store's type of a column passed through; null: computed, so that there is no text. */
  readonly passedType: string | null;
  /** Kind of the store it was passed through from. */
  readonly passedKind?: string;
  /** Its text means the same to every kind of store. */
  readonly portable?: boolean;
  /** Text and value are the same, so that only the value is kept. */
  readonly plain?: boolean;
  readonly sources: readonly ColumnSource[];
}

export interface Relation {
  readonly name: string;
  /** Aliases of the inputs its rows come from. */
  readonly inputs: readonly string[];
  readonly columns: readonly RelationColumn[];
  /** Input columns that decide which of its rows there are. */
  readonly influences: readonly InfluenceEdge[];
}

/** DuckDB ignores case in names, and so does this. */
export function findColumn(relation: Relation, name: string): RelationColumn | undefined {
  return relation.columns.find((column) => column.name.toLowerCase() === name.toLowerCase());
}

/** True for a column that has its text beside the value. */
export function hasText({ passedType, plain }: RelationColumn): boolean {
  return passedType !== null && plain !== true;
}

export function valueColumn(name: string): string {
  return quoteIdentifier(name);
}

export function textColumn(name: string): string {
  return quoteIdentifier(`_text:${name}`);
}

/** Which of a relation's DuckDB columns something behind it reads. */
export class Needs {
  readonly values = new Set<string>();
  readonly texts = new Set<string>();

  value(column: RelationColumn): void {
    this.values.add(column.name);
  }

  /** The text where there is one, else the value: what a column that is only handed on needs. */
  whole(column: RelationColumn): void {
    (hasText(column) ? this.texts : this.values).add(column.name);
  }

  /** Everything that the others need as well. */
  add({ values, texts }: Needs): void {
    for (const name of values) this.values.add(name);
    for (const name of texts) this.texts.add(name);
  }

  has(column: RelationColumn): boolean {
    return this.values.has(column.name) || this.texts.has(column.name);
  }

  /** The same column, as another relation needs it. */
  handOn(column: RelationColumn, to: Needs, as: RelationColumn): void {
    if (this.values.has(column.name)) to.values.add(as.name);
    if (this.texts.has(column.name)) to.texts.add(as.name);
  }

  /** Select-list items for a column that is handed on under `name` from the column `from`, of the source `alias` where there are several. */
  select({ name }: Pick<RelationColumn, 'name'>, from: string, alias: string | null = null): string[] {
    const side = alias === null ? '' : `${quoteIdentifier(alias)}.`;
    const items: string[] = [];
    if (this.texts.has(name)) items.push(`${side}${textColumn(from)} AS ${textColumn(name)}`);
    if (this.values.has(name)) items.push(`${side}${valueColumn(from)} AS ${valueColumn(name)}`);
    return items;
  }
}
