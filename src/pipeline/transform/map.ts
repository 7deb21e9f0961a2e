import { mergeSources } from '../../lineage/transformations.js';
import type { SpecIssue } from '../../model/errors.js';
import type { MapStep } from '../../model/pipeline-spec.js';
import { formatPath } from '../spec/problems.js';
import type { BindResult } from './compiled.js';
import { quoteIdentifier } from './duckdb.js';
import { ExpressionProblem } from './expression.js';
import { type Needs, type Relation, type RelationColumn, valueColumn } from './relation.js';
import { type BoundExpression, type Scope, sourcesOf } from './scope.js';

interface Mapped {
  readonly column: RelationColumn;
  readonly expression: BoundExpression;
  /** The input column of a bare name. */
  readonly passed: RelationColumn | null;
}

/** Outputs exactly the listed columns. A bare name hands its column on, text and all; anything else is computed. */
export async function bindMap({ id, map }: MapStep, input: Relation, scope: Scope, path: string): Promise<BindResult> {
  const mapped: Mapped[] = [];
  const issues: SpecIssue[] = [];
  for (const [name, text] of Object.entries(map.columns)) {
    try {
      if (mapped.some(({ column }) => column.name.toLowerCase() === name.toLowerCase()))
        throw new ExpressionProblem(`Another column has this name. Names count without upper and lower case.`);
      mapped.push(toColumn(name, await scope.bind(input, text), id));
    } catch (error) {
      if (!(error instanceof ExpressionProblem)) throw error;
      issues.push({ path: formatPath(['map', 'columns', name], path), message: error.message });
    }
  }
  if (issues.length > 0) return { issues };
  const relation = { name: id, input: input.input, columns: mapped.map(({ column }) => column), influences: input.influences };
  return { step: { relation, need: (own, needs) => need(mapped, own, needs), emit: (own) => emit(id, input, mapped, own) } };
}

function toColumn(name: string, expression: BoundExpression, step: string): Mapped {
  const passed = expression.bare ? (expression.reads[0]?.column ?? null) : null;
  if (passed) return { column: { ...passed, name }, expression, passed };
  return { column: { name, type: expression.type, passedType: null, sources: mergeSources(sourcesOf(expression, step)) }, expression, passed };
}

/** A computed column is computed whether it is read or not: a value that cannot be computed must not pass unseen. */
function need(mapped: readonly Mapped[], own: Needs, input: Needs): void {
  for (const { column, expression, passed } of mapped) {
    if (passed) own.handOn(column, input, passed);
    else for (const read of expression.reads) input.value(read.column);
  }
}

function emit(id: string, input: Relation, mapped: readonly Mapped[], own: Needs) {
  const computed = mapped.filter(({ passed }) => !passed);
  const items = mapped.flatMap(({ column, expression, passed }) =>
    passed ? own.select(column, passed.name) : [`${expression.sql} AS ${valueColumn(column.name)}`],
  );
  return {
    id,
    kind: 'map' as const,
    from: input.name,
    sql: `SELECT ${['_pos', ...items].join(', ')} FROM ${quoteIdentifier(input.name)}`,
    rejects: null,
    expressions: computed.map(({ column, expression }) => ({ column: column.name, sql: expression.sql })),
  };
}
