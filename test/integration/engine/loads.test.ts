import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Session } from '../../../src/model/connector.js';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';
import { loadRequest, loadRows, never, openSession, refusedRows, staged, stageRows } from './loading.js';

let database: TestDatabase;
let session: Session;
const none = { staged: 0, inserted: 0, updated: 0, deleted: 0, unchanged: 0, stale: 0, rejected: 0 };
const stored = (table = 'public.target') => database.query(`SELECT * FROM ${table} ORDER BY 1, 2`);

beforeAll(async () => {
  database = await createDatabase('loads');
  session = openSession(database);
});
afterAll(() => database?.drop());
beforeEach(async () => {
  await database.query('DROP TABLE IF EXISTS public.target, public._tributary_loads, public._tributary_state');
});

describe('an append', () => {
  it('makes the table and inserts every row, equal ones too, in source order', async () => {
    const { counts } = await loadRows(session, [
      ['2', 'b'],
      ['1', null],
      ['1', null],
      ['3', ''],
    ]);
    expect(counts).toEqual({ ...none, staged: 4, inserted: 4 });
    expect(await database.query('SELECT id, v FROM public.target ORDER BY ctid')).toEqual([
      { id: 2, v: 'b' },
      { id: 1, v: null },
      { id: 1, v: null },
      { id: 3, v: '' },
    ]);
  });

  it('adds to what is there', async () => {
    await loadRows(session, [['1', 'a']]);
    await loadRows(session, [['1', 'a']]);
    expect(await stored()).toEqual([
      { id: 1, v: 'a' },
      { id: 1, v: 'a' },
    ]);
  });

  it('makes a schema that is missing, and quotes every name', async () => {
    const stream = 'My "schema".a; DROP TABLE x';
    await loadRows(session, [['1', 'a']], { stream, columns: { 'we"ird; --': 'integer', select: 'text' } });
    expect(await stored('"My ""schema"""."a; DROP TABLE x"')).toEqual([{ 'we"ird; --': 1, select: 'a' }]);
  });

  it('that a constraint of the table refuses leaves it as before', async () => {
    await database.query(`CREATE TABLE public.target (id integer, v text CHECK (v <> 'bad'))`);
    await loadRows(session, [['1', 'good']]);
    await expect(
      loadRows(session, [
        ['2', 'good'],
        ['3', 'bad'],
      ]),
    ).rejects.toMatchObject({ code: 'DESTINATION_REFUSED' });
    expect(await stored()).toEqual([{ id: 1, v: 'good' }]);
  });

  it('whose rows a trigger drops is a COUNTS_MISMATCH and leaves the table as before', async () => {
    await database.query(`CREATE TABLE public.target (id integer, v text)`);
    await database.query(
      `CREATE OR REPLACE FUNCTION public.drop_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.id = 2 THEN RETURN NULL; END IF; RETURN NEW; END'`,
    );
    await database.query(`CREATE TRIGGER drops BEFORE INSERT ON public.target FOR EACH ROW EXECUTE FUNCTION public.drop_row()`);
    await expect(
      loadRows(session, [
        ['1', 'a'],
        ['2', 'b'],
      ]),
    ).rejects.toMatchObject({ code: 'COUNTS_MISMATCH' });
    expect(await stored()).toEqual([]);
  });
});

