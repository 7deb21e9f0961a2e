import type { CursorWindow, SeenRows } from '../../model/reading.js';
import type { PostgresClient } from './client.js';
import { type CursorType, lookbackText, lowerBound } from './cursor-type.js';
import { quoteIdentifier, quoteIdentifiers, quoteTable, type TableName } from './identifiers.js';

/** A window with what is known of its table. */
export interface TableWindow {
  readonly table: TableName;
  readonly type: CursorType;
  readonly window: CursorWindow;
  /** Names of the table's columns. */
  readonly existing: ReadonlySet<string>;
}

/**
 * Hands the bounds of a window to the statements of the transaction. COPY takes no parameters, so that they are settings of it:
 * allowed in a read-only transaction and on a standby, and no value is ever part of a statement.
 */
export async function bindWindow(client: PostgresClient, { window, type, existing }: TableWindow): Promise<void> {
  const { cursor, from, to, lookback, seen } = window;
  if (from !== null)
    await client.query(`SELECT pg_catalog.set_config('tributary.from', ${lowerBound(type)}, true)`, [from, lookbackText(type, lookback, cursor)]);
  await client.query(`SELECT pg_catalog.set_config('tributary.to', $1, true), pg_catalog.set_config('tributary.seen', $2, true)`, [
    to ?? '',
    JSON.stringify(seen && countsOf(seen, existing)),
  ]);
}

/** A SELECT of the items over the rows of a bound window; `items` are expressions over the table's columns with names of their own. */
export function windowSelect({ table, type, window, existing }: TableWindow, columns: readonly string[]): string {
  const { from, nulls, seen } = window;
  const items = columns.map(quoteIdentifier);
  const source = quoteTable(table);
  if (from === null || seen === null) return `SELECT ${items.join(', ')} FROM ${source} WHERE ${within(window, type, '>=')}`;
  const known = hasAll(seen, existing);
  const hash = known ? rowHash(seen.columns) : `''`;
  const copy = known ? `pg_catalog.row_number() OVER (PARTITION BY ${hash})` : 'pg_catalog.count(*) OVER ()';
  return `SELECT ${items.join(', ')} FROM ${source} WHERE ${within(window, type, '>')}
    UNION ALL SELECT ${items.join(', ')} FROM (SELECT ${[...items, `${hash} AS _tributary_hash`, `${copy} AS _tributary_copy`].join(', ')} FROM ${source}
      WHERE ${atStart(window, type)}) AS boundary
    LEFT JOIN (SELECT key AS _tributary_key, value::bigint AS _tributary_count
      FROM pg_catalog.jsonb_each_text(pg_catalog.current_setting('tributary.seen')::jsonb)) AS seen ON _tributary_key = _tributary_hash
    WHERE _tributary_copy > COALESCE(_tributary_count, 0)${nulls ? ` UNION ALL SELECT ${items.join(', ')} FROM ${source} WHERE ${quoteIdentifier(window.cursor)} IS NULL` : ''}`;
}

/** Of a row as a whole: NULL, '' and the text NULL differ, and so do ('a,b', '') and ('a', 'b'). */
export function rowHash(columns: readonly string[]): string {
  return `pg_catalog.md5(CAST(ROW(${quoteIdentifiers(columns)}) AS text))`;
}

/** The value of a setting, asked for once and not for every row. */
export function bound(setting: string, type: string): string {
  return `(SELECT ${asked(setting, type)})`;
}

function asked(setting: string, type: string): string {
  return `CAST(pg_catalog.current_setting('tributary.${setting}') AS ${type})`;
}

/** With `>`, or where no rows are left out at the start, every row of the window; rows without a cursor then stand apart. */
function within({ cursor, from, to, nulls, seen }: CursorWindow, type: CursorType, operator: '>=' | '>'): string {
  const column = quoteIdentifier(cursor);
  const conditions = [`${column} IS NOT NULL`];
  // The second form tells the planner how many rows to expect; it is looked at only where the first one holds.
  if (from !== null) conditions.push(`${column} ${operator} ${bound('from', type.bound)}`, `${column} ${operator} ${asked('from', type.bound)}`);
  if (to !== null) conditions.push(`${column} < ${bound('to', type.bound)}`);
  const rows = conditions.join(' AND ');
  const apart = from !== null && seen !== null;
  return nulls && !apart ? `(${rows}) OR ${column} IS NULL` : rows;
}

function atStart({ cursor, to }: CursorWindow, type: CursorType): string {
  const column = quoteIdentifier(cursor);
  const end = to === null ? '' : ` AND ${column} < ${bound('to', type.bound)}`;
  return `${column} = ${asked('from', type.bound)}${end}`;
}

function hasAll({ columns }: SeenRows, existing: ReadonlySet<string>): boolean {
  return columns.every((name) => existing.has(name));
}

/** When a column is gone, rows cannot be told apart any more: as many as were read are left out, or none when there are more. */
function countsOf(seen: SeenRows, existing: ReadonlySet<string>): Readonly<Record<string, number>> {
  if (hasAll(seen, existing)) return seen.counts;
  return { '': Object.values(seen.counts).reduce((sum, count) => sum + count, 0) };
}
