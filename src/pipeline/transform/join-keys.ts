import { ExpressionProblem } from './expression-problem.js';
import { type Names, namesOf } from './names.js';
import type { BoundExpression, Scope } from './scope.js';
import { childrenOf, isCollated, type Tree } from './syntax-tree.js';

/** Expressions over either side that are equal for rows that a join puts together. */
export interface JoinKeys {
  readonly left: readonly string[];
  readonly right: readonly string[];
}

interface Equality {
  readonly left: Tree;
  readonly right: Tree;
}

/** The equalities among the parts of a condition that are joined by AND. @throws ExpressionProblem when a text is compared with something else */
export async function joinKeys(on: BoundExpression, names: Names, scope: Scope): Promise<JoinKeys> {
  const left: string[] = [];
  const right: string[] = [];
  for (const equality of equalities(on.tree, names)) {
    const key = await keyOf(equality, names, scope);
    if (!key) continue;
    left.push(key.left);
    right.push(key.right);
  }
  return { left, right };
}

function equalities(tree: Tree, names: Names): Equality[] {
  if (tree['type'] === 'CONJUNCTION_AND') return (tree['children'] as Tree[]).flatMap((child) => equalities(child, names));
  if (tree['type'] !== 'COMPARE_EQUAL' && tree['type'] !== 'COMPARE_NOT_DISTINCT_FROM') return [];
  const [one, other] = [tree['left'] as Tree, tree['right'] as Tree];
  if (isCollated(one) || isCollated(other)) return [];
  const sides = [sideOf(one, names), sideOf(other, names)];
  if (sides[0] === 0 && sides[1] === 1) return [{ left: one, right: other }];
  return sides[0] === 1 && sides[1] === 0 ? [{ left: other, right: one }] : [];
}

/** The one side whose columns are read; null: none or both. */
function sideOf(tree: Tree, names: Names): number | null {
  const sides = new Set(columnPaths(tree).map((path) => resolved(path, names)));
  const [side] = sides;
  return sides.size === 1 && side !== undefined ? side : null;
}

function columnPaths(tree: Tree): string[][] {
  if (tree['class'] === 'COLUMN_REF') return [tree['column_names'] as string[]];
  return childrenOf(tree).flatMap(columnPaths);
}

function resolved(path: readonly string[], names: Names): number | null {
  if (names.isClock(path)) return null;
  try {
    return names.resolve(path).side;
  } catch {
    return null;
  }
}

async function keyOf({ left, right }: Equality, names: Names, scope: Scope): Promise<{ left: string; right: string } | null> {
  const [leftSql = '', rightSql = ''] = await Promise.all([scope.toSql(names, [left]), scope.toSql(names, [right])]).then((found) => found.flat());
  const [leftSide, rightSide] = names.sides;
  if (!leftSide || !rightSide) return null;
  const leftType = await scope.typeOf(namesOf(leftSide.relation), leftSql);
  const rightType = await scope.typeOf(namesOf(rightSide.relation), rightSql);
  if (leftType === rightType) return { left: leftSql, right: rightSql };
  if (leftType === 'VARCHAR' || rightType === 'VARCHAR')
    throw new ExpressionProblem(
      `${leftSql} is ${leftType} and ${rightSql} is ${rightType}: a text and something else are not compared as they stand. Cast one of them.`,
    );
  const common = await scope.commonType(leftType, rightType);
  return { left: `CAST(${leftSql} AS ${common})`, right: `CAST(${rightSql} AS ${common})` };
}
