import type { CommittedLoad, Load, LoadCounts, LoadRequest, RefusedRow } from '../../model/connector.js';
import { PlatformError } from '../../model/errors.js';
import type { Segment } from '../../model/segment.js';
import { ensureBookkeeping, findLoad, recordCounts, recordLoad } from './bookkeeping.js';
import { connect, destroy, end, type PostgresClient, withClient } from './client.js';
import type { PostgresConfig } from './config.js';
import { isConnectionLost, miscounted, toPostgresError } from './errors.js';
import { quoteTable, type TableName } from './identifiers.js';
import { loadSessionName } from './load-session.js';
import { mergeStage } from './merge.js';
import { overwrite } from './overwrite.js';
import { collectRefused, type RefusedCounts, readRefused } from './refused.js';
import { advanceSlots, assertVersions, lockSlots } from './slots.js';
import { Stage } from './stage.js';
import { beginStraight } from './straight.js';
import { assertKey, ensureTable } from './target.js';

/**
 * Opens a load: rows are collected in temporary tables of this one session, or copied straight into the table within its transaction;
 * a cut connection undoes both.
 */
export async function openLoad(config: PostgresConfig, table: TableName, request: LoadRequest, signal: AbortSignal): Promise<Load> {
  const load = new PostgresLoad(config, table, request, await connect(config, loadSessionName(request.identity)));
  try {
    await load.prepare(signal);
    return load;
  } catch (error) {
    await load.abort();
    throw error;
  }
}

class PostgresLoad implements Load {
  private readonly staged: Stage;
  private refusals: RefusedCounts = { rows: 0, erased: 0 };

  constructor(
    private readonly config: PostgresConfig,
    private readonly table: TableName,
    private readonly request: LoadRequest,
    private readonly client: PostgresClient,
  ) {
    this.staged = new Stage(client, request);
  }

  get unnumbered(): boolean {
    return this.staged.straight;
  }

  prepare(signal: AbortSignal): Promise<void> {
    return this.guarded(signal, async () => {
      await this.staged.create();
      if (await beginStraight(this.client, this.table, this.request)) this.staged.goStraightTo(this.table);
    });
  }

  stage(segment: Segment, signal: AbortSignal): Promise<void> {
    return this.guarded(signal, () => this.staged.copy(segment));
  }

  async stageErased(segment: Segment, signal: AbortSignal): Promise<void> {
    const { mode, stream } = this.request;
    if (mode !== 'upsert') throw new PlatformError('INTERNAL', `Only an upsert can erase rows by their key; ${stream} is loaded by ${mode}.`);
    return this.guarded(signal, () => this.staged.copyErased(segment));
  }

  async *refused(signal: AbortSignal): AsyncGenerator<readonly RefusedRow[]> {
    this.refusals = await this.guarded(signal, () => collectRefused(this.client, this.request, this.staged));
    const all = this.refusals.rows + this.refusals.erased;
    for (let read = 0; read < all; ) {
      const rows = await this.guarded(signal, () => readRefused(this.client, this.request, read));
      read += rows.length;
      yield rows;
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
    if (!this.staged.straight) await client.query('BEGIN ISOLATION LEVEL READ COMMITTED');
    await ensureBookkeeping(client, table.schema);
    const locked = await lockSlots(client, table.schema, request);
    if (!(await recordLoad(client, table.schema, request))) return false;
    assertVersions(locked, request);
    await ensureTable(client, table, request);
    await assertKey(client, table, request);
    const merge = { request, table, staged: this.staged, refused: this.refusals };
    const counts = request.mode === 'overwrite' ? await overwrite(client, merge) : await mergeStage(client, merge);
    assertReconciled(request, counts);
    await recordCounts(client, table.schema, request, counts);
    await advanceSlots(client, table.schema, request);
    return true;
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

/** The rows that an overwrite deletes are those of the table, not staged ones. @throws PlatformError COUNTS_MISMATCH */
function assertReconciled({ mode, stream }: LoadRequest, counts: LoadCounts): void {
  const { staged, inserted, updated, deleted, unchanged, stale, rejected } = counts;
  const sum = inserted + updated + (mode === 'overwrite' ? 0 : deleted) + unchanged + stale + rejected;
  if (staged === sum && unchanged >= 0 && stale >= 0) return;
  throw miscounted(
    `${staged} rows were staged, but ${inserted} inserted, ${updated} updated, ${deleted} deleted, ${unchanged} unchanged, ${stale} stale and ${rejected} rejected`,
    stream,
  );
}
