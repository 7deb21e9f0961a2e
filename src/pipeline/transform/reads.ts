import { aggregateRefusal, isWindowOnly, windowRefusal } from './aggregates.js';
import { ExpressionProblem } from './expression-problem.js';
import { type FunctionCatalogue, isMasking } from './functions.js';
import { isParamFunction } from './params.js';
import { type ColumnKey, childrenOf, type Tree, treeKey } from './syntax-tree.js';

/** What a read does to the result. CONDITIONAL only decides which value is taken, WINDOW which rows are looked at. */
export type ReadSubtype = 'TRANSFORMATION' | 'AGGREGATION' | 'CONDITIONAL' | 'WINDOW';

/** A column that an expression reads, as it is written there. */
export interface NamedRead {
  readonly path: readonly string[];
  readonly subtype: ReadSubtype;
  readonly masking: boolean;
  /** Where aggregates are expected: it stands outside of them and of what is grouped by. */
  readonly ungrouped: boolean;
}

/** What an expression may be made of. */
export interface Grammar {
  /** row: values of one row; aggregate: values of a group; window: a row's values and windows. */
  readonly kind: 'row' | 'aggregate' | 'window';
  /** `treeKey` of the expressions that are grouped by. */
  readonly groups: ReadonlySet<string>;
  readonly columnKey: ColumnKey;
}

export interface Found {
  readonly reads: readonly NamedRead[];
  readonly windows: readonly Tree[];
  readonly aggregates: readonly Tree[];
}

interface Walk {
  readonly subtype: ReadSubtype;
  readonly masking: boolean;
  /** Parameters of the lambdas around this place. */
  readonly bound: ReadonlySet<string>;
  readonly inside: 'aggregate' | 'window' | 'group' | null;
}

const refusedClasses: Readonly<Record<string, string>> = {
  SUBQUERY: 'A subquery cannot stand in an expression: it sees one row at a time.',
  STAR: 'A star cannot stand in an expression: name the columns.',
  POSITIONAL_REFERENCE: 'Columns are named, not counted: #1 is not an expression here.',
  DEFAULT: 'DEFAULT has no meaning in an expression.',
};

/** What a tree reads, and which windows and aggregates it has. @throws ExpressionProblem for what cannot stand there */
export function findReads(root: Tree, grammar: Grammar, functions: FunctionCatalogue): Found {
  return new Reader(grammar, functions).read(root);
}

class Reader {
  private readonly reads: NamedRead[] = [];
  private readonly windows: Tree[] = [];
  private readonly aggregates: Tree[] = [];

  constructor(
    private readonly grammar: Grammar,
    private readonly functions: FunctionCatalogue,
  ) {}

  read(root: Tree): Found {
    this.walk(root, { subtype: 'TRANSFORMATION', masking: false, bound: new Set(), inside: null });
    return { reads: this.reads, windows: this.windows, aggregates: this.aggregates };
  }

  private walk(tree: Tree, state: Walk): void {
    const kind = String(tree['class']);
    const refusal = refusedClasses[kind];
    if (refusal) throw new ExpressionProblem(refusal);
    const { kind: grammar, groups, columnKey } = this.grammar;
    const isGroup = grammar === 'aggregate' && state.inside === null && groups.has(treeKey(tree, columnKey));
    this.walkKind(kind, tree, isGroup ? { ...state, inside: 'group' } : state);
  }

  private walkKind(kind: string, tree: Tree, state: Walk): void {
    if (kind === 'COLUMN_REF') this.readColumn(tree['column_names'] as string[], state);
    else if (kind === 'CASE') this.walkCase(tree, state);
    else if (kind === 'FUNCTION') this.walkFunction(tree, state);
    else if (kind === 'WINDOW') this.walkWindow(tree, state);
    else for (const child of childrenOf(tree)) this.walk(child, state);
  }

  private readColumn(path: readonly string[], { subtype, masking, bound, inside }: Walk): void {
    if (bound.has((path[0] ?? '').toLowerCase())) return;
    this.reads.push({ path, subtype, masking, ungrouped: this.grammar.kind === 'aggregate' && inside === null });
  }

