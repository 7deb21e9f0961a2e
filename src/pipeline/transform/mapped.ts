import { mergeSources } from '../../lineage/transformations.js';
import type { SpecIssue } from '../../model/errors.js';
import { formatPath } from '../spec/problems.js';
import type { RowColumn } from './compiled.js';
import { ExpressionProblem } from './expression-problem.js';
import type { Names } from './names.js';
import { type Needs, type RelationColumn, valueColumn } from './relation.js';
import { type BoundExpression, type Scope, type Setting, sourcesOf } from './scope.js';

/** A column of a result, made by an expression. */
export interface Mapped {
  readonly column: RelationColumn;
  readonly expression: BoundExpression;
  /** The column of a bare name. */
  readonly passed: RelationColumn | null;
}

/** Binds the listed columns; what is wrong with one is an issue at its place. */
export async function bindColumns(
  columns: Readonly<Record<string, string>>,
  { scope, names, setting, step, path, place }: ColumnContext,
): Promise<{ readonly mapped: Mapped[]; readonly issues: SpecIssue[] }> {
  const mapped: Mapped[] = [];
  const issues: SpecIssue[] = [];
  for (const [name, text] of Object.entries(columns)) {
    try {
      if (mapped.some(({ column }) => column.name.toLowerCase() === name.toLowerCase()))
        throw new ExpressionProblem('Another column has this name. Names count without upper and lower case.');
      mapped.push(toMapped(name, await scope.bindTo(names, text, setting), step));
    } catch (error) {
      if (!(error instanceof ExpressionProblem)) throw error;
      issues.push({ path: formatPath([...place, name], path), message: error.message });
    }
  }
  return { mapped, issues };
}

export interface ColumnContext {
  readonly scope: Scope;
  readonly names: Names;
  readonly setting: Setting;
  readonly step: string;
  /** Of the step, e.g. `steps[2]`. */
  readonly path: string;
  /** Below it, e.g. `map`, `columns`. */
  readonly place: readonly string[];
}

function toMapped(name: string, expression: BoundExpression, step: string): Mapped {
  const passed = expression.bare ? (expression.reads[0]?.column ?? null) : null;
  if (passed) return { column: { ...passed, name }, expression, passed };
  return { column: { name, type: expression.type, passedType: null, sources: mergeSources(sourcesOf(expression, step)) }, expression, passed };
}

/** A computed column is computed whether it is read or not: a value that cannot be computed must not pass unseen. */
export function needMapped(mapped: readonly Mapped[], own: Needs, sources: readonly Needs[]): void {
  for (const { column, expression, passed } of mapped) {
    const [read] = expression.reads;
    if (passed && read) own.handOn(column, sources[read.side] as Needs, passed);
    else for (const each of expression.reads) sources[each.side]?.value(each.column);
  }
}

/** Items of a select list. `names` with more than one side: handed-on columns are named with theirs. */
export function mappedItems(mapped: readonly Mapped[], own: Needs, names: Names): string[] {
  return mapped.flatMap(({ column, expression, passed }) => {
    if (!passed) return [`${expression.sql} AS ${valueColumn(column.name)}`];
    const side = names.sides.length > 1 ? names.sides[expression.reads[0]?.side ?? 0] : undefined;
    return own.select(column, passed.name, side?.alias);
  });
}

/** Those that can be computed from a row of one source alone. */
export function rowColumns(mapped: readonly Mapped[], source: number): RowColumn[] {
  return mapped
    .filter(({ expression: { reads, windows, aggregates } }) => windows.length + aggregates.length === 0 && reads.every(({ side }) => side === source))
    .map(({ column, expression, passed }) => ({ name: column.name, sql: expression.sql, reads: expression.reads.map((read) => read.column), passed }));
}

/** What can be computed again on its own, so that a failing value can be found: an aggregate would be that of all rows. */
export function locatable(mapped: readonly Mapped[]): { column: string | null; sql: string }[] {
  return mapped
    .filter(({ passed, expression: { aggregates } }) => !passed && aggregates.length === 0)
    .map(({ column, expression }) => ({ column: column.name, sql: expression.sql }));
}
