import type { CommittedLoad, LoadCounts, LoadRequest } from '../../model/connector.js';
import type { PostgresClient } from './client.js';
import { quoteIdentifier } from './identifiers.js';

/**
 * Two tables beside the output table make a load happen once: `_tributary_loads` has a row for every committed load,
 * `_tributary_state` one slot for every (pipeline, input, output), with the highest epoch seen. Both change in the transaction of the rows.
 */
export const formatVersion = 1;

const createTables = (schema: string): string => `
CREATE TABLE IF NOT EXISTS ${schema}._tributary_state (
  pipeline_id text NOT NULL, input text NOT NULL, output text NOT NULL, format integer NOT NULL, epoch bigint NOT NULL, version bigint NOT NULL,
  state jsonb NOT NULL, updated_at timestamptz NOT NULL, PRIMARY KEY (pipeline_id, input, output));
CREATE TABLE IF NOT EXISTS ${schema}._tributary_loads (
  load_id text PRIMARY KEY, format integer NOT NULL, pipeline_id text NOT NULL, run_id text NOT NULL, output text NOT NULL, attempt integer NOT NULL, epoch bigint NOT NULL,
  staged bigint NOT NULL, inserted bigint NOT NULL, updated bigint NOT NULL, deleted bigint NOT NULL, unchanged bigint NOT NULL, stale bigint NOT NULL, rejected bigint NOT NULL,
  committed_at timestamptz NOT NULL)`;

interface LoadRow extends LoadCountsRow {
  readonly attempt: number;
  readonly committed_at: string;
}
type LoadCountsRow = { readonly [Count in keyof LoadCounts]: string };

/** Makes schema and both tables where they are missing. Part of the caller's transaction; makers wait for one another. */
export async function ensureBookkeeping(client: PostgresClient, schema: string): Promise<void> {
  const { rows } = await client.query<{ missing: boolean }>(
    `SELECT to_regclass(quote_ident($1) || '._tributary_state') IS NULL OR to_regclass(quote_ident($1) || '._tributary_loads') IS NULL AS missing`,
    [schema],
  );
  if (!rows[0]?.missing) return;
  await lockByName(client, `tributary bookkeeping ${schema}`);
  // Asked of the catalogue and not of CREATE … IF NOT EXISTS, whose cache may not know yet what the maker before us has committed.
  const { rowCount } = await client.query('SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1', [schema]);
  if (!rowCount) await client.query(`CREATE SCHEMA ${quoteIdentifier(schema)}`);
  await client.query(createTables(quoteIdentifier(schema)));
}

/** Held until the transaction ends. Whoever asks about a load takes the same lock and so waits for a commit under way. */
export async function lockByName(client: PostgresClient, name: string): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [name]);
}

/** False: this load had been committed before. */
export async function recordLoad(client: PostgresClient, schema: string, { identity, dataset }: LoadRequest): Promise<boolean> {
  await lockByName(client, identity.loadId);
  const { rowCount } = await client.query(
    `INSERT INTO ${quoteIdentifier(schema)}._tributary_loads
       (load_id, format, pipeline_id, run_id, output, attempt, epoch, staged, inserted, updated, deleted, unchanged, stale, rejected, committed_at)
     VALUES ($1, ${formatVersion}, $2, $3, $4, $5, $6, 0, 0, 0, 0, 0, 0, 0, now()) ON CONFLICT DO NOTHING`,
    [identity.loadId, identity.pipelineId, identity.runId, dataset.name, identity.attempt, identity.epoch],
  );
  return rowCount === 1;
}

/** Writes what became of the rows of the load. */
export async function recordCounts(client: PostgresClient, schema: string, { identity }: LoadRequest, counts: LoadCounts): Promise<void> {
  const { staged, inserted, updated, deleted, unchanged, stale, rejected } = counts;
  await client.query(
    `UPDATE ${quoteIdentifier(schema)}._tributary_loads
     SET staged = $2, inserted = $3, updated = $4, deleted = $5, unchanged = $6, stale = $7, rejected = $8 WHERE load_id = $1`,
    [identity.loadId, staged, inserted, updated, deleted, unchanged, stale, rejected],
  );
}

/** null: not committed, which is certain, since a commit under way is waited for. Needs a transaction of its own. */
export async function findLoad(client: PostgresClient, schema: string, loadId: string): Promise<CommittedLoad | null> {
  await client.query('BEGIN ISOLATION LEVEL READ COMMITTED');
  await lockByName(client, loadId);
  const exists = await client.query<{ exists: boolean }>(`SELECT to_regclass(quote_ident($1) || '._tributary_loads') IS NOT NULL AS exists`, [schema]);
  if (!exists.rows[0]?.exists) {
    await client.query('COMMIT');
    return null;
  }
  const { rows } = await client.query<LoadRow>(
    `SELECT staged, inserted, updated, deleted, unchanged, stale, rejected, attempt, to_char(committed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS committed_at
     FROM ${quoteIdentifier(schema)}._tributary_loads WHERE load_id = $1`,
    [loadId],
  );
  await client.query('COMMIT');
  return rows[0] ? toCommittedLoad(rows[0]) : null;
}

function toCommittedLoad({ attempt, committed_at: committedAt, ...row }: LoadRow): CommittedLoad {
  const { staged, inserted, updated, deleted, unchanged, stale, rejected } = row;
  const counts = {
    staged: Number(staged),
    inserted: Number(inserted),
    updated: Number(updated),
    deleted: Number(deleted),
    unchanged: Number(unchanged),
    stale: Number(stale),
    rejected: Number(rejected),
  };
  return { attempt, committedAt, counts };
}
