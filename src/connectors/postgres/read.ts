import { to as copyTo } from 'pg-copy-streams';
import type { ReadKeys, ReadRequest } from '../../model/reading.js';
import type { Segment } from '../../model/segment.js';
import type { TableColumn } from './catalogue.js';
import type { PostgresClient } from './client.js';
import { cutSegments } from './cut-segments.js';
import { cursorTypeOf } from './find-window.js';
import { quoteIdentifiers, quoteTable, type TableName } from './identifiers.js';
import { bindKeys, keysSelect } from './keys.js';
import { bindWindow, windowSelect } from './window.js';

let reads = 0;

/** Reads with `COPY … TO STDOUT`: PostgreSQL writes the CSV, Node only cuts it into files. A COPY that is left early leaves the client unusable. */
export async function* copyRows(
  client: PostgresClient,
  table: TableName,
  existing: readonly TableColumn[],
  { columns, window, keys, folder, limits }: ReadRequest,
): AsyncGenerator<Segment> {
  reads += 1;
  const rows = await select(client, table, existing, columns, window, keys);
  const items = ['pg_catalog.row_number() OVER () AS _pos', ...(columns.length > 0 ? [quoteIdentifiers(columns)] : [])].join(', ');
  const bytes = client.query(copyTo(`COPY (SELECT ${items} FROM ${rows}) TO STDOUT (FORMAT csv, HEADER false)`, { highWaterMark: 1 << 20 }));
  yield* cutSegments(bytes, { folder, columns, segmentBytes: limits.segmentBytes, name: `read-${reads}` });
}

/** By PostgreSQL's planner. */
export async function plannedRows(
  client: PostgresClient,
  table: TableName,
  existing: readonly TableColumn[],
  { columns, window, keys }: Omit<ReadRequest, 'folder' | 'limits'>,
): Promise<number | null> {
  const text = `EXPLAIN (FORMAT JSON) SELECT FROM ${await select(client, table, existing, columns, window, keys)}`;
  const { rows } = await client.query<[readonly { Plan?: { 'Plan Rows'?: unknown } }[]]>({ text, rowMode: 'array' });
  const planned = rows[0]?.[0][0]?.Plan?.['Plan Rows'];
  return typeof planned === 'number' ? planned : null;
}

async function select(
  client: PostgresClient,
  table: TableName,
  existing: readonly TableColumn[],
  columns: readonly string[],
  window: ReadRequest['window'],
  keys: ReadKeys | null,
): Promise<string> {
  if (window) {
    const bound = { table, window, type: cursorTypeOf(table, existing, window.cursor), existing: new Set(existing.map(({ name }) => name)) };
    await bindWindow(client, bound);
    return `(${windowSelect(bound, columns)}) AS rows`;
  }
  if (!keys) return quoteTable(table);
  await bindKeys(client, keys);
  return `(${keysSelect(table, existing, keys, columns)}) AS rows`;
}