describe('an upsert', () => {
  const key = ['id'];

  it('makes the table with the key as its primary key', async () => {
    await loadRows(session, [['1', 'a']], { key });
    expect((await session.describe('public.target'))?.primaryKey).toEqual(['id']);
  });

  it('of rows with one key keeps the last position', async () => {
    const { counts } = await loadRows(
      session,
      [
        ['1', 'first'],
        ['2', 'x'],
        ['1', 'second'],
        ['1', 'third'],
      ],
      { key },
    );
    expect(counts).toEqual({ ...none, staged: 4, inserted: 2, stale: 2 });
    expect(await stored()).toEqual([
      { id: 1, v: 'third' },
      { id: 2, v: 'x' },
    ]);
  });

  it('keeps the last position across segments', async () => {
    const request = loadRequest(session, { key });
    const load = await session.load(request, never);
    await stageRows(load, request, [['1', 'late']], 10);
    await stageRows(load, request, [['1', 'early']], 1);
    expect(await refusedRows(load)).toEqual([]);
    expect((await load.commit(never)).counts).toEqual({ ...none, staged: 2, inserted: 1, stale: 1 });
    expect(await stored()).toEqual([{ id: 1, v: 'late' }]);
  });

  it('inserts new rows, updates changed ones and leaves equal ones alone', async () => {
    await loadRows(
      session,
      [
        ['1', 'a'],
        ['2', null],
        ['3', 'c'],
      ],
      { key },
    );
    const before = await database.query<{ id: number; xmin: string }>('SELECT id, xmin FROM public.target ORDER BY id');
    const { counts } = await loadRows(
      session,
      [
        ['1', 'a'],
        ['2', null],
        ['3', 'C'],
        ['4', 'd'],
      ],
      { key },
    );
    expect(counts).toEqual({ ...none, staged: 4, inserted: 1, updated: 1, unchanged: 2 });
    expect(await stored()).toEqual([
      { id: 1, v: 'a' },
      { id: 2, v: null },
      { id: 3, v: 'C' },
      { id: 4, v: 'd' },
    ]);
    const after = await database.query<{ id: number; xmin: string }>('SELECT id, xmin FROM public.target WHERE id < 3 ORDER BY id');
    expect(after).toEqual(before.slice(0, 2));
  });

  it('takes a value from NULL and to NULL', async () => {
    await loadRows(
      session,
      [
        ['1', null],
        ['2', 'b'],
      ],
      { key },
    );
    expect(
      (
        await loadRows(
          session,
          [
            ['1', 'a'],
            ['2', null],
          ],
          { key },
        )
      ).counts,
    ).toEqual({ ...none, staged: 2, updated: 2 });
    expect(await stored()).toEqual([
      { id: 1, v: 'a' },
      { id: 2, v: null },
    ]);
  });

  it('sees a change that = does not see: 1.0 to 1.00, -0 to 0, and types without =', async () => {
    const columns = { id: 'integer', n: 'numeric', d: 'double precision', j: 'json', p: 'point' };
    await loadRows(
      session,
      [
        ['1', '1.0', '-0', '{}', '(1,1)'],
        ['2', '1', '0', '{ }', '(2,2)'],
      ],
      { key, columns },
    );
    expect(
      (
        await loadRows(
          session,
          [
            ['1', '1.00', '0', '{}', '(1,1)'],
            ['2', '1', '0', '{ }', '(2,2)'],
          ],
          { key, columns },
        )
      ).counts,
    ).toEqual({ ...none, staged: 2, updated: 1, unchanged: 1 });
    expect(await database.query('SELECT n::text, d::text FROM public.target WHERE id = 1')).toEqual([{ n: '1.00', d: '0' }]);
  });

  it('gives a load that is repeated under another id no row to change', async () => {
    const rows = [
      ['1', 'a'],
      ['2', 'b'],
      ['1', 'c'],
    ];
    await loadRows(session, rows, { key });
    expect((await loadRows(session, rows, { key })).counts).toEqual({ ...none, staged: 3, unchanged: 2, stale: 1 });
  });

  it('with several key columns', async () => {
    const options = { columns: { id: 'integer', region: 'text', v: 'text' }, key: ['region', 'id'] };
    await loadRows(
      session,
      [
        ['1', 'eu', 'a'],
        ['1', 'us', 'b'],
      ],
      options,
    );
    expect(
      (
        await loadRows(
          session,
          [
            ['1', 'eu', 'A'],
            ['2', 'eu', 'n'],
            ['1', 'us', 'b'],
            ['2', 'eu', 'm'],
          ],
          options,
        )
      ).counts,
    ).toEqual({ ...none, staged: 4, inserted: 1, updated: 1, unchanged: 1, stale: 1 });
    expect(await stored()).toEqual([
      { id: 1, region: 'eu', v: 'A' },
      { id: 1, region: 'us', v: 'b' },
      { id: 2, region: 'eu', v: 'm' },
    ]);
  });

  it('with every column in the key inserts what is not there', async () => {
    const options = { key: ['id', 'v'] };
    await loadRows(session, [['1', 'a']], options);
    expect(
      (
        await loadRows(
          session,
          [
            ['1', 'a'],
            ['1', 'b'],
            ['1', 'b'],
          ],
          options,
        )
      ).counts,
    ).toEqual({ ...none, staged: 3, inserted: 1, unchanged: 1, stale: 1 });
  });

  it('leaves the columns of an existing table alone that it does not write', async () => {
    await database.query(`CREATE TABLE public.target (id integer PRIMARY KEY, v text, note text DEFAULT 'made', CHECK (id > 0))`);
    await database.query(`INSERT INTO public.target VALUES (1, 'a', 'by hand')`);
    await loadRows(
      session,
      [
        ['1', 'b'],
        ['2', 'c'],
      ],
      { key },
    );
    expect(await stored()).toEqual([
      { id: 1, v: 'b', note: 'by hand' },
      { id: 2, v: 'c', note: 'made' },
    ]);
  });

  it('writes a partitioned table, also when a row of the same key is there', async () => {
    await database.query(`CREATE TABLE public.target (id integer PRIMARY KEY, v text) PARTITION BY RANGE (id)`);
    await database.query(`CREATE TABLE public.target_low PARTITION OF public.target FOR VALUES FROM (0) TO (10)`);
    await database.query(`CREATE TABLE public.target_high PARTITION OF public.target FOR VALUES FROM (10) TO (100)`);
    await loadRows(
      session,
      [
        ['1', 'a'],
        ['11', 'b'],
      ],
      { key },
    );
    expect(
      (
        await loadRows(
          session,
          [
            ['1', 'A'],
            ['11', 'b'],
            ['12', 'c'],
            ['12', 'd'],
          ],
          { key },
        )
      ).counts,
    ).toEqual({ ...none, staged: 4, inserted: 1, updated: 1, unchanged: 1, stale: 1 });
  });

  it('needs no right to create in the schema when its tables are there', async () => {
    await loadRows(session, [['1', 'a']], { key });
    const user = `writer_${database.name.slice(-12)}`;
    await database.query(`CREATE ROLE ${user} LOGIN PASSWORD 'p'`);
    try {
      await database.query(`REVOKE CREATE ON SCHEMA public FROM PUBLIC`);
      await database.query(`GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO ${user}`);
      const writer = openSession({ ...database, user, password: 'p' });
      expect((await loadRows(writer, [['1', 'b']], { key })).counts).toEqual({ ...none, staged: 1, updated: 1 });
      await database.query(`REVOKE INSERT ON public.target FROM ${user}`);
      await expect(loadRows(writer, [['2', 'b']], { key })).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    } finally {
      await database.query(`DROP OWNED BY ${user}`);
      await database.query(`DROP ROLE ${user}`);
    }
  });
});

