import { mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';
import { copyDocument, type EngineRunOptions, runEngine } from './run-engine.js';

let database: TestDatabase;
let folder: string;
const rootsBefore = process.env['TRIBUTARY_FILE_ROOTS'];
beforeAll(async () => {
  database = await createDatabase('files');
});
afterAll(() => database.drop());
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'tributary-files-')));
  process.env['TRIBUTARY_FILE_ROOTS'] = folder;
});
afterEach(async () => {
  if (rootsBefore === undefined) delete process.env['TRIBUTARY_FILE_ROOTS'];
  else process.env['TRIBUTARY_FILE_ROOTS'] = rootsBefore;
  await rm(folder, { recursive: true, force: true });
  for (const { name } of await database.query<{ name: string }>("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"))
    await database.query(`DROP TABLE "${name}"`);
});

const write = (name: string, content: string | Buffer) => writeFile(join(folder, name), content);
const read = (name: string) => readFile(join(folder, name), 'utf8');
const fromFile = (document: EngineRunOptions['document'], given: Partial<EngineRunOptions> = {}) =>
  runEngine({ document, connections: { source: { folder }, target: database }, ...given });
const toFile = (document: EngineRunOptions['document'], given: Partial<EngineRunOptions> = {}) =>
  runEngine({ document, connections: { source: database, target: { folder } }, ...given });
const overwrite = { mode: 'overwrite', minRatio: 0 };

