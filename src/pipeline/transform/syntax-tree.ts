import type { DuckDBConnection } from '@duckdb/node-api';

/** A node of what DuckDB's parser makes of a text. Numbers too long for JavaScript are kept as they are written. */
export type Tree = { readonly [key: string]: unknown };

/** Names a column alike however it is written: with or without its relation, in upper or lower case. */
export type ColumnKey = (path: readonly string[]) => string;

const longNumber = '\u0001number:';
/** Texts of JSON, to step over, and numbers of more digits than a double holds. */
const tokens = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g;

/** @returns DuckDB's answer to json_serialize_sql, losing no digit */
export async function serializeSelect(connection: DuckDBConnection, text: string): Promise<Tree> {
  const reader = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [`SELECT ${text}`]);
  const json = String(reader.getRows()[0]?.[0]);
  return JSON.parse(json.replace(tokens, (token) => (token.startsWith('"') ? token : JSON.stringify(longNumber + token)))) as Tree;
}

/** The expressions of these trees as DuckDB writes them. */
export async function toSql(connection: DuckDBConnection, trees: readonly Tree[]): Promise<string[]> {
  const found: string[] = [];
  for (const tree of trees) {
    const statement = await serializeSelect(connection, '1');
    const [first] = statement['statements'] as { readonly node: Tree }[];
    const changed = { ...statement, statements: [{ ...first, node: { ...first?.node, select_list: [tree] } }] };
    const json = JSON.stringify(changed).replaceAll(/"\\u0001number:(-?\d+)"/g, '$1');
    const reader = await connection.runAndReadAll('SELECT json_deserialize_sql($1::JSON)', [json]);
    found.push(String(reader.getRows()[0]?.[0]).replace(/^SELECT /, ''));
  }
  return found;
}

/** Every tree below, wherever a node class keeps it. */
export function childrenOf(tree: Tree): Tree[] {
  return Object.values(tree).flatMap((value) => (Array.isArray(value) ? value.flatMap(treesIn) : treesIn(value)));
}

function treesIn(value: unknown): Tree[] {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [];
  return 'class' in value ? [value] : childrenOf(value as Tree);
}

export function someTree(tree: Tree, test: (tree: Tree) => boolean): boolean {
  return test(tree) || childrenOf(tree).some((child) => someTree(child, test));
}

/** The same tree with some of its nodes replaced; `change` gives null where it leaves a node as it is. */
export function changeTree(tree: Tree, change: (tree: Tree) => Tree | null): Tree {
  const changed = change(tree);
  return changed ?? (mapValues(tree, change) as Tree);
}

function mapValues(value: unknown, change: (tree: Tree) => Tree | null): unknown {
  if (Array.isArray(value)) return value.map((one) => changeValue(one, change));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, changeValue(one, change)]));
}

function changeValue(value: unknown, change: (tree: Tree) => Tree | null): unknown {
  const isTree = value !== null && typeof value === 'object' && !Array.isArray(value) && 'class' in value;
  return isTree ? changeTree(value, change) : mapValues(value, change);
}

/** Equal for trees that mean the same but for where and how they are written. */
export function treeKey(tree: Tree, columnKey: ColumnKey): string {
  return JSON.stringify(tree, (key, value: unknown) => {
    if (key === 'query_location' || key === 'alias') return undefined;
    if (key === 'column_names') return columnKey(value as string[]);
    return key === 'function_name' ? String(value).toLowerCase() : value;
  });
}

/** As it is written, but for upper and lower case. */
export function writtenKey(path: readonly string[]): string {
  return JSON.stringify(path.map((part) => part.toLowerCase()));
}

export function readsColumn(tree: Tree): boolean {
  return someTree(tree, (node) => node['class'] === 'COLUMN_REF');
}

/** Texts that are equal under a collation are not equal to what rows are divided by. */
export function isCollated(tree: Tree): boolean {
  return someTree(tree, (node) => node['class'] === 'COLLATE');
}
