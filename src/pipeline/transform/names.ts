import { quoteIdentifier } from '../../lib/duckdb-text.js';
import { ExpressionProblem } from './expression-problem.js';
import { isClockWord } from './functions.js';
import { findColumn, type Relation, type RelationColumn } from './relation.js';
import { changeTree, type Tree } from './syntax-tree.js';

/** A relation, and what expressions call it. */
export interface Side {
  readonly alias: string;
  readonly relation: Relation;
}

export interface FoundColumn {
  readonly column: RelationColumn;
  /** Place of its relation. */
  readonly side: number;
  readonly qualified: boolean;
}

/** The columns that an expression may name: those of one relation, or of the two sides of a join. */
export class Names {
  constructor(readonly sides: readonly Side[]) {}

  /** What stands behind FROM. */
  get from(): string {
    return this.sides.map(({ alias, relation }) => `${quoteIdentifier(relation.name)} AS ${quoteIdentifier(alias)}`).join(', ');
  }

  /** As DuckDB does: `a.b` is a column of the relation `a` where it has one, else a part of the column `a`. @throws ExpressionProblem */
  resolve(path: readonly string[]): FoundColumn {
    const [first = '', second = ''] = path;
    const sides = this.sides.map((side, place) => ({ ...side, place }));
    const named = path.length > 1 ? sides.find(({ alias }) => alias.toLowerCase() === first.toLowerCase()) : undefined;
    const qualified = named && findColumn(named.relation, second);
    if (named && qualified) return { column: qualified, side: named.place, qualified: true };
    const owners = sides.filter(({ relation }) => findColumn(relation, first));
    const [owner, other] = owners;
    if (owner && other) throw new ExpressionProblem(`"${first}" stands on both sides. Write ${owner.alias}.${first} or ${other.alias}.${first}.`);
    const column = owner && findColumn(owner.relation, first);
    if (owner && column) return { column, side: owner.place, qualified: false };
    throw new ExpressionProblem(named ? missing([named], second) : missing(sides, first));
  }

  /** `current_date` is the clock, unless a column has that name. */
  isClock(path: readonly string[]): boolean {
    const [first = ''] = path;
    return path.length === 1 && isClockWord(first) && !this.sides.some(({ relation }) => findColumn(relation, first));
  }

  /** The same text for every way to write a column. */
  key(path: readonly string[]): string {
    try {
      const { column, side, qualified } = this.resolve(path);
      return JSON.stringify([side, column.name, ...path.slice(qualified ? 2 : 1)]);
    } catch {
      return JSON.stringify(path);
    }
  }

  /** Without the names of relations, so that it can be computed over one relation alone. */
  unqualified(root: Tree): Tree {
    return changeTree(root, (tree) => {
      if (tree['class'] !== 'COLUMN_REF') return null;
      const path = tree['column_names'] as string[];
      return this.isQualified(path) ? { ...tree, column_names: path.slice(1) } : tree;
    });
  }

  private isQualified(path: readonly string[]): boolean {
    const named = this.sides.find(({ alias }) => alias.toLowerCase() === path[0]?.toLowerCase());
    return path.length > 1 && named !== undefined && findColumn(named.relation, path[1] ?? '') !== undefined;
  }
}

export function namesOf(relation: Relation): Names {
  return new Names([{ alias: relation.name, relation }]);
}

function missing(sides: readonly Side[], name: string): string {
  const all = sides.map(({ alias, relation }) => `${sides.length > 1 ? `"${alias}"` : 'It'} has ${listOf(relation)}.`);
  const subject = sides.map(({ alias }) => `"${alias}"`);
  if (subject.length === 1) return `${subject[0]} has no column "${name}". ${all[0]}`;
  return `Neither ${subject.join(' nor ')} has a column "${name}". ${all.join(' ')}`;
}

function listOf({ columns }: Relation): string {
  const names = columns.map(({ name }) => name);
  return names.length > 20 ? `${names.slice(0, 20).join(', ')} and ${names.length - 20} more` : names.join(', ');
}
