import { quoteIdentifier } from '../../lib/duckdb-text.js';
import { mergeInfluences } from '../../lineage/transformations.js';
import type { SpecIssue } from '../../model/errors.js';
import type { DedupeStep } from '../../model/pipeline-spec.js';
import { formatPath } from '../spec/problems.js';
import { type BindResult, passedColumns } from './compiled.js';
import { ExpressionProblem } from './expression-problem.js';
import { findColumn, type Needs, type Relation, type RelationColumn, valueColumn } from './relation.js';
import { assertValue, influencesOf } from './scope.js';

/** One row for each key. A key may be null; a null `orderBy` is the lowest. */
export function bindDedupe({ id, dedupe }: DedupeStep, input: Relation, path: string): BindResult {
  const issues: SpecIssue[] = [];
  const find = (name: string, place: PropertyKey[]): RelationColumn[] => {
    const column = findColumn(input, name);
    try {
      if (!column) throw new ExpressionProblem(`"${input.name}" has no column "${name}".`);
      assertValue(column);
      return [column];
    } catch (error) {
      if (!(error instanceof ExpressionProblem)) throw error;
      issues.push({ path: formatPath(['dedupe', ...place], path), message: error.message });
      return [];
    }
  };
  const key = dedupe.key.flatMap((name, index) => find(name, ['key', index]));
  const order = dedupe.orderBy === null ? [] : find(dedupe.orderBy, ['orderBy']);
  if (issues.length > 0) return { issues };
  const read = (columns: readonly RelationColumn[]) => columns.map((column) => ({ column, masking: false }));
  const influences = [...influencesOf(read(key), 'GROUP_BY', null, id), ...influencesOf(read(order), 'SORT', null, id)];
  return {
    step: {
      relation: { ...input, name: id, influences: mergeInfluences([...input.influences, ...influences]) },
      sources: [input],
      isBlocking: true,
      rows: { covers: [0], where: null, alias: () => input.name, columns: () => passedColumns(input) },
      need: (own, [needs]) => needs && need(input, [...key, ...order], own, needs),
      emit: (own) => ({
        id,
        kind: 'dedupe',
        from: [input.name],
        selects: [select(input, key, order, dedupe.keep, own)],
        blocking: { partitionBy: [key.map(({ name }) => valueColumn(name))], streamsLeft: false, renumbers: false },
        rejects: null,
        expressions: [],
      }),
    },
  };
}

function need(input: Relation, read: readonly RelationColumn[], own: Needs, needs: Needs): void {
  for (const column of input.columns) own.handOn(column, needs, column);
  for (const column of read) needs.value(column);
}

function select(input: Relation, key: readonly RelationColumn[], order: readonly RelationColumn[], keep: 'last' | 'first', own: Needs): string {
  const items = input.columns.flatMap((column) => own.select(column, column.name));
  const direction = keep === 'last' ? 'DESC' : 'ASC';
  const nulls = keep === 'last' ? 'LAST' : 'FIRST';
  const orders = [...order.map(({ name }) => `${valueColumn(name)} ${direction} NULLS ${nulls}`), `_pos ${direction}`];
  const partition = key.map(({ name }) => valueColumn(name)).join(', ');
  return `SELECT ${['_pos', ...items].join(', ')} FROM ${quoteIdentifier(input.name)} QUALIFY row_number() OVER (PARTITION BY ${partition} ORDER BY ${orders.join(', ')}) = 1`;
}
