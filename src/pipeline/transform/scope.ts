import type { DuckDBConnection } from '@duckdb/node-api';
import { duckDbMessage } from '../../lib/duckdb-text.js';
import { type ColumnSource, compose } from '../../lineage/transformations.js';
import type { InfluenceEdge, Transformation, TransformationSubtype } from '../../model/lineage.js';
import { type ParsedExpression, parseExpression, type Vocabulary } from './expression.js';
import { ExpressionProblem } from './expression-problem.js';
import { type Names, namesOf } from './names.js';
import { parseType } from './parse-type.js';
import type { Grammar, NamedRead } from './reads.js';
import { hasText, type Relation, type RelationColumn, textColumn, valueColumn } from './relation.js';
import { type Tree, toSql, treeKey } from './syntax-tree.js';

/** A read that has found its column. */
export interface BoundRead extends NamedRead {
  readonly column: RelationColumn;
  /** Place of its relation: 1 for the right side of a join, else 0. */
  readonly side: number;
}

export interface BoundExpression extends Omit<ParsedExpression, 'reads'> {
  readonly text: string;
  readonly reads: readonly BoundRead[];
  /** DuckDB type of the value. */
  readonly type: string;
}

/** What an expression may be, if it is more than the values of one row. */
export interface Setting {
  readonly kind: Grammar['kind'];
  /** Expressions that are grouped by. */
  readonly groups?: readonly BoundExpression[];
}

/** Binds expressions to relations with DuckDB's own binder, over empty tables that have the relations' columns. */
export class Scope {
  constructor(
    private readonly connection: DuckDBConnection,
    private readonly vocabulary: Vocabulary,
  ) {}

  /** Makes the empty table for a relation, so that expressions over it can be bound. */
  async declare(relation: Relation): Promise<void> {
    const columns = relation.columns.flatMap((column) => [
      ...(hasText(column) ? [`${textColumn(column.name)} VARCHAR`] : []),
      ...(column.type === null ? [] : [`${valueColumn(column.name)} ${column.type}`]),
    ]);
    await this.connection.run(`CREATE TABLE ${valueColumn(relation.name)} (${['_pos BIGINT', ...columns].join(', ')})`);
  }

  bind(relation: Relation, text: string): Promise<BoundExpression> {
    return this.bindTo(namesOf(relation), text);
  }

  /** @throws ExpressionProblem */
  async bindTo(names: Names, text: string, setting: Setting = { kind: 'row' }): Promise<BoundExpression> {
    const columnKey = (path: readonly string[]) => names.key(path);
    const groups = new Set(setting.groups?.map(({ tree }) => treeKey(tree, columnKey)));
    const parsed = await parseExpression(this.connection, this.vocabulary, { kind: setting.kind, groups, columnKey }, text);
    const reads = parsed.reads.filter(({ path }) => !names.isClock(path)).map((read) => ({ ...read, ...names.resolve(read.path) }));
    const outside = reads.find(({ ungrouped }) => ungrouped);
    if (outside) throw new ExpressionProblem(`"${outside.column.name}" is read outside an aggregate. Aggregate it, or list it in groupBy.`);
    const [only] = reads;
    if (parsed.bare && only && only.path.length === (only.qualified ? 2 : 1)) return { ...parsed, text, reads, type: only.column.type ?? '' };
    for (const read of reads) assertValue(read.column);
    return { ...parsed, text, reads, bare: false, type: await this.typeOf(names, parsed.sql, clauseFor(parsed, setting)) };
  }

  /** @throws ExpressionProblem */
  canonicalType(text: string): Promise<string> {
    return parseType(this.connection, text);
  }

  /**
   * DuckDB type of an expression over declared relations. It stands in a second clause too, where DuckDB accepts neither the unnest
   * nor (in WHERE) the aggregates that a macro may hide. @throws ExpressionProblem
   */
  async typeOf(names: Names, sql: string, clause = 'WHERE'): Promise<string> {
    try {
      const described = await this.connection.runAndReadAll(`DESCRIBE SELECT ${sql} AS value FROM ${names.from} ${clause} ${sql} IS NULL`);
      return String(described.getRows()[0]?.[1]);
    } catch (error) {
      throw new ExpressionProblem(`${duckDbMessage(error)}.`.replace(/\.\.$/, '.'));
    }
  }

  /** The type in which DuckDB compares values of these two. */
  async commonType(one: string, other: string): Promise<string> {
    const described = await this.connection.runAndReadAll(`DESCRIBE SELECT CASE WHEN true THEN CAST(NULL AS ${one}) ELSE CAST(NULL AS ${other}) END AS value`);
    return String(described.getRows()[0]?.[1]);
  }

  /** Parts of expressions, to be computed over one of their relations alone. */
  toSql(names: Names, trees: readonly Tree[]): Promise<string[]> {
    return toSql(
      this.connection,
      trees.map((tree) => names.unqualified(tree)),
    );
  }
}

function clauseFor({ windows }: ParsedExpression, { kind, groups = [] }: Setting): string {
  if (kind === 'aggregate') return `${groupClause(groups)} HAVING`;
  return windows.length > 0 ? 'QUALIFY' : 'WHERE';
}

export function groupClause(groups: readonly BoundExpression[]): string {
  return groups.length === 0 ? '' : `GROUP BY ${groups.map(({ sql }) => sql).join(', ')}`;
}

/** What an expression's result is made of, as one more step on the ways of the columns it reads. */
export function sourcesOf(expression: BoundExpression, step: string): ColumnSource[] {
  return expression.reads.flatMap(({ column, subtype, masking }) => {
    const type = subtype === 'TRANSFORMATION' || subtype === 'AGGREGATION' ? 'DIRECT' : 'INDIRECT';
    const next: Transformation = { type, subtype, expression: expression.text, masking, step };
    return column.sources.map(({ from, transformations }) => ({ from, transformations: compose(transformations, next) }));
  });
}

/** Columns that decide which rows there are, as edges from the input columns they are made of. */
export function influencesOf(
  reads: readonly Pick<BoundRead, 'column' | 'masking'>[],
  subtype: TransformationSubtype,
  expression: string | null,
  step: string,
): InfluenceEdge[] {
  return reads.flatMap(({ column, masking }) => {
    const transformation: Transformation = { type: 'INDIRECT', subtype, expression, masking, step };
    return column.sources.map(({ from }) => ({ from, transformations: [transformation] }));
  });
}

/** @throws ExpressionProblem when only the column's text is exact */
export function assertValue(column: RelationColumn): void {
  if (column.type !== null) return;
  throw new ExpressionProblem(
    `Column "${column.name}" is of type ${column.passedType}, which has no exact form in expressions. It can be passed through as it is, or read by a cast step from its text.`,
  );
}
