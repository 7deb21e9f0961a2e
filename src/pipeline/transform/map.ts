import { quoteIdentifier } from '../../lib/duckdb-text.js';
import type { CompiledBlocking } from '../../model/compiled-pipeline.js';
import type { MapStep } from '../../model/pipeline-spec.js';
import type { BindResult } from './compiled.js';
import { ExpressionProblem } from './expression-problem.js';
import { bindColumns, locatable, type Mapped, mappedItems, needMapped, rowColumns } from './mapped.js';
import { type Names, namesOf } from './names.js';
import type { Relation } from './relation.js';
import type { Scope } from './scope.js';
import { isCollated, readsColumn, type Tree, treeKey } from './syntax-tree.js';

/** Outputs exactly the listed columns. A bare name hands its column on, text and all; anything else is computed. */
export async function bindMap({ id, map }: MapStep, input: Relation, scope: Scope, path: string): Promise<BindResult> {
  const names = namesOf(input);
  const { mapped, issues } = await bindColumns(map.columns, { scope, names, setting: { kind: 'window' }, step: id, path, place: ['map', 'columns'] });
  if (issues.length > 0) return { issues };
  let blocking: CompiledBlocking | null;
  try {
    blocking = await blockingOf(mapped, names, scope);
  } catch (error) {
    if (!(error instanceof ExpressionProblem)) throw error;
    return { issues: [{ path: `${path}.map.columns`, message: error.message }] };
  }
  const relation = { name: id, inputs: input.inputs, columns: mapped.map(({ column }) => column), influences: input.influences };
  return {
    step: {
      relation,
      sources: [input],
      isBlocking: blocking !== null,
      rows: { covers: [0], where: null, alias: () => input.name, columns: () => rowColumns(mapped, 0) },
      need: (own, sources) => needMapped(mapped, own, sources),
      emit: (own) => ({
        id,
        kind: 'map',
        from: [input.name],
        selects: [`SELECT ${['_pos', ...mappedItems(mapped, own, names)].join(', ')} FROM ${quoteIdentifier(input.name)}`],
        blocking,
        rejects: null,
        expressions: locatable(mapped),
      }),
    },
  };
}

/** Rows that any of the windows looks at together have the same values of what all of them partition by. */
async function blockingOf(mapped: readonly Mapped[], names: Names, scope: Scope): Promise<CompiledBlocking | null> {
  const windows = mapped.flatMap(({ expression }) => expression.windows);
  if (windows.length === 0) return null;
  const key = (tree: Tree) => treeKey(tree, (path) => names.key(path));
  const partitions = windows.map((window) => (window['partitions'] as Tree[]).filter(readsColumn));
  if (partitions.some((trees) => trees.length === 0)) throw new ExpressionProblem('A PARTITION BY that reads no column spans all rows. Name a column there.');
  if (partitions.flat().some(isCollated)) throw new ExpressionProblem('PARTITION BY cannot have COLLATE. Write lower(x) instead of x COLLATE NOCASE.');
  const [first = [], ...others] = partitions;
  const common = first.filter((tree) => others.every((trees) => trees.some((other) => key(other) === key(tree))));
  if (common.length === 0)
    throw new ExpressionProblem('The windows of this step have no PARTITION BY in common, so that each would need all rows. Split it into two map steps.');
  return { partitionBy: [await scope.toSql(names, common)], streamsLeft: false, renumbers: false };
}
