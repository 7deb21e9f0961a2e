import { quoteIdentifier } from '../../lib/duckdb-text.js';
import { mergeInfluences } from '../../lineage/transformations.js';
import type { CompiledBlocking } from '../../model/compiled-pipeline.js';
import type { JoinKind, JoinStep } from '../../model/pipeline-spec.js';
import type { BindResult } from './compiled.js';
import { ExpressionProblem } from './expression-problem.js';
import { type JoinKeys, joinKeys } from './join-keys.js';
import { bindColumns, type Mapped, mappedItems, needMapped, rowColumns } from './mapped.js';
import { Names } from './names.js';
import type { Needs, Relation } from './relation.js';
import { type BoundExpression, influencesOf, type Scope } from './scope.js';

/** For each kind, the sides of which every row of the result has a row. */
const covers: Readonly<Record<JoinKind, readonly number[]>> = { inner: [0, 1], left: [0], right: [1], full: [], semi: [0], anti: [0], cross: [0, 1] };

interface Condition {
  readonly on: BoundExpression | null;
  readonly keys: JoinKeys;
}

/** Puts rows of two sides together; exactly the listed columns, over both sides, for semi and anti over the left one. */
export async function bindJoin({ id, join }: JoinStep, sources: readonly [Relation, Relation], scope: Scope, path: string): Promise<BindResult> {
  const { left, right, kind } = join;
  const names = new Names([left, right].map(({ as: alias }, side) => ({ alias, relation: sources[side] as Relation })));
  const visible = kind === 'semi' || kind === 'anti' ? new Names(names.sides.slice(0, 1)) : names;
  const { mapped, issues } = await bindColumns(join.columns, { scope, names: visible, setting: { kind: 'row' }, step: id, path, place: ['join', 'columns'] });
  let condition: Condition;
  try {
    condition = await bindCondition(join.on, kind, names, scope);
  } catch (error) {
    if (!(error instanceof ExpressionProblem)) throw error;
    return { issues: [...issues, { path: `${path}.join.on`, message: error.message }] };
  }
  if (issues.length > 0) return { issues };
  const { on, keys } = condition;
  const influences = on ? influencesOf(on.reads, 'JOIN', on.text, id) : [];
  return {
    step: {
      relation: {
        name: id,
        inputs: [...new Set(sources.flatMap(({ inputs }) => inputs))],
        columns: mapped.map(({ column }) => column),
        influences: mergeInfluences([...sources.flatMap((source) => source.influences), ...influences]),
      },
      sources,
      isBlocking: true,
      rows: { covers: covers[kind], where: null, alias: (index) => names.sides[index]?.alias ?? '', columns: (index) => rowColumns(mapped, index) },
      need: (own, needs) => need(mapped, on, own, needs),
      emit: (own) => ({
        id,
        kind: 'join',
        from: sources.map(({ name }) => name),
        selects: [select(kind, names, mappedItems(mapped, own, names), on)],
        blocking: blockingOf(kind, keys),
        rejects: null,
        expressions: [],
      }),
    },
  };
}

async function bindCondition(text: string | null, kind: JoinKind, names: Names, scope: Scope): Promise<Condition> {
  if (text === null) return { on: null, keys: { left: [], right: [] } };
  const on = await scope.bindTo(names, text);
  if (on.type !== 'BOOLEAN')
    throw new ExpressionProblem(`A condition is true or false; this expression is ${on.type === '' ? 'a column without an exact type' : on.type}.`);
  const keys = await joinKeys(on, names, scope);
  if (keys.left.length === 0 && (kind === 'right' || kind === 'full'))
    throw new ExpressionProblem(`A ${kind} join needs an equality between its sides, such as left.id = right.id. Turn it round, or use another kind.`);
  return { on, keys };
}

function blockingOf(kind: JoinKind, { left, right }: JoinKeys): CompiledBlocking {
  return { partitionBy: [left, right], streamsLeft: kind !== 'right' && kind !== 'full', renumbers: true };
}

function need(mapped: readonly Mapped[], on: BoundExpression | null, own: Needs, needs: readonly Needs[]): void {
  needMapped(mapped, own, needs);
  for (const { side, column } of on?.reads ?? []) needs[side]?.value(column);
}

function select(kind: JoinKind, names: Names, items: readonly string[], on: BoundExpression | null): string {
  const [left = '', right = ''] = names.sides.map(({ alias, relation }) => `${quoteIdentifier(relation.name)} AS ${quoteIdentifier(alias)}`);
  const condition = on ? ` ON ${on.sql}` : '';
  return `SELECT ${['row_number() OVER () AS _pos', ...items].join(', ')} FROM ${left} ${kind.toUpperCase()} JOIN ${right}${condition}`;
}