  /** `x -> …` is a lambda where a function takes one, behind its list; anywhere else it is the arrow of JSON, and `x` a column. */
  private walkFunction(tree: Tree, state: Walk): void {
    const name = String(tree['function_name']).toLowerCase();
    checkSchema(tree);
    if (tree['is_operator'] !== true && this.functions.isAggregate(name) && this.grammar.kind === 'aggregate') {
      this.walkAggregate(tree, state);
      return;
    }
    this.checkFunction(tree, name);
    const inside = { ...state, masking: state.masking || isMasking(name) };
    const takesLambda = this.functions.takesLambda(name);
    childrenOf(tree).forEach((child, place) => {
      if (takesLambda && place > 0 && child['class'] === 'LAMBDA') this.walkLambda(child, inside);
      else this.walk(child, inside);
    });
  }

  private walkAggregate(tree: Tree, state: Walk): void {
    if (state.inside === 'aggregate') throw new ExpressionProblem('An aggregate cannot stand inside another one.');
    const refusal = aggregateRefusal(tree);
    if (refusal) throw new ExpressionProblem(refusal);
    this.aggregates.push(tree);
    const inside: Walk = { ...state, inside: 'aggregate' };
    for (const child of tree['children'] as Tree[]) this.walk(child, within(inside, 'AGGREGATION'));
    for (const child of childrenOf({ filter: tree['filter'], orders: tree['order_bys'] })) this.walk(child, within(inside, 'CONDITIONAL'));
  }

  private walkWindow(tree: Tree, state: Walk): void {
    if (this.grammar.kind !== 'window')
      throw new ExpressionProblem('A window sees several rows and cannot stand here. Put it into a column of a map step before this one.');
    if (state.inside === 'window') throw new ExpressionProblem('A window cannot stand inside another one.');
    checkSchema(tree);
    const name = String(tree['function_name']).toLowerCase();
    if (!this.functions.isAggregate(name)) throw new ExpressionProblem(this.functions.refusal(name) ?? `${name}() cannot have OVER.`);
    const refusal = windowRefusal(tree);
    if (refusal) throw new ExpressionProblem(refusal);
    this.windows.push(tree);
    const inside: Walk = { ...state, inside: 'window' };
    const { children, filter_expr, offset_expr, default_expr, ...over } = tree;
    const values = childrenOf({ children, offset_expr, default_expr });
    for (const child of values) this.walk(child, within(inside, isWindowOnly(name) ? 'TRANSFORMATION' : 'AGGREGATION'));
    for (const child of childrenOf({ filter_expr })) this.walk(child, within(inside, 'CONDITIONAL'));
    for (const child of childrenOf(over)) this.walk(child, within(inside, 'WINDOW'));
  }

  private walkLambda(tree: Tree, state: Walk): void {
    const left = tree['lhs'] as Tree;
    const parameters = left['class'] === 'COLUMN_REF' ? [left] : childrenOf(left);
    const names = parameters.map((parameter) => String((parameter['column_names'] as string[] | undefined)?.[0]).toLowerCase());
    this.walk(tree['expr'] as Tree, { ...state, bound: new Set([...state.bound, ...names]) });
  }

  private walkCase(tree: Tree, state: Walk): void {
    for (const check of tree['case_checks'] as { readonly when_expr: Tree; readonly then_expr: Tree }[]) {
      this.walk(check.when_expr, within(state, 'CONDITIONAL'));
      this.walk(check.then_expr, state);
    }
    this.walk(tree['else_expr'] as Tree, state);
  }

  private checkFunction(tree: Tree, name: string): void {
    if (tree['is_operator'] === true || isParamFunction(name)) return;
    if (name === 'age' && (tree['children'] as unknown[]).length === 1)
      throw new ExpressionProblem('age(x) counts to the day of the call, which differs between attempts. Write age(now(), x).');
    const refusal = this.functions.refusal(name);
    if (refusal) throw new ExpressionProblem(refusal);
  }
}

/** What only decides stays so, whatever happens to it. */
function within(state: Walk, subtype: ReadSubtype): Walk {
  return state.subtype === 'CONDITIONAL' || state.subtype === 'WINDOW' ? state : { ...state, subtype };
}

function checkSchema(tree: Tree): void {
  const schema = String(tree['schema'] ?? '');
  if (String(tree['catalog'] ?? '') !== '' || (schema !== '' && schema !== 'main'))
    throw new ExpressionProblem(`${schema}.${tree['function_name']}() is named with its schema. Write ${tree['function_name']}().`);
}
