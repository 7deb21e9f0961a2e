import { quoteIdentifier } from '../../lib/duckdb-text.js';
import { mergeInfluences } from '../../lineage/transformations.js';
import type { FilterStep } from '../../model/pipeline-spec.js';
import { type BindResult, passedColumns } from './compiled.js';
import { ExpressionProblem } from './expression-problem.js';
import type { Needs, Relation } from './relation.js';
import { type BoundExpression, influencesOf, type Scope } from './scope.js';

/** Keeps the rows for which `where` is true. Every output column is the input column; the columns `where` reads decide which rows there are. */
export async function bindFilter({ id, filter }: FilterStep, input: Relation, scope: Scope, path: string): Promise<BindResult> {
  try {
    const where = await scope.bind(input, filter.where);
    if (where.type !== 'BOOLEAN')
      throw new ExpressionProblem(`A filter is true or false; this expression is ${where.type === '' ? 'a column without an exact type' : where.type}.`);
    const relation = { ...input, name: id, influences: mergeInfluences([...input.influences, ...influencesOf(where.reads, 'FILTER', where.text, id)]) };
    return {
      step: {
        relation,
        sources: [input],
        isBlocking: false,
        rows: { covers: [0], where: where.sql, alias: () => input.name, columns: () => passedColumns(input) },
        need: (own, [needs]) => needs && need(input, where, own, needs),
        emit: (own) => emit(id, input, where, own),
      },
    };
  } catch (error) {
    if (!(error instanceof ExpressionProblem)) throw error;
    return { issues: [{ path: `${path}.filter.where`, message: error.message }] };
  }
}

function need(input: Relation, where: BoundExpression, own: Needs, needs: Needs): void {
  for (const column of input.columns) own.handOn(column, needs, column);
  for (const read of where.reads) needs.value(read.column);
}

function emit(id: string, input: Relation, where: BoundExpression, own: Needs) {
  const items = ['_pos', ...input.columns.flatMap((column) => own.select(column, column.name))];
  return {
    id,
    kind: 'filter' as const,
    from: [input.name],
    blocking: null,
    selects: [`SELECT ${items.join(', ')} FROM ${quoteIdentifier(input.name)} WHERE ${where.sql} IS TRUE`],
    rejects: null,
    expressions: [{ column: null, sql: where.sql }],
  };
}