describe('files into PostgreSQL', () => {
  it('makes a table of the types found and hands the values on', async () => {
    await write('orders-1.csv', 'id,code,amount,day,at,note\n1,007,1.5,2024-02-29,2024-01-01T10:00:00,"a\nb"\n2,008,2,2024-03-01,2024-01-01 11:00:00.5,\n');
    await write('orders-2.csv.gz', gzipSync('id,note,code,amount,day,at\n3,"",009,0.1,2024-03-02,2024-01-02 00:00:00\n'));
    const { summary } = await fromFile(copyDocument('orders-*', 'public.orders'));
    expect(summary.metrics).toMatchObject({ rowsRead: 3, rowsWritten: 3, rowsRejected: 0 });
    expect(await database.query('SELECT id, code, amount, day::text, at::text, note FROM orders ORDER BY id')).toEqual([
      { id: '1', code: '007', amount: 1.5, day: '2024-02-29', at: '2024-01-01 10:00:00', note: 'a\nb' },
      { id: '2', code: '008', amount: 2, day: '2024-03-01', at: '2024-01-01 11:00:00.5', note: null },
      { id: '3', code: '009', amount: 0.1, day: '2024-03-02', at: '2024-01-02 00:00:00', note: '' },
    ]);
  });

  it('says while it reads how many rows there will be, by the share of the bytes that has been read', async () => {
    const rows = 400_000;
    await write('x.csv.gz', gzipSync(`id,v\n${Array.from({ length: rows }, (_, id) => `${id},${'text '.repeat(20)}${id % 7}\n`).join('')}`));
    const expected: (number | null)[] = [];
    const onProgress: EngineRunOptions['onProgress'] = (_, { stage, rowsExpected }) => void (stage === 'reading' && expected.push(rowsExpected));
    await fromFile({ ...copyDocument('x.csv.gz', 'public.kept'), limits: { memory: '192MiB' } }, { onProgress });
    const known = expected.filter((each) => each !== null);
    expect(known.length).toBeGreaterThan(1);
    for (const each of known) expect(Math.abs(each - rows) / rows).toBeLessThan(0.25);
    // Nothing is said before the first segment, and what is said stays.
    expect(expected.indexOf(known[0] ?? 0)).toBe(expected.length - known.length);
  });

  it('goes through steps, in many segments, and is the same when it is run again', async () => {
    await write('x.csv', `id,v,flag\n${Array.from({ length: 60_000 }, (_, id) => `${id},${'text '.repeat(20)}${id % 7},${id % 3 === 0}\n`).join('')}`);
    const steps = [
      { id: 'kept', filter: { from: 'source', where: 'flag' } },
      { id: 'mapped', map: { from: 'kept', columns: { id: 'id', short: 'right(v, 1)', twice: 'id * 2' } } },
    ];
    const document = { ...copyDocument('x.csv', 'public.kept', { mode: 'upsert', key: ['id'] }, steps), limits: { memory: '192MiB' } };
    for (const expected of [20_000, 0]) expect((await fromFile(document)).summary.metrics).toMatchObject({ rowsRead: 60_000, rowsWritten: expected });
    expect(
      await database.query('SELECT count(*)::int AS n, sum(id)::int AS ids, sum(twice)::int AS twice, count(DISTINCT short)::int AS shorts FROM kept'),
    ).toEqual([{ n: 20_000, ids: 599_970_000, twice: 1_199_940_000, shorts: 7 }]);
  });

  it('reads NDJSON and Parquet that a run has written', async () => {
    await database.query(
      `CREATE TABLE t AS SELECT i::bigint AS id, (i * 1.10)::numeric(12,2) AS d, DATE '2024-01-01' + i AS day, 'é' || i AS v, i % 2 = 0 AS b FROM generate_series(1, 1000) i`,
    );
    for (const name of ['t.ndjson', 't.parquet', 't.csv.zst']) {
      await toFile(copyDocument('public.t', name, overwrite));
      await fromFile(copyDocument(name, 'public.back'));
      expect(
        await database.query(
          'SELECT count(*)::int AS n FROM t JOIN back ON t.id = back.id AND t.d::text = trim(trailing FROM back.d::text) AND t.v = back.v AND t.b = back.b',
        ),
      ).toEqual(name === 't.ndjson' ? [{ n: expect.any(Number) }] : [{ n: 1_000 }]);
      expect(
        await database.query(
          'SELECT count(*)::int AS n FROM t JOIN back ON t.id = back.id AND t.d = back.d::numeric AND t.v = back.v AND t.day::text = back.day::text',
        ),
      ).toEqual([{ n: 1_000 }]);
      await database.query('DROP TABLE back');
    }
  });

  it('ends FAIL with file and line at a row that breaks the rules, and writes nothing', async () => {
    await write('x.csv', `id,v\n${'1,a\n'.repeat(100_000)}1,a,b\n`);
    await expect(fromFile(copyDocument('x.csv', 'public.x'))).rejects.toMatchObject({
      code: 'SOURCE_MALFORMED',
      message: expect.stringContaining('x.csv, line 100002'),
    });
    expect(await database.query("SELECT to_regclass('public.x') AS x")).toEqual([{ x: null }]);
  });

  it('ends FAIL at a value that is not of the type told by the first rows', async () => {
    await write('x.csv', `id\n${'123456789\n'.repeat(200_000)}5.4\n`);
    await expect(fromFile(copyDocument('x.csv', 'public.x'))).rejects.toMatchObject({ code: 'DESTINATION_REFUSED' });
    const doubled = [{ id: 'twice', map: { from: 'source', columns: { id: 'id * 2' } } }];
    await expect(fromFile(copyDocument('x.csv', 'public.x', { mode: 'append' }, doubled))).rejects.toMatchObject({
      code: 'VALUE_UNCONVERTIBLE',
      message: expect.stringContaining('5.4'),
    });
  });

  it('refuses increments, a stream that is not there and a folder outside of the roots', async () => {
    await write('x.csv', 'id\n1\n');
    const incremental = { ...copyDocument('x.csv', 'public.x'), inputs: { source: { connection: 'source', stream: 'x.csv', incremental: { cursor: 'id' } } } };
    await expect(fromFile(incremental)).rejects.toMatchObject({ code: 'INVALID_SPEC' });
    await expect(fromFile(copyDocument('none.csv', 'public.x'))).rejects.toMatchObject({ code: 'STREAM_NOT_FOUND' });
    process.env['TRIBUTARY_FILE_ROOTS'] = join(folder, 'inner');
    await expect(fromFile(copyDocument('x.csv', 'public.x'))).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
  });
});

