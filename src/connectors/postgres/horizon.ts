import type { PostgresClient } from './client.js';
import type { CursorType } from './cursor-type.js';

/** By type of a time cursor: no transaction that is still under way began before it. Text forms. */
export type Horizon = Readonly<Partial<Record<CursorType['bound'], string>>>;

/** Sessions of this name only read, so that no bound need wait for them. */
export const readingName = 'tributary reading';

const clock = `SELECT (CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_xact_replay_timestamp() ELSE pg_catalog.clock_timestamp() END)::text AS at,
  pg_catalog.pg_sleep(0.01)`;

const oldest = `
WITH started AS (
  SELECT COALESCE(xact_start, CASE WHEN state = 'active' THEN query_start END) AS at
  FROM pg_catalog.pg_stat_activity
  WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid() AND application_name IS DISTINCT FROM '${readingName}'
    AND COALESCE(backend_type, '') NOT IN ('autovacuum worker', 'walsender', 'parallel worker')
  UNION ALL
  SELECT prepared FROM pg_catalog.pg_prepared_xacts WHERE database = pg_catalog.current_database()
), horizon AS (
  SELECT LEAST(COALESCE(CAST($1 AS timestamptz), pg_catalog.clock_timestamp()), pg_catalog.min(at)) AS at FROM started
), here AS (
  SELECT at, at AT TIME ZONE (SELECT reset_val FROM pg_catalog.pg_settings WHERE name = 'TimeZone') AS local FROM horizon
)
SELECT at::text AS "timestamp with time zone", local::text AS "timestamp without time zone", (local::date + 1)::text AS date FROM here`;

/**
 * The upper bound of time cursors: the least of the source's clock and the starts of the transactions that are under way, which may
 * still write rows stamped with their start. To be asked outside a transaction and before the snapshot is taken: what ends in between
 * is in the snapshot. The clock is read a moment (10 ms) before the transactions are looked for, since one appears in the server's
 * list only a little after the moment that it calls its start.
 *
 * A cursor without time zone is taken to be in the time zone that the database sets for new sessions. The bound of a date is the
 * following day: rows of a day go on coming, and those at the end of a window are told apart by `seen` or merged by their key.
 *
 * What the bound does not cover needs a lookback: transactions of other roles when the connection's user is not a member of
 * pg_read_all_stats (their starts cannot be seen), what was stamped before a PREPARE TRANSACTION, transactions of the primary when a
 * standby is read, and rows stamped by a clock other than the server's.
 */
export async function readHorizon(client: PostgresClient): Promise<Horizon> {
  const { rows } = await client.query<{ at: string | null }>(clock);
  const horizon = await client.query<Required<Horizon>>(oldest, [rows[0]?.at ?? null]);
  return horizon.rows[0] ?? {};
}
