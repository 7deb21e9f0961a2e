import type { DuckDBConnection } from '@duckdb/node-api';
import { ExpressionProblem } from './expression-problem.js';
import type { FunctionCatalogue } from './functions.js';
import { isParamFunction, replaceParams } from './params.js';
import { parseAlone } from './parse-alone.js';
import { type Found, findReads, type Grammar } from './reads.js';
import { changeTree, someTree, type Tree, treeKey, writtenKey } from './syntax-tree.js';

export interface ParsedExpression extends Found {
  /** Fit to stand in parentheses: a comment at its end is closed by the line feed. */
  readonly sql: string;
  readonly tree: Tree;
  /** True when the expression is a name and nothing else. */
  readonly bare: boolean;
}

/** What expressions may call and read beside columns. */
export interface Vocabulary {
  readonly functions: FunctionCatalogue;
  /** Names of the document's parameters. */
  readonly params: readonly string[];
}

/** Parses `text` alone with DuckDB's own parser. @throws ExpressionProblem */
export async function parseExpression(
  connection: DuckDBConnection,
  { functions, params }: Vocabulary,
  grammar: Grammar,
  text: string,
): Promise<ParsedExpression> {
  const written = await parseAlone(connection, text);
  const used = someTree(written, isParam);
  if (used) checkParams(written, params);
  const source = used ? replaceParams(text) : text;
  const tree = used ? await parseAlone(connection, source) : written;
  if (used && paramKey(tree) !== paramKey(written))
    throw new ExpressionProblem('Its parameters cannot be told from the text around them. Write $name with spaces around it.');
  return { sql: `(${source}\n)`, tree, bare: tree['class'] === 'COLUMN_REF', ...findReads(tree, grammar, functions) };
}

function isParam(tree: Tree): boolean {
  return tree['class'] === 'PARAMETER' || (tree['class'] === 'FUNCTION' && isParamFunction(String(tree['function_name'])));
}

function checkParams(root: Tree, params: readonly string[]): void {
  someTree(root, (tree) => {
    if (!isParam(tree)) return false;
    const name = String(tree['identifier'] ?? tree['function_name']);
    if (/^\d*$/.test(name)) throw new ExpressionProblem('Parameters are named, not counted: write $name, and list it in params.');
    if (params.includes(name)) return false;
    throw new ExpressionProblem(`There is no parameter $${name}. ${params.length === 0 ? 'The document has no params.' : `There are ${params.join(', ')}.`}`);
  });
}

/** The same for a tree with parameters and for one with the calls that stand for them. */
function paramKey(root: Tree): string {
  const named = (name: string): Tree => ({ class: 'PARAMETER', name: name.replace('_param:', '').toLowerCase() });
  return treeKey(
    changeTree(root, (tree) => (isParam(tree) ? named(String(tree['identifier'] ?? tree['function_name'])) : null)),
    writtenKey,
  );
}
