import { PlatformError } from '../../model/errors.js';

/** A table, as `schema.table` in a pipeline document. */
export interface TableName {
  readonly schema: string;
  readonly table: string;
}

const longestIdentifierBytes = 63;

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteIdentifiers(names: readonly string[]): string {
  return names.map(quoteIdentifier).join(', ');
}

export function quoteTable({ schema, table }: TableName): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
}

/** True for a name that PostgreSQL would keep as it is: not empty, without NUL, at most 63 bytes. */
export function isIdentifier(name: string): boolean {
  return name !== '' && !name.includes('\0') && Buffer.byteLength(name) <= longestIdentifierBytes;
}

/** `orders` → public.orders, `mart.orders` → mart.orders; null when it is neither. The first dot divides. */
export function parseTableName(stream: string): TableName | null {
  const dot = stream.indexOf('.');
  const name = dot < 0 ? { schema: 'public', table: stream } : { schema: stream.slice(0, dot), table: stream.slice(dot + 1) };
  return isIdentifier(name.schema) && isIdentifier(name.table) ? name : null;
}

export function formatTableName({ schema, table }: TableName): string {
  return `${schema}.${table}`;
}

/** @throws PlatformError BAD_USER_INPUT when the stream cannot be the name of a table */
export function tableOf(stream: string): TableName {
  const table = parseTableName(stream);
  if (!table) throw new PlatformError('BAD_USER_INPUT', `"${stream}" is not the name of a PostgreSQL table: write schema.table.`);
  return table;
}
