import type { DuckDBConnection } from '@duckdb/node-api';
import { ExpressionProblem } from './expression-problem.js';
import { serializeSelect, type Tree } from './syntax-tree.js';

/** The tree of a text that is one expression and nothing else. @throws ExpressionProblem */
export async function parseAlone(connection: DuckDBConnection, text: string): Promise<Tree> {
  if (text.includes('\0')) throw new ExpressionProblem('A NUL character cannot stand in an expression.');
  const answer = await serializeSelect(connection, text);
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
