import { PlatformError } from '../../model/errors.js';
import type { ReadKeys } from '../../model/reading.js';
import type { TableColumn } from './catalogue.js';
import type { PostgresClient } from './client.js';
import { formatTableName, quoteIdentifier, quoteTable, type TableName } from './identifiers.js';

/** Hands the keys to the statements of the transaction, as a setting, since COPY takes no parameters. */
export async function bindKeys(client: PostgresClient, { rows }: ReadKeys): Promise<void> {
  await client.query(`SELECT pg_catalog.set_config('tributary.keys', $1, true)`, [JSON.stringify(rows)]);
}

/**
 * A SELECT of the columns over the rows that have one of the bound keys; NULL matches NULL. There is a branch for each combination of
 * places that are NULL, so that each compares by `=`, which an index serves.
 */
export function keysSelect(table: TableName, existing: readonly TableColumn[], keys: ReadKeys, columns: readonly string[]): string {
  const types = keys.columns.map((name) => typeOf(table, existing, name));
  const items = columns.map((name) => `source.${quoteIdentifier(name)}`).join(', ');
  const patterns = new Set(keys.rows.map((row) => row.map((value) => (value === null ? '0' : '1')).join('')));
  if (patterns.size === 0) return `SELECT ${items} FROM ${quoteTable(table)} AS source WHERE false`;
  return [...patterns].map((pattern) => branch(table, keys.columns, types, pattern, items)).join(' UNION ALL ');
}

/** @param pattern  a digit for each key column: 1 where the keys of this branch have a value */
function branch(table: TableName, names: readonly string[], types: readonly string[], pattern: string, items: string): string {
  const given = names.flatMap((name, place) => (pattern[place] === '1' ? [{ name, place }] : []));
  const conditions = names.flatMap((name, place) => (pattern[place] === '1' ? [] : [`source.${quoteIdentifier(name)} IS NULL`]));
  if (given.length === 0) return `SELECT ${items} FROM ${quoteTable(table)} AS source WHERE ${conditions.join(' AND ')}`;
  const values = given.map(({ place }) => `CAST(key->>${place} AS ${types[place]}) AS k${place}`).join(', ');
  const ofBranch = names.map((_, place) => `(key->>${place}) IS ${pattern[place] === '1' ? 'NOT ' : ''}NULL`).join(' AND ');
  const wanted = `SELECT DISTINCT ${values} FROM pg_catalog.jsonb_array_elements(pg_catalog.current_setting('tributary.keys')::jsonb) AS keys(key) WHERE ${ofBranch}`;
  const same = [...given.map(({ name, place }) => `source.${quoteIdentifier(name)} = wanted.k${place}`), ...conditions].join(' AND ');
  return `SELECT ${items} FROM (${wanted}) AS wanted JOIN ${quoteTable(table)} AS source ON ${same}`;
}

function typeOf(table: TableName, existing: readonly TableColumn[], name: string): string {
  const column = existing.find((one) => one.name === name);
  if (column) return column.type;
  throw new PlatformError('BAD_USER_INPUT', `${formatTableName(table)} has no column "${name}" to read rows by.`);
}
