import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { type CommittedLoad, hasUniqueKey, type Load, type LoadRequest, type RefusedRow } from '../../model/connector.js';
import { PlatformError } from '../../model/errors.js';
import type { Segment } from '../../model/segment.js';
import { ensureBookkeeping, findLoad, finishLoad, lockByName, lockSlots, recordLoad } from './bookkeeping.js';
import { describeTables } from './catalogue.js';
import { connect, destroy, end, ownSearchPath, type PostgresClient, withClient } from './client.js';
import type { PostgresConfig } from './config.js';
import { isConnectionLost, toPostgresError } from './errors.js';
import { quoteIdentifier, quoteIdentifiers, quoteTable, type TableName } from './identifiers.js';
import { acceptable, mergeStage } from './merge.js';

const refusedBatch = 1_000;
const stage = 'pg_temp._tributary_stage';
const refused = 'pg_temp._tributary_refused';

interface RefusedRecord {
  readonly _pos: string;
  readonly ordinal: string;
  readonly row: Record<string, string | null>;
}

/** Opens a load: rows are collected in a temporary table of this one session, which a cut connection takes with it. */
export async function openLoad(config: PostgresConfig, table: TableName, request: LoadRequest, signal: AbortSignal): Promise<Load> {
  const load = new PostgresLoad(config, table, request, await connect(config));
  try {
    await load.prepare(signal);
    return load;
  } catch (error) {
    await load.abort();
    throw error;
  }
}

class PostgresLoad implements Load {
  private stagedRows = 0;
  private refusedRows = 0;

  constructor(
    private readonly config: PostgresConfig,
    private readonly table: TableName,
    private readonly request: LoadRequest,
    private readonly client: PostgresClient,
  ) {}

  prepare(signal: AbortSignal): Promise<void> {
    const columns = this.request.columns.map(({ name, type }) => `${quoteIdentifier(name)} ${type}`).join(', ');
    return this.guarded(signal, async () => {
      await this.client.query(
        `SET work_mem = '64MB'; CREATE TEMPORARY TABLE _tributary_stage (_pos bigint, ${columns}) ON COMMIT PRESERVE ROWS; ${ownSearchPath}`,
      );
    });
  }

  stage(segment: Segment, signal: AbortSignal): Promise<void> {
    const columns = quoteIdentifiers(['_pos', ...segment.columns]);
    return this.guarded(signal, async () => {
      const copy = this.client.query(copyFrom(`COPY ${stage} (${columns}) FROM STDIN (FORMAT csv)`));
      await pipeline(createReadStream(segment.path, { highWaterMark: 1 << 18 }), copy);
      if (copy.rowCount !== segment.rows) throw this.miscounted(`${segment.rows} rows were sent to the destination and ${copy.rowCount} arrived`);
      this.stagedRows += segment.rows;
    });
  }

  async *refused(signal: AbortSignal): AsyncGenerator<readonly RefusedRow[]> {
    if (this.request.mode === 'append') return;
    this.refusedRows = await this.guarded(signal, () => this.collectRefused());
    for (let after = 0, read = 0; read < this.refusedRows; ) {
      const { rows } = await this.guarded(signal, () =>
        this.client.query<RefusedRecord>(`SELECT _pos, ordinal, "row" FROM ${refused} WHERE _pos > $1 ORDER BY _pos LIMIT ${refusedBatch}`, [after]),
      );
      read += rows.length;
      after = Number(rows.at(-1)?._pos);
      yield rows.map((row) => this.toRefused(row));
    }
  }

  async commit(signal: AbortSignal): Promise<CommittedLoad> {
    const { identity } = this.request;
    let sent = false;
    try {
      const done = await this.guarded(signal, async () => {
        const first = await this.merge();
        sent = first;
        await this.client.query(first ? 'COMMIT' : 'ROLLBACK');
        return first;
      });
      await end(this.client);
      if (!done) return await this.existing(identity.loadId);
    } catch (error) {
      destroy(this.client);
      if (!sent) throw error;
      // Whether a COMMIT whose answer is lost took place stands in `_tributary_loads`.
      const found = await this.find(identity.loadId);
      if (found) return found;
      throw error;
    }
    return this.existing(identity.loadId);
  }

  async abort(): Promise<void> {
    destroy(this.client);
    await end(this.client);
  }

