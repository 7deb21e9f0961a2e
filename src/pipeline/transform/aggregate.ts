import { quoteIdentifier } from '../../lib/duckdb-text.js';
import { mergeInfluences } from '../../lineage/transformations.js';
import type { AggregateStep } from '../../model/pipeline-spec.js';
import { formatPath } from '../spec/problems.js';
import type { BindResult } from './compiled.js';
import { ExpressionProblem } from './expression-problem.js';
import { bindColumns, locatable, type Mapped, rowColumns } from './mapped.js';
import { namesOf } from './names.js';
import { type Needs, type Relation, valueColumn } from './relation.js';
import { assertValue, groupClause, influencesOf, type Scope } from './scope.js';
import { isCollated, readsColumn } from './syntax-tree.js';

/** One row for each group: the columns it is grouped by, then the aggregates. All of them are computed values. */
export async function bindAggregate({ id, aggregate }: AggregateStep, input: Relation, scope: Scope, path: string): Promise<BindResult> {
  const context = { scope, names: namesOf(input), step: id, path };
  const grouped = await bindColumns(aggregate.groupBy, { ...context, setting: { kind: 'row' }, place: ['aggregate', 'groupBy'] });
  const groups = grouped.mapped.map(({ expression }) => expression);
  const refused = [...grouped.issues, ...unfitGroups(grouped.mapped, path)];
  if (refused.length > 0) return { issues: refused };
  const columns = await bindColumns(aggregate.columns, { ...context, setting: { kind: 'aggregate', groups }, place: ['aggregate', 'columns'] });
  const issues = [...columns.issues, ...repeated(grouped.mapped, columns.mapped, path)];
  if (issues.length > 0) return { issues };
  const all = [...grouped.mapped, ...columns.mapped].map(computed);
  const influences = groups.flatMap(({ reads, text }) => influencesOf(reads, 'GROUP_BY', text, id));
  return {
    step: {
      relation: { name: id, inputs: input.inputs, columns: all.map(({ column }) => column), influences: mergeInfluences([...input.influences, ...influences]) },
      sources: [input],
      isBlocking: true,
      rows: { covers: [0], where: null, alias: () => input.name, columns: () => rowColumns(grouped.mapped.map(computed), 0) },
      need: (_, [needs]) => needs && need(all, needs),
      emit: () => ({
        id,
        kind: 'aggregate',
        from: [input.name],
        selects: [select(input, all, groupClause(groups))],
        blocking: { partitionBy: [groups.map(({ sql }) => sql)], streamsLeft: false, renumbers: false },
        rejects: null,
        expressions: locatable(all),
      }),
    },
  };
}

/** A column that is grouped by is the value of a group, not the text of a row. */
function computed({ column, expression }: Mapped): Mapped {
  const { name, type, sources } = column;
  return { column: { name, type, passedType: null, sources }, expression, passed: null };
}

function unfitGroups(groups: readonly Mapped[], path: string) {
  return groups.flatMap(({ column, passed, expression: { tree } }) => {
    try {
      if (passed) assertValue(passed);
      if (!readsColumn(tree)) throw new ExpressionProblem('A group reads a column. Put a constant into a map step behind this one.');
      if (isCollated(tree)) throw new ExpressionProblem('Groups cannot have COLLATE. Write lower(x) instead of x COLLATE NOCASE.');
      return [];
    } catch (error) {
      if (!(error instanceof ExpressionProblem)) throw error;
      return [{ path: formatPath(['aggregate', 'groupBy', column.name], path), message: error.message }];
    }
  });
}

function repeated(groups: readonly Mapped[], columns: readonly Mapped[], path: string) {
  const taken = new Set(groups.map(({ column }) => column.name.toLowerCase()));
  return columns
    .filter(({ column }) => taken.has(column.name.toLowerCase()))
    .map(({ column }) => ({
      path: formatPath(['aggregate', 'columns', column.name], path),
      message: `"${column.name}" is the name of a column that is grouped by. Names count without upper and lower case.`,
    }));
}

function need(all: readonly Mapped[], needs: Needs): void {
  for (const { expression } of all) for (const { column } of expression.reads) needs.value(column);
}

/** Position of a group is that of its first row; of no row, the one group there is without `groupBy` has position 1. */
function select(input: Relation, all: readonly Mapped[], clause: string): string {
  const items = all.map(({ column, expression }) => `${expression.sql} AS ${valueColumn(column.name)}`);
  return `SELECT ${['coalesce(min(_pos), 1) AS _pos', ...items].join(', ')} FROM ${quoteIdentifier(input.name)} ${clause}`;
}
