import type { DuckDBConnection } from '@duckdb/node-api';
import { duckDbMessage } from './duckdb.js';
import { type FunctionCatalogue, isMasking } from './functions.js';

/** A column that an expression reads, as it is written there. CONDITIONAL: it only decides which value is taken. */
export interface NamedRead {
  readonly path: readonly string[];
  readonly role: 'DIRECT' | 'CONDITIONAL';
  readonly masking: boolean;
}

export interface ParsedExpression {
  /** As it is written, fit to stand in parentheses: a comment at its end is closed by the line feed. */
  readonly sql: string;
  readonly reads: readonly NamedRead[];
  /** True when the expression is a name and nothing else. */
  readonly bare: boolean;
}

/** Thrown for a text that is not one scalar expression; the message is a sentence for the author. */
export class ExpressionProblem extends Error {}

type Tree = { readonly [key: string]: unknown };
interface Walk {
  readonly role: 'DIRECT' | 'CONDITIONAL';
  readonly masking: boolean;
  /** Parameters of the lambdas around this place. */
  readonly bound: ReadonlySet<string>;
}

const refusedClasses: Readonly<Record<string, string>> = {
  SUBQUERY: 'A subquery cannot stand in an expression: it sees one row at a time.',
  STAR: 'A star cannot stand in an expression: name the columns.',
  WINDOW: 'Window functions are not built yet.',
  PARAMETER: 'Parameters are not built yet.',
  POSITIONAL_REFERENCE: 'Columns are named, not counted: #1 is not an expression here.',
  DEFAULT: 'DEFAULT has no meaning in an expression.',
};

/** Parses `text` alone with DuckDB's own parser. @throws ExpressionProblem */
export async function parseExpression(connection: DuckDBConnection, functions: FunctionCatalogue, text: string): Promise<ParsedExpression> {
  const root = await parseAlone(connection, text);
  const reads: NamedRead[] = [];
  walk(root, { role: 'DIRECT', masking: false, bound: new Set() }, functions, reads);
  return { sql: `(${text}\n)`, reads, bare: root['class'] === 'COLUMN_REF' };
}

/** The canonical name of a DuckDB type; it is parsed as the type of a cast and nothing else. @throws ExpressionProblem */
export async function parseType(connection: DuckDBConnection, text: string): Promise<string> {
  if (/^\s*(varchar|text|string|char|bpchar|nvarchar)\s*\(/i.test(text))
    throw new ExpressionProblem(`${text}: a text has no length in expressions. Write VARCHAR.`);
  const root = await parseAlone(connection, `CAST(NULL AS ${text}\n)`);
  const child = root['child'] as Tree | undefined;
  if (root['class'] !== 'CAST' || child?.['class'] !== 'CONSTANT') throw new ExpressionProblem(`"${text}" is not a type.`);
  try {
    const described = await connection.runAndReadAll(`DESCRIBE SELECT CAST(NULL AS ${text}\n) AS value`);
    return String(described.getRows()[0]?.[1]);
  } catch (error) {
    throw new ExpressionProblem(`"${text}" is not a type: ${duckDbMessage(error)}.`);
  }
}

async function parseAlone(connection: DuckDBConnection, text: string): Promise<Tree> {
  if (text.includes('\0')) throw new ExpressionProblem('A NUL character cannot stand in an expression.');
  const reader = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [`SELECT ${text}`]);
  const answer = JSON.parse(String(reader.getRows()[0]?.[0])) as Tree;
  if (answer['error'] === true) throw new ExpressionProblem(`"${text}" is not an expression: ${String(answer['error_message'])}.`);
  const statements = answer['statements'] as { readonly node: Tree }[];
  const node = statements[0]?.node;
  const list = (node?.['select_list'] ?? []) as Tree[];
  const root = list[0];
  if (statements.length !== 1 || node?.['type'] !== 'SELECT_NODE' || list.length !== 1 || !root || !isAlone(node) || root['alias'] !== '') {
    throw new ExpressionProblem(`"${text}" is more than one scalar expression.`);
  }
  return root;
}