describe('an upsert with orderBy', () => {
  const options = { columns: { id: 'integer', v: 'text', at: 'timestamp with time zone' }, key: ['id'], orderBy: 'at' };
  const at = (day: number) => `2024-01-0${day} 00:00:00+00`;

  it('of rows with one key keeps the highest order, then the last position', async () => {
    const { counts } = await loadRows(
      session,
      [
        ['1', 'new', at(3)],
        ['1', 'old', at(1)],
        ['2', 'a', at(2)],
        ['2', 'b', at(2)],
      ],
      options,
    );
    expect(counts).toEqual({ ...none, staged: 4, inserted: 2, stale: 2 });
    expect(await database.query('SELECT id, v FROM public.target ORDER BY id')).toEqual([
      { id: 1, v: 'new' },
      { id: 2, v: 'b' },
    ]);
  });

  it('leaves what is newer in the table, and takes what is equally new', async () => {
    await loadRows(
      session,
      [
        ['1', 'a', at(2)],
        ['2', 'a', at(2)],
        ['3', 'a', at(2)],
        ['4', 'a', at(2)],
      ],
      options,
    );
    const { counts } = await loadRows(
      session,
      [
        ['1', 'older', at(1)],
        ['2', 'newer', at(3)],
        ['3', 'same time', at(2)],
        ['4', 'a', at(2)],
        ['5', 'new', at(1)],
      ],
      options,
    );
    expect(counts).toEqual({ ...none, staged: 5, inserted: 1, updated: 2, unchanged: 1, stale: 1 });
    expect((await database.query<{ v: string }>('SELECT v FROM public.target ORDER BY id')).map(({ v }) => v)).toEqual(['a', 'newer', 'same time', 'a', 'new']);
  });

  it('replaces a stored row that has no order', async () => {
    await database.query(`CREATE TABLE public.target (id integer PRIMARY KEY, v text, at timestamptz)`);
    await database.query(`INSERT INTO public.target VALUES (1, 'stored', NULL)`);
    expect((await loadRows(session, [['1', 'new', at(1)]], options)).counts).toEqual({ ...none, staged: 1, updated: 1 });
  });

  it('refuses rows without key or order, with the columns that are missing', async () => {
    const { counts, refused } = await loadRows(
      session,
      [
        ['1', 'a', at(1)],
        [null, 'b', at(1)],
        ['2', 'c', null],
        [null, 'b', at(1)],
        [null, 'd', null],
      ],
      options,
    );
    expect(counts).toEqual({ ...none, staged: 5, inserted: 1, rejected: 4 });
    expect(refused).toEqual([
      { position: 2, ordinal: 1, code: 'NULL_KEY', message: 'id is null, and the load needs it as the key.', row: { id: null, v: 'b', at: at(1) } },
      { position: 3, ordinal: 1, code: 'NULL_ORDER', message: 'at is null, and the load needs it as orderBy.', row: { id: '2', v: 'c', at: null } },
      { position: 4, ordinal: 2, code: 'NULL_KEY', message: 'id is null, and the load needs it as the key.', row: { id: null, v: 'b', at: at(1) } },
      { position: 5, ordinal: 1, code: 'NULL_KEY', message: 'id is null, and the load needs it as the key.', row: { id: null, v: 'd', at: null } },
    ]);
  });

  it('gives refused rows in batches of at most 1,000', async () => {
    const request = loadRequest(session, options);
    const load = await session.load(request, never);
    await stageRows(
      load,
      request,
      Array.from({ length: 2_500 }, (_, index) => [null, String(index), at(1)]),
    );
    const sizes: number[] = [];
    for await (const batch of load.refused(never)) sizes.push(batch.length);
    expect(sizes).toEqual([1_000, 1_000, 500]);
    expect((await load.commit(never)).counts).toEqual({ ...none, staged: 2_500, rejected: 2_500 });
  });
});

describe('a load that is left', () => {
  it('leaves nothing: no table, no record, no slot', async () => {
    const { load } = await staged(session, [['1', 'a']], { loadId: 'left/0/1' });
    await load.abort();
    await load.abort();
    expect(await session.describe('public.target')).toBeNull();
    expect(await session.findLoad('public.target', 'left/0/1')).toBeNull();
  });
});
