import { mergeInfluences } from '../../lineage/transformations.js';
import type { Transformation } from '../../model/lineage.js';
import type { FilterStep } from '../../model/pipeline-spec.js';
import type { BindResult } from './compiled.js';
import { quoteIdentifier } from './duckdb.js';
import { ExpressionProblem } from './expression.js';
import type { Needs, Relation } from './relation.js';
import type { BoundExpression, Scope } from './scope.js';

/** Keeps the rows for which `where` is true. Every output column is the input column; the columns `where` reads decide which rows there are. */
export async function bindFilter({ id, filter }: FilterStep, input: Relation, scope: Scope, path: string): Promise<BindResult> {
  try {
    const where = await scope.bind(input, filter.where);
    if (where.type !== 'BOOLEAN')
      throw new ExpressionProblem(`A filter is true or false; this expression is ${where.type === '' ? 'a column without an exact type' : where.type}.`);
    const relation = { ...input, name: id, influences: mergeInfluences([...input.influences, ...influencesOf(where, id)]) };
    return { step: { relation, need: (own, needs) => need(input, where, own, needs), emit: (own) => emit(id, input, where, own) } };
  } catch (error) {
    if (!(error instanceof ExpressionProblem)) throw error;
    return { issues: [{ path: `${path}.filter.where`, message: error.message }] };
  }
}

function influencesOf(where: BoundExpression, step: string) {
  return where.reads.flatMap(({ column, masking }) => {
    const transformation: Transformation = { type: 'INDIRECT', subtype: 'FILTER', expression: where.text, masking, step };
    return column.sources.map(({ from }) => ({ from, transformations: [transformation] }));
  });
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
    from: input.name,
    sql: `SELECT ${items.join(', ')} FROM ${quoteIdentifier(input.name)} WHERE ${where.sql} IS TRUE`,
    rejects: null,
    expressions: [{ column: null, sql: where.sql }],
  };
}