/** Nothing but a select list: no FROM, WHERE, grouping, ordering, limit or WITH. */
function isAlone(node: Tree): boolean {
  const from = node['from_table'] as Tree | null;
  const empty = (key: string) => ((node[key] ?? []) as unknown[]).length === 0;
  const absent = ['where_clause', 'having', 'sample', 'qualify'].every((key) => (node[key] ?? null) === null);
  const ctes = (node['cte_map'] as { readonly map: unknown[] } | undefined)?.map ?? [];
  return from?.['type'] === 'EMPTY' && absent && empty('modifiers') && empty('group_expressions') && empty('group_sets') && ctes.length === 0;
}

function walk(tree: Tree, state: Walk, functions: FunctionCatalogue, reads: NamedRead[]): void {
  const kind = String(tree['class']);
  const refusal = refusedClasses[kind];
  if (refusal) throw new ExpressionProblem(refusal);
  if (kind === 'COLUMN_REF') readColumn(tree['column_names'] as string[], state, reads);
  else if (kind === 'CASE') walkCase(tree, state, functions, reads);
  else if (kind === 'FUNCTION') walkFunction(tree, state, functions, reads);
  else for (const child of childrenOf(tree)) walk(child, state, functions, reads);
}

/** `x -> …` is a lambda where a function takes one, behind its list; anywhere else it is the arrow of JSON, and `x` a column. */
function walkFunction(tree: Tree, state: Walk, functions: FunctionCatalogue, reads: NamedRead[]): void {
  checkFunction(tree, functions);
  const name = String(tree['function_name']);
  const inside = { ...state, masking: state.masking || isMasking(name) };
  const takesLambda = functions.takesLambda(name);
  childrenOf(tree).forEach((child, place) => {
    const isLambda = takesLambda && place > 0 && child['class'] === 'LAMBDA';
    (isLambda ? walkLambda : walk)(child, inside, functions, reads);
  });
}

function readColumn(path: readonly string[], { role, masking, bound }: Walk, reads: NamedRead[]): void {
  if (!bound.has((path[0] ?? '').toLowerCase())) reads.push({ path, role, masking });
}

function walkLambda(tree: Tree, state: Walk, functions: FunctionCatalogue, reads: NamedRead[]): void {
  const left = tree['lhs'] as Tree;
  const parameters = left['class'] === 'COLUMN_REF' ? [left] : childrenOf(left);
  const names = parameters.map((parameter) => String((parameter['column_names'] as string[] | undefined)?.[0]).toLowerCase());
  walk(tree['expr'] as Tree, { ...state, bound: new Set([...state.bound, ...names]) }, functions, reads);
}

function walkCase(tree: Tree, state: Walk, functions: FunctionCatalogue, reads: NamedRead[]): void {
  for (const check of tree['case_checks'] as { readonly when_expr: Tree; readonly then_expr: Tree }[]) {
    walk(check.when_expr, { ...state, role: 'CONDITIONAL' }, functions, reads);
    walk(check.then_expr, state, functions, reads);
  }
  walk(tree['else_expr'] as Tree, state, functions, reads);
}

function checkFunction(tree: Tree, functions: FunctionCatalogue): void {
  const name = String(tree['function_name']);
  const schema = String(tree['schema'] ?? '');
  if (String(tree['catalog'] ?? '') !== '' || (schema !== '' && schema !== 'main'))
    throw new ExpressionProblem(`${schema}.${name}() is named with its schema. Write ${name}().`);
  if (tree['is_operator'] === true) return;
  if (name.toLowerCase() === 'age' && (tree['children'] as unknown[]).length === 1)
    throw new ExpressionProblem('age(x) counts to the day of the call, which differs between attempts. Write age(now(), x).');
  const refusal = functions.refusal(name);
  if (refusal) throw new ExpressionProblem(refusal);
}

/** Every tree below, wherever a node class keeps it. */
function childrenOf(tree: Tree): Tree[] {
  return Object.values(tree).flatMap((value) => (Array.isArray(value) ? value.flatMap(treesIn) : treesIn(value)));
}

function treesIn(value: unknown): Tree[] {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [];
  return 'class' in value ? [value] : childrenOf(value as Tree);
}
