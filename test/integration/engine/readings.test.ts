import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { WindowRequest } from '../../../src/model/reading.js';
import { until } from './loading.js';
import { SourceTable, windowRequest } from './source-table.js';

let source: SourceTable;
const stream = 'public.source';

beforeAll(async () => {
  source = await SourceTable.open('readings');
});
afterAll(() => source?.drop());
beforeEach(() => source.database.query('DROP TABLE IF EXISTS public.source CASCADE'));

describe('a reading', () => {
  it('shows every stream as of one moment', async () => {
    await source.make('integer', ['a', '1']);
    await source.within(async (reading) => {
      await source.add(['b', '2']);
      await source.database.query('CREATE TABLE public.newer AS SELECT 1 AS id');
      expect(await source.valuesOf(reading, {})).toEqual(['a']);
      expect(await reading.window(windowRequest())).toMatchObject({ last: '1' });
      expect(await source.valuesOf(reading, {})).toEqual(['a']);
    });
    await source.database.query('DROP TABLE public.newer');
  });

  it('shows two streams as of one moment, rows that move between them in between neither twice nor not at all', async () => {
    await source.make('integer', ['a', '1'], ['b', '1']);
    await source.database.query(`CREATE TABLE public.other AS SELECT 'c' AS v, 1 AS at`);
    const other = 'public.other';
    await source.within(async (reading) => {
      expect(await source.valuesOf(reading)).toEqual(['a', 'b']);
      await source.database.query(
        `WITH moved AS (DELETE FROM public.source WHERE v = 'a' RETURNING v) INSERT INTO public.other SELECT v, 2 FROM moved;
         WITH moved AS (DELETE FROM public.other WHERE v = 'c' RETURNING v) INSERT INTO public.source SELECT v, 2 FROM moved`,
      );
      expect(await source.valuesOf(reading, { stream: other })).toEqual(['c']);
      const { window, last } = await reading.window(windowRequest({ stream: other, from: '1' }));
      expect(last).toBe('1');
      expect(await reading.touched(other, window, ['v'], 10)).toEqual([['c']]);
      expect(await source.valuesOf(reading, { keys: { columns: ['v'], rows: [['a'], ['c']] } })).toEqual(['a']);
    });
    await source.within(async (reading) => {
      expect(await source.valuesOf(reading)).toEqual(['b', 'c']);
      expect(await source.valuesOf(reading, { stream: other })).toEqual(['a']);
    });
    await source.database.query('DROP TABLE public.other');
  });

  it('knows about how many rows it will give: of a table, of a window, of keys', async () => {
    await source.make('integer');
    await source.database.query(`INSERT INTO public.source SELECT i % 100, i FROM generate_series(1, 10000) AS i`);
    await source.database.query('ANALYZE public.source');
    await source.within(async (reading) => {
      const expected = (request: object) => reading.expectedRows?.({ stream, columns: ['v'], window: null, keys: null, ...request });
      expect(await expected({})).toBe(10_000);
      const window = { cursor: 'at', from: '9000', to: null, lookback: null, nulls: false, seen: null };
      const ofWindow = (await expected({ window })) ?? 0;
      expect(ofWindow).toBeGreaterThan(0);
      expect(ofWindow).toBeLessThanOrEqual(5_000);
      const ofKeys = (await expected({ keys: { columns: ['v'], rows: [['7'], ['8']] } })) ?? 0;
      expect(ofKeys).toBeGreaterThan(0);
      expect(ofKeys).toBeLessThanOrEqual(10_000);
      expect(await source.valuesOf(reading, { window: { ...window, from: '9999' } })).toEqual(['0', '99']);
    });
  });

  it('of a stream that is not there says so', async () => {
    await expect(source.run()).rejects.toMatchObject({ code: 'STREAM_NOT_FOUND' });
  });

  it('that is broken off in the middle, or cut by its signal, ends its session', async () => {
    await source.make('integer');
    await source.database.query(`INSERT INTO public.source SELECT repeat('x', 1000), i FROM generate_series(1, 20000) AS i`);
    const sessions = () => source.database.query(`SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'tributary%'`);
    const small = { stream, columns: ['v'], window: null, keys: null, folder: source.folder, limits: { segmentBytes: 1 << 16 } };
    await source.within(async (reading) => {
      for await (const { path } of reading.read(small)) {
        await rm(path);
        break;
      }
    });
    await until(async () => (await sessions()).length === 0, 'the session of the reading that was left has ended');
    const cut = new AbortController();
    const reading = await source.session.openReading(cut.signal);
    const reads = (async () => {
      for await (const { path } of reading.read(small)) {
        await rm(path);
        cut.abort(new Error('enough'));
      }
    })();
    await expect(reads).rejects.toThrow('enough');
    await expect(reading.window(windowRequest())).rejects.toThrow('enough');
    await reading.close();
    await until(async () => (await sessions()).length === 0, 'the session of the reading that was cut has ended');
    for (const name of await readdir(source.folder)) await rm(join(source.folder, name));
  });
});