  /** Everything up to the COMMIT; false when this load had been committed before. */
  private async merge(): Promise<boolean> {
    const { client, request, table } = this;
    await client.query('BEGIN ISOLATION LEVEL READ COMMITTED');
    await ensureBookkeeping(client, table.schema);
    await lockSlots(client, table.schema, request);
    if (!(await recordLoad(client, table.schema, request))) return false;
    await ensureTable(client, table, request);
    await this.assertKey();
    const counts = await mergeStage(client, { request, table, stage, stagedRows: this.stagedRows, refusedRows: this.refusedRows });
    const { staged, inserted, updated, deleted, unchanged, stale, rejected } = counts;
    if (staged !== inserted + updated + deleted + unchanged + stale + rejected || unchanged < 0) {
      throw this.miscounted(
        `${staged} rows were staged, but ${inserted} inserted, ${updated} updated, ${unchanged} unchanged, ${stale} stale and ${rejected} rejected`,
      );
    }
    await finishLoad(client, table.schema, request, counts);
    return true;
  }

  /** A table that another load has made since this one was bound may have no unique index on the key. */
  private async assertKey(): Promise<void> {
    const { dataset, key, mode, stream } = this.request;
    if (mode === 'append') return;
    const [found] = await describeTables(this.client, [this.table], () => dataset);
    if (found && hasUniqueKey(found, key)) return;
    throw new PlatformError(
      'DESTINATION_MISMATCH',
      `${stream} does not fit: it has no unique index on (${key.join(', ')}), which an upsert by that key needs. Add one.`,
    );
  }

  private async existing(loadId: string): Promise<CommittedLoad> {
    const found = await this.find(loadId);
    if (found) return found;
    throw new PlatformError(
      'DESTINATION_FAILED',
      `Load ${loadId} was committed to ${quoteTable(this.table)} but is not recorded there. Was _tributary_loads changed by hand?`,
    );
  }

  private find(loadId: string): Promise<CommittedLoad | null> {
    return withClient(this.config, 'load', (client) => findLoad(client, this.table.schema, loadId));
  }

  /** Sets the rows aside that have no key or no order, as texts; returns how many there are. */
  private async collectRefused(): Promise<number> {
    const texts = this.request.columns.map(({ name }) => `${quoteIdentifier(name)}::text AS ${quoteIdentifier(name)}`).join(', ');
    const rows = `SELECT _pos, to_jsonb(texts.*) - '_pos' AS "row" FROM (SELECT _pos, ${texts} FROM ${stage} WHERE NOT (${acceptable(this.request)})) AS texts`;
    const { rowCount } = await this.client.query(
      `CREATE TEMPORARY TABLE _tributary_refused AS SELECT _pos, "row", row_number() OVER (PARTITION BY "row" ORDER BY _pos) AS ordinal FROM (${rows}) AS refused`,
    );
    if (rowCount) await this.client.query(`CREATE INDEX ON ${refused} (_pos)`);
    return rowCount ?? 0;
  }

  private toRefused({ _pos, ordinal, row }: RefusedRecord): RefusedRow {
    const missing = this.request.key.filter((name) => row[name] === null);
    const code = missing.length > 0 ? 'NULL_KEY' : 'NULL_ORDER';
    const names = missing.length > 0 ? missing.join(', ') : this.request.orderBy;
    return {
      position: Number(_pos),
      ordinal: Number(ordinal),
      code,
      message: `${names} is null, and the load needs it as ${code === 'NULL_KEY' ? 'the key' : 'orderBy'}.`,
      row,
    };
  }

  private miscounted(found: string): PlatformError {
    return new PlatformError('COUNTS_MISMATCH', `${found} (${this.request.stream}). Nothing was written; start the run again and report this if it stays.`);
  }

  /** A signal cuts the connection: the server ends the statement and rolls back. */
  private async guarded<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const cut = () => destroy(this.client);
    signal.addEventListener('abort', cut, { once: true });
    try {
      signal.throwIfAborted();
      return await work();
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const mapped = toPostgresError(error, 'load', `Loading ${this.request.stream}`);
      throw isConnectionLost(error) ? new PlatformError('DESTINATION_FAILED', mapped.message, { cause: error, retryable: true }) : mapped;
    } finally {
      signal.removeEventListener('abort', cut);
    }
  }
}

/** Makes the table where it is missing; makers wait for one another. One that is there needs no right to create. */
async function ensureTable(client: PostgresClient, table: TableName, request: LoadRequest): Promise<void> {
  const { rows } = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [quoteTable(table)]);
  if (rows[0]?.there) return;
  await lockByName(client, `tributary table ${quoteTable(table)}`);
  await client.query(createTable(table, request));
}

/** With the load key as primary key, as a new table would be made by hand. */
function createTable(table: TableName, { columns, key }: LoadRequest): string {
  const definitions = columns.map(({ name, type }) => `${quoteIdentifier(name)} ${type}`);
  if (key.length > 0) definitions.push(`PRIMARY KEY (${quoteIdentifiers(key)})`);
  return `CREATE TABLE IF NOT EXISTS ${quoteTable(table)} (${definitions.join(', ')})`;
}