describe('PostgreSQL into files', () => {
  beforeEach(async () => {
    await database.query('CREATE TABLE t (id integer, v text, at timestamptz, d numeric(6,2))');
    await database.query(`INSERT INTO t VALUES (1, 'a,"b', NULL, 1.5), (2, '', '2024-01-01 10:00:00+02', NULL)`);
  });

  it('writes one file, replaced as a whole by each run, also with other columns', async () => {
    const { summary } = await toFile(copyDocument('public.t', 'out/t.csv', overwrite));
    expect(summary.metrics.rowsWritten).toBe(2);
    expect(await read('out/t.csv')).toBe('id,v,at,d\n1,"a,""b",,1.50\n2,"",2024-01-01 08:00:00+00,\n');
    const steps = [{ id: 'other', map: { from: 'source', columns: { v: 'id', upper: 'upper(v)' } } }];
    await toFile(copyDocument('public.t', 'out/t.csv', overwrite, steps));
    expect(await read('out/t.csv')).toBe('v,upper\n1,"A,""B"\n2,""\n');
  });

  it('appends parts, once for each run whatever its attempts', async () => {
    const document = copyDocument('public.t', 'parts.csv.gz/');
    await toFile(document, { runId: 'one', epoch: 1 });
    await toFile(document, { runId: 'one', epoch: 2, attempt: 2 });
    await toFile(document, { runId: 'two', epoch: 3 });
    const parts = (await readdir(join(folder, 'parts.csv.gz'))).filter((name) => !name.startsWith('.'));
    expect(parts).toHaveLength(2);
    for (const name of parts) expect(gunzipSync(await readFile(join(folder, 'parts.csv.gz', name))).toString()).toContain('id,v,at,d\n1,');
    await expect(toFile(document, { runId: 'three', epoch: 2 })).rejects.toMatchObject({ code: 'EPOCH_FENCED' });
  });

  it('writes the rows of an aggregate with their types', async () => {
    const steps = [{ id: 'sums', aggregate: { from: 'source', columns: { n: 'count(*)', ids: 'sum(id)', d: 'max(d)' } } }];
    await toFile(copyDocument('public.t', 'sums.parquet', overwrite, steps));
    await toFile(copyDocument('public.t', 'sums.ndjson', overwrite, steps));
    expect(await read('sums.ndjson')).toBe('{"n":2,"ids":3,"d":1.50}\n');
    await fromFile(copyDocument('sums.parquet', 'public.sums'));
    expect(await database.query('SELECT n, ids::text, d::text FROM sums')).toEqual([{ n: '2', ids: '3', d: '1.50' }]);
  });

  it.each([
    ['upsert', 't.csv', { mode: 'upsert', key: ['id'] }],
    ['append to one file', 't.csv', { mode: 'append' }],
    ['a pattern', '*.csv', overwrite],
  ])('refuses %s', async (_, stream, load) => {
    await expect(toFile(copyDocument('public.t', stream, load))).rejects.toMatchObject({ code: 'DESTINATION_MISMATCH' });
    expect((await readdir(folder)).filter((name) => !name.startsWith('.'))).toEqual([]);
  });

  it('leaves no file behind a run that fails', async () => {
    const steps = [{ id: 'bad', map: { from: 'source', columns: { x: 'CAST(v AS INTEGER)' } } }];
    await expect(toFile(copyDocument('public.t', 't.csv', overwrite, steps))).rejects.toMatchObject({ code: 'EXPRESSION_FAILED' });
    expect((await readdir(folder)).filter((name) => !name.startsWith('.'))).toEqual([]);
    expect(await readdir(join(folder, '.tributary', 't.csv'))).toEqual([]);
  });
});