describe('keys', () => {
  const touched = (columns: readonly string[], most: number, given: Partial<WindowRequest> = {}) =>
    source.within(async (reading) => reading.touched(stream, (await reading.window(windowRequest(given))).window, columns, most));
  const byKeys = (columns: readonly string[], rows: readonly (readonly (string | null)[])[]) =>
    source.within((reading) => source.valuesOf(reading, { keys: { columns, rows } }));

  it('that a window touches are given once each, and not at all when they are too many', async () => {
    await source.make('integer', ['a', '1'], ['b', '2'], ['b', '3'], ['c', '3']);
    expect((await touched(['v'], 2, { from: '2' }))?.map(([v]) => v).sort()).toEqual(['b', 'c']);
    expect(await touched(['v'], 1, { from: '2' })).toBeNull();
  });

  it('find their rows, NULL too, each row once however often its key is named', async () => {
    await source.database.query('CREATE TABLE public.source (v text, a integer, b text)');
    await source.database.query(
      `INSERT INTO public.source VALUES ('1x', 1, 'x'), ('1n', 1, NULL), ('nx', NULL, 'x'), ('nn', NULL, NULL), ('1e', 1, ''), ('2x', 2, 'x'), ('1x', 1, 'x')`,
    );
    expect(
      await byKeys(
        ['a', 'b'],
        [
          ['1', 'x'],
          ['1', 'x'],
          ['01', 'x'],
        ],
      ),
    ).toEqual(['1x', '1x']);
    expect(
      await byKeys(
        ['a', 'b'],
        [
          ['1', null],
          [null, 'x'],
          [null, null],
          ['3', 'x'],
        ],
      ),
    ).toEqual(['1n', 'nn', 'nx']);
    expect(await byKeys(['b'], [['']])).toEqual(['1e']);
    expect(await byKeys(['a'], [])).toEqual([]);
  });

  it('are values and never part of a statement', async () => {
    const hostile = `'); DROP TABLE public.source; --"\\ \u2028`;
    await source.make('integer', [hostile, '1'], ['b', '2']);
    expect(await byKeys(['v'], [[hostile]])).toEqual([hostile]);
  });

  it('are looked up by an index where there is one, and so is the beginning of a window', async () => {
    await source.database.query('CREATE TABLE public.source (v text, at integer)');
    await source.database.query('INSERT INTO public.source SELECT i::text, i FROM generate_series(1, 200000) AS i');
    // The scans that make the indexes are counted at once, not ten seconds later among those that are looked for.
    await source.database.query(
      'CREATE INDEX ON public.source (v); CREATE INDEX ON public.source (at); ANALYZE public.source; SELECT pg_stat_force_next_flush()',
    );
    const scans = async () =>
      (await source.database.query<{ scans: number }>(`SELECT seq_scan::int AS scans FROM pg_stat_user_tables WHERE relname = 'source'`))[0]?.scans;
    const indexed = async () =>
      (await source.database.query<{ scans: number }>(`SELECT idx_scan::int AS scans FROM pg_stat_user_tables WHERE relname = 'source'`))[0]?.scans ?? 0;
    const [before, indexedBefore] = [await scans(), await indexed()];
    const wanted = Array.from({ length: 10 }, (_, index) => String(index * 1_000 + 1));
    expect(
      await byKeys(
        ['v'],
        wanted.map((v) => [v]),
      ),
    ).toEqual([...wanted].sort());
    expect((await source.run({ from: '199990', nulls: 'exclude' })).values).toHaveLength(11);
    await until(async () => (await indexed()) > indexedBefore + 2, 'the scans of both readings are counted');
    expect(await scans()).toBe(before);
  });
});
