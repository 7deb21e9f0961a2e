import { PlatformError } from '../../model/errors.js';
import type { CursorWindow, FoundWindow, SeenRows, WindowRequest } from '../../model/reading.js';
import type { TableColumn } from './catalogue.js';
import type { PostgresClient } from './client.js';
import { type CursorType, cursorType, lookbackText } from './cursor-type.js';
import type { Horizon } from './horizon.js';
import { formatTableName, quoteIdentifier, quoteTable, type TableName } from './identifiers.js';
import { bindWindow, bound, rowHash } from './window.js';

const mostSeen = 10_000;

interface WindowSearch {
  readonly client: PostgresClient;
  readonly table: TableName;
  readonly columns: readonly TableColumn[];
  readonly request: WindowRequest;
  readonly type: CursorType;
}

interface Newest {
  /** null: the window has no row, and there was none before. */
  readonly last: string | null;
  readonly newest: string | null;
  readonly inside: boolean | null;
}

/** The window of rows that are new since `from`, within the snapshot of the client's transaction. */
export async function findWindow(
  client: PostgresClient,
  table: TableName,
  columns: readonly TableColumn[],
  request: WindowRequest,
  horizon: Horizon,
): Promise<FoundWindow> {
  const type = cursorTypeOf(table, columns, request.cursor);
  const search = { client, table, columns, request, type };
  checkLookback(request, type);
  await checkNulls(search);
  const { cursor, from, lookback, nulls } = request;
  const seen = hasLookback(lookback) ? null : request.seen;
  const window = { cursor, from, to: horizon[type.bound] ?? null, lookback, nulls: nulls === 'include', seen };
  const { to, last } = await findEnd(search, window);
  return { window: { ...window, to }, last, seen: await seenAt(search, to, last) };
}

export function cursorTypeOf(table: TableName, columns: readonly TableColumn[], cursor: string): CursorType {
  const column = columns.find(({ name }) => name === cursor);
  const stream = formatTableName(table);
  if (!column) throw new PlatformError('BAD_USER_INPUT', `${stream} has no column "${cursor}" to be its cursor.`);
  const type = cursorType(column.baseType);
  if (type) return type;
  throw new PlatformError(
    'BAD_USER_INPUT',
    `Column "${cursor}" of ${stream} is of type ${column.type} and cannot be a cursor: use one of smallint, integer, bigint, numeric(p,s), date or timestamp.`,
  );
}

function checkLookback({ cursor, lookback, seenColumns }: WindowRequest, type: CursorType): void {
  lookbackText(type, lookback, cursor);
  if (seenColumns !== null && hasLookback(lookback))
    throw new PlatformError(
      'BAD_USER_INPUT',
      `A lookback reads rows again, so that the load needs a key. Use upsert, or take the lookback of "${cursor}" away.`,
    );
}

function hasLookback(lookback: string | number | null): boolean {
  return lookback !== null && lookback !== 0;
}

async function checkNulls({ client, table, columns, request }: WindowSearch): Promise<void> {
  const { cursor, nulls } = request;
  if (nulls !== 'fail' || !columns.find(({ name }) => name === cursor)?.nullable) return;
  const { rows } = await client.query(`SELECT FROM ${quoteTable(table)} WHERE ${quoteIdentifier(cursor)} IS NULL LIMIT 1`);
  if (rows.length === 0) return;
  throw new PlatformError(
    'CURSOR_NULL',
    `${formatTableName(table)} has rows whose cursor "${cursor}" is null, so that nobody can tell whether they are new. Fill it, or say under "nulls" of the input whether to include or exclude them, or to make them dead letters (dlq).`,
    { context: { stream: formatTableName(table), column: cursor } },
  );
}

/** The highest cursor before the end. Usually nothing lies behind the end, so that one question is enough. */
async function findEnd(search: WindowSearch, window: CursorWindow): Promise<{ to: string | null; last: string | null }> {
  const open = await newest(search, { ...window, to: null }, window.to);
  if (open.newest === null || open.newest !== search.type.endless) {
    if (open.inside !== false) return { to: window.to, last: open.last };
    return { to: window.to, last: (await newest(search, window, null)).last };
  }
  checkEndless(search);
  const to = window.to ?? search.type.endless;
  return { to, last: (await newest(search, { ...window, to }, null)).last };
}

/** A row with the value that nothing can follow would end the stream for ever, and is not before any bound. */
function checkEndless({ table, request, type }: WindowSearch): void {
  if (request.nulls === 'exclude') return;
  throw new PlatformError(
    'CURSOR_NULL',
    `${formatTableName(table)} has rows whose cursor "${request.cursor}" is ${type.endless}, which no later row can follow. Give them a real value, or leave them out with nulls: exclude.`,
    { context: { stream: formatTableName(table), column: request.cursor } },
  );
}

/** @param end  what `inside` is asked about; null: nothing */
async function newest({ client, table, columns, request, type }: WindowSearch, window: CursorWindow, end: string | null): Promise<Newest> {
  await bindWindow(client, { table, type, window, existing: new Set(columns.map(({ name }) => name)) });
  const column = quoteIdentifier(request.cursor);
  const from = window.from === null ? '' : ` AND ${column} >= ${bound('from', type.bound)}`;
  const to = window.to === null ? '' : ` AND ${column} < ${bound('to', type.bound)}`;
  const { rows } = await client.query<Newest>(
    `SELECT newest::text AS newest, GREATEST(CAST(newest AS ${type.bound}), CAST($1 AS ${type.bound}))::text AS last, newest < CAST($2 AS ${type.bound}) AS inside
     FROM (SELECT pg_catalog.max(${column}) AS newest FROM ${quoteTable(table)} WHERE ${column} IS NOT NULL${from}${to}) AS found`,
    [window.from, end],
  );
  return rows[0] ?? { last: window.from, newest: null, inside: null };
}

/** Rows at the end of the window: what was read of them before and what this window reads. */
async function seenAt({ client, table, request, type }: WindowSearch, to: string | null, last: string | null): Promise<SeenRows | null> {
  const { cursor, seenColumns: columns, from } = request;
  if (columns === null) return null;
  if (last === null) return { columns, counts: {} };
  const column = quoteIdentifier(cursor);
  const { rows } = await client.query<{ hash: string; count: string; before: boolean }>(
    `SELECT ${rowHash(columns)} AS hash, pg_catalog.count(*) AS count FROM ${quoteTable(table)}
     WHERE ${column} = CAST($1 AS ${type.bound}) AND ($2::text IS NULL OR ${column} < CAST($2 AS ${type.bound})) GROUP BY 1 LIMIT ${mostSeen + 1}`,
    [last, to],
  );
  if (rows.length > mostSeen) throw tooMany(table, cursor, last);
  if (rows.length === 0 && last === from) return request.seen;
  return { columns, counts: Object.fromEntries(rows.map(({ hash, count }) => [hash, Number(count)])) };
}

function tooMany(table: TableName, cursor: string, last: string): PlatformError {
  return new PlatformError(
    'SOURCE_FAILED',
    `More than ${mostSeen} different rows of ${formatTableName(table)} have the cursor ${last} in "${cursor}", too many to tell them from those that come later. Use a finer cursor, or an upsert.`,
  );
}
