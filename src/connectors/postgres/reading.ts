import { isPlatformError, type PlatformError } from '../../model/errors.js';
import type { CursorWindow, FoundWindow, Reading, ReadKeys, ReadRequest, WindowRequest } from '../../model/reading.js';
import type { Segment } from '../../model/segment.js';
import { type TableColumn, tableColumns } from './catalogue.js';
import { connect, destroy, end, ownSearchPath, type PostgresClient } from './client.js';
import type { PostgresConfig } from './config.js';
import { toPostgresError } from './errors.js';
import { cursorTypeOf, findWindow } from './find-window.js';
import { type Horizon, readHorizon, readingName } from './horizon.js';
import { formatTableName, quoteIdentifier, type TableName, tableOf } from './identifiers.js';
import { copyRows, plannedRows } from './read.js';
import { bindWindow, windowSelect } from './window.js';

/**
 * Begins to read on one connection of its own, in one read-only transaction and one snapshot, so that all that is read through it
 * fits together. The bound of time cursors is asked before the snapshot is taken.
 */
export async function openReading(config: PostgresConfig, signal: AbortSignal): Promise<Reading> {
  const reading = new PostgresReading(config.database, await connect(config, readingName), signal);
  try {
    await reading.begin();
    return reading;
  } catch (error) {
    await reading.close();
    throw error;
  }
}

/** The signal cuts the connection, and so does a read that is left before its end. */
class PostgresReading implements Reading {
  private horizon: Horizon = {};
  private readonly columns = new Map<string, readonly TableColumn[]>();
  private readonly cut = () => destroy(this.client);

  constructor(
    private readonly database: string,
    private readonly client: PostgresClient,
    private readonly signal: AbortSignal,
  ) {
    signal.addEventListener('abort', this.cut, { once: true });
  }

  begin(): Promise<void> {
    return this.guarded(`PostgreSQL database "${this.database}"`, async () => {
      this.horizon = await readHorizon(this.client);
      await this.client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1; ${ownSearchPath}`);
    });
  }

  window(request: WindowRequest): Promise<FoundWindow> {
    const table = tableOf(request.stream);
    return this.guarded(reading(table), async () => findWindow(this.client, table, await this.columnsOf(table), request, this.horizon));
  }

  touched(stream: string, window: CursorWindow, columns: readonly string[], most: number): Promise<ReadKeys['rows'] | null> {
    const table = tableOf(stream);
    return this.guarded(reading(table), async () => {
      const existing = await this.columnsOf(table);
      const bound = { table, window, type: cursorTypeOf(table, existing, window.cursor), existing: new Set(existing.map(({ name }) => name)) };
      await bindWindow(this.client, bound);
      const items = columns.map((name) => `CAST(${quoteIdentifier(name)} AS text)`).join(', ');
      const text = `SELECT DISTINCT ${items} FROM (${windowSelect(bound, columns)}) AS touched LIMIT ${most + 1}`;
      const { rows } = await this.client.query<(string | null)[]>({ text, rowMode: 'array' });
      return rows.length > most ? null : rows;
    });
  }

  expectedRows(request: Omit<ReadRequest, 'folder' | 'limits'>): Promise<number | null> {
    const table = tableOf(request.stream);
    return this.guarded(reading(table), async () => plannedRows(this.client, table, await this.columnsOf(table), request));
  }

  async *read(request: ReadRequest): AsyncGenerator<Segment> {
    const table = tableOf(request.stream);
    let finished = false;
    try {
      this.signal.throwIfAborted();
      yield* copyRows(this.client, table, await this.columnsOf(table), request);
      finished = true;
    } catch (error) {
      throw this.toError(error, reading(table));
    } finally {
      if (!finished) destroy(this.client); // a COPY that was not read to its end leaves the connection unusable
    }
  }

  async close(): Promise<void> {
    this.signal.removeEventListener('abort', this.cut);
    await end(this.client);
  }

  private async columnsOf(table: TableName): Promise<readonly TableColumn[]> {
    const name = formatTableName(table);
    const columns = this.columns.get(name) ?? (await tableColumns(this.client, table));
    this.columns.set(name, columns);
    return columns;
  }

  private async guarded<T>(where: string, work: () => Promise<T>): Promise<T> {
    try {
      this.signal.throwIfAborted();
      return await work();
    } catch (error) {
      throw this.toError(error, where);
    }
  }

  private toError(error: unknown, where: string): PlatformError | unknown {
    if (this.signal.aborted) return this.signal.reason;
    return isPlatformError(error) ? error : toPostgresError(error, 'read', where);
  }
}

function reading(table: TableName): string {
  return `Reading ${formatTableName(table)}`;
}
