import type { DuckDBConnection } from '@duckdb/node-api';
import { type ColumnSource, compose } from '../../lineage/transformations.js';
import type { Transformation } from '../../model/lineage.js';
import { duckDbMessage } from './duckdb.js';
import { ExpressionProblem, type NamedRead, type ParsedExpression, parseExpression, parseType } from './expression.js';
import { type FunctionCatalogue, isClockWord } from './functions.js';
import { findColumn, type Relation, type RelationColumn, textColumn, valueColumn } from './relation.js';

/** A read that has found its column. */
export interface BoundRead extends NamedRead {
  readonly column: RelationColumn;
}

export interface BoundExpression extends Omit<ParsedExpression, 'reads'> {
  readonly text: string;
  readonly reads: readonly BoundRead[];
  /** DuckDB type of the value. */
  readonly type: string;
}

/** Binds expressions to relations with DuckDB's own binder, over empty tables that have the relations' columns. */
export class Scope {
  constructor(
    private readonly connection: DuckDBConnection,
    private readonly functions: FunctionCatalogue,
  ) {}

  /** Makes the empty table for a relation, so that expressions over it can be bound. */
  async declare(relation: Relation): Promise<void> {
    const columns = relation.columns.flatMap(({ name, type, passedType }) => [
      ...(passedType === null ? [] : [`${textColumn(name)} VARCHAR`]),
      ...(type === null ? [] : [`${valueColumn(name)} ${type}`]),
    ]);
    await this.connection.run(`CREATE TABLE ${valueColumn(relation.name)} (${['_pos BIGINT', ...columns].join(', ')})`);
  }

  /** @throws ExpressionProblem */
  async bind(relation: Relation, text: string): Promise<BoundExpression> {
    const parsed = await parseExpression(this.connection, this.functions, text);
    const reads = parsed.reads.filter(({ path }) => !isClockRead(relation, path)).map((read) => bindRead(relation, read));
    const [only] = reads;
    if (parsed.bare && only && only.path.length === (isQualified(relation, only.path) ? 2 : 1)) return { ...parsed, text, reads, type: only.column.type ?? '' };
    for (const read of reads) assertValue(read.column);
    return { ...parsed, text, reads, bare: false, type: await this.typeOf(relation, parsed.sql) };
  }

  /** @throws ExpressionProblem */
  canonicalType(text: string): Promise<string> {
    return parseType(this.connection, text);
  }

  /**
   * DuckDB type of an expression over a declared relation. It stands in a WHERE too, where DuckDB accepts neither the aggregates
   * nor the unnest that a macro may hide. @throws ExpressionProblem
   */
  async typeOf(relation: Relation, sql: string): Promise<string> {
    try {
      const described = await this.connection.runAndReadAll(`DESCRIBE SELECT ${sql} AS value FROM ${valueColumn(relation.name)} WHERE ${sql} IS NULL`);
      return String(described.getRows()[0]?.[1]);
    } catch (error) {
      throw new ExpressionProblem(`${duckDbMessage(error)}.`.replace(/\.\.$/, '.'));
    }
  }
}

/** What an expression's result is made of, as one more step on the ways of the columns it reads. */
export function sourcesOf(expression: BoundExpression, step: string): ColumnSource[] {
  return expression.reads.flatMap(({ column, role, masking }) => {
    const subtype = role === 'DIRECT' ? 'TRANSFORMATION' : 'CONDITIONAL';
    const next: Transformation = { type: role === 'DIRECT' ? 'DIRECT' : 'INDIRECT', subtype, expression: expression.text, masking, step };
    return column.sources.map(({ from, transformations }) => ({ from, transformations: compose(transformations, next) }));
  });
}

function bindRead(relation: Relation, read: NamedRead): BoundRead {
  const [first = '', second] = read.path;
  const column = findColumn(relation, first) ?? (isQualified(relation, read.path) ? findColumn(relation, second ?? '') : undefined);
  if (column) return { ...read, column };
  throw new ExpressionProblem(`"${relation.name}" has no column "${isQualified(relation, read.path) ? second : first}". It has ${namesOf(relation)}.`);
}

function isClockRead(relation: Relation, path: readonly string[]): boolean {
  const [first = ''] = path;
  return path.length === 1 && isClockWord(first) && !findColumn(relation, first);
}

/** `orders.id`, unless the relation itself has a column `orders`. */
function isQualified(relation: Relation, path: readonly string[]): boolean {
  const [first = ''] = path;
  return path.length > 1 && first.toLowerCase() === relation.name.toLowerCase() && !findColumn(relation, first);
}

function namesOf(relation: Relation): string {
  const names = relation.columns.map(({ name }) => name);
  return names.length > 20 ? `${names.slice(0, 20).join(', ')} and ${names.length - 20} more` : names.join(', ');
}

/** @throws ExpressionProblem when only the column's text is exact */
function assertValue(column: RelationColumn): void {
  if (column.type !== null) return;
  throw new ExpressionProblem(
    `Column "${column.name}" is of type ${column.passedType}, which has no exact form in expressions. It can be passed through as it is, or read by a cast step from its text.`,
  );
}
