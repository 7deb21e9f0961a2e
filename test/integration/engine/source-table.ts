import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Session } from '../../../src/model/connector.js';
import type { FoundWindow, Reading, ReadRequest, WindowRequest } from '../../../src/model/reading.js';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';
import { parseCsv } from '../../unit/pipeline/csv.js';
import { never, openSession } from './loading.js';

const stream = 'public.source';

export function windowRequest(given: Partial<WindowRequest> = {}): WindowRequest {
  return { stream, cursor: 'at', from: null, lookback: null, nulls: 'fail', seen: null, seenColumns: null, ...given };
}

/** A database with a table `public.source (v text, at …)` that is read, with a folder for its segments. */
export class SourceTable {
  private constructor(
    readonly database: TestDatabase,
    readonly session: Session,
    readonly folder: string,
  ) {}

  static async open(purpose: string): Promise<SourceTable> {
    const database = await createDatabase(purpose);
    return new SourceTable(database, openSession(database), await mkdtemp(join(tmpdir(), `tributary-${purpose}-`)));
  }

  /** `type` of the column `at`, with whatever a column definition may say behind it. */
  async make(type: string, ...rows: readonly (readonly [string, string | null])[]): Promise<void> {
    await this.database.query(`CREATE TABLE public.source (v text, at ${type})`);
    await this.add(...rows);
  }

  async add(...rows: readonly (readonly [string, string | null])[]): Promise<void> {
    for (const row of rows) await this.database.query('INSERT INTO public.source VALUES ($1, $2)', row);
  }

  async within<T>(work: (reading: Reading) => Promise<T>): Promise<T> {
    const reading = await this.session.openReading(never);
    try {
      return await work(reading);
    } finally {
      await reading.close();
    }
  }

  /** Values of `v`, sorted. */
  async valuesOf(reading: Reading, given: Partial<ReadRequest> = {}): Promise<string[]> {
    const values: string[] = [];
    const request = { stream, columns: ['v'], window: null, keys: null, folder: this.folder, limits: { segmentBytes: 1 << 20 } };
    for await (const { path } of reading.read({ ...request, ...given })) {
      values.push(...parseCsv(await readFile(path, 'utf8')).map((row) => String(row[1])));
      await rm(path);
    }
    return values.sort();
  }

  /** One run: the window, and the values of its rows. */
  run(given: Partial<WindowRequest> = {}): Promise<FoundWindow & { values: string[] }> {
    return this.within(async (reading) => {
      const found = await reading.window(windowRequest(given));
      return { ...found, values: await this.valuesOf(reading, { window: found.window }) };
    });
  }

  async drop(): Promise<void> {
    await this.database.drop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
