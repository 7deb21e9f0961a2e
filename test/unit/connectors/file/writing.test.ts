import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { LoadIdentity } from '../../../../src/model/connector.js';
import type { TextRow } from '../../pipeline/csv.js';
import { loadRequest, loadRows, makeFolder, never, query, readRows, stageRows, type TestFolder } from './files.js';

let folder: TestFolder;
beforeEach(async () => {
  folder = await makeFolder();
});
afterEach(() => folder.remove());

const columns = { id: 'BIGINT', v: 'VARCHAR' };
const identity = (loadId: string, given: Partial<LoadIdentity> = {}): LoadIdentity => ({
  loadId,
  pipelineId: 'job_1',
  runId: loadId,
  attempt: 1,
  epoch: 1,
  ...given,
});
const visible = async (name: string) => (await readdir(join(folder.data, name))).filter((each) => !each.startsWith('.')).sort();
const text = fc.option(
  fc.oneof(fc.string({ maxLength: 5 }), fc.string({ unit: fc.constantFrom('"', '\n', ',', '\r', '\\', 'N', 'A', 'é', ';', "'", '😀'), maxLength: 6 })),
);

describe('a single file', () => {
  it('holds the rows as RFC 4180 has them, under its name only when all are there', async () => {
    const session = folder.session();
    const request = loadRequest(session, 'out/x.csv', columns);
    const load = await session.load(request, never);
    await stageRows(folder, load, request, [['1', 'a"b']]);
    expect(await visible('out')).toEqual([]);
    await stageRows(folder, load, request, [
      ['2', ''],
      [null, null],
    ]);
    const { counts } = await load.commit(never);
    expect(counts).toEqual({ staged: 3, inserted: 3, updated: 0, deleted: 0, unchanged: 0, stale: 0, rejected: 0 });
    expect(await folder.text('out/x.csv')).toBe('id,v\n1,"a""b"\n2,""\n,\n');
    expect(await readdir(join(folder.data, 'out/.tributary/x.csv'))).toEqual(['manifest-0000000001.json']);
  });

  it('comes back as it was written in every dialect and format, whatever the texts', async () => {
    const dialects = [
      { name: 'x.csv', csv: {} },
      { name: 'x.csv', csv: { delimiter: ';', quote: "'" } },
      { name: 'x.tsv', csv: { escape: '\\' } },
      { name: 'x.csv', csv: { nullText: 'NA', header: true } },
      { name: 'x.csv.gz', csv: {} },
      { name: 'x.csv.zst', csv: {} },
      { name: 'x.ndjson', csv: {} },
      { name: 'x.ndjson.gz', csv: {} },
      { name: 'x.parquet', csv: {} },
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(text, text), { maxLength: 8 }),
        fc.array(fc.tuple(text, text), { maxLength: 3 }),
        fc.constantFrom(...dialects),
        async (rows, more, { name, csv }) => {
          const session = folder.session({ csv: { ...csv, types: 'text' } });
          const request = loadRequest(session, name, { a: 'VARCHAR', 'b "x"': 'VARCHAR' });
          const load = await session.load(request, never);
          await stageRows(folder, load, request, rows);
          await stageRows(folder, load, request, more);
          await load.commit(never);
          expect((await readRows(folder, session, name, ['a', 'b "x"'])).rows).toEqual([...rows, ...more]);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('keeps the types that were written, where CSV has none', async () => {
    const session = folder.session();
    await loadRows(folder, session, loadRequest(session, 'x.csv', { code: 'VARCHAR', day: 'DATE' }), [['123', '2024-01-01']]);
    expect((await session.describe('x.csv'))?.columns.map(({ type }) => type)).toEqual(['VARCHAR', 'DATE']);
    await folder.write('x.csv', 'code,day\n1234,2024-01-01\n');
    expect((await session.describe('x.csv'))?.columns.map(({ type }) => type)).toEqual(['BIGINT', 'DATE']);
  });

  it('holds typed values as NDJSON and Parquet, exactly', async () => {
    const types = {
      n: 'BIGINT',
      big: 'HUGEINT',
      d: 'DECIMAL(20,4)',
      f: 'DOUBLE',
      b: 'BOOLEAN',
      j: 'JSON',
      t: 'TIMESTAMP WITH TIME ZONE',
      i: 'INTERVAL',
      x: 'VARCHAR',
    };
    const row: TextRow = [
      '9007199254740993',
      '12345678901234567890',
      '1234567890123456.7890',
      '0.1',
      'true',
      '{"a": [1]}',
      '2024-01-01 10:00:00.123456+00',
      '1 day 00:00:00.000001',
      null,
    ];
    const session = folder.session();
    await loadRows(folder, session, loadRequest(session, 'x.ndjson', types), [row, ['1', '2', '3', 'nan', null, null, null, null, 'é"']]);
    expect((await folder.text('x.ndjson')).split('\n')).toEqual([
      '{"n":9007199254740993,"big":12345678901234567890,"d":1234567890123456.7890,"f":0.1,"b":true,"j":{"a": [1]},"t":"2024-01-01 10:00:00.123456+00","i":"1 day 00:00:00.000001","x":null}',
      '{"n":1,"big":2,"d":3.0000,"f":"nan","b":null,"j":null,"t":null,"i":null,"x":"é\\""}',
      '',
    ]);
    await loadRows(folder, session, loadRequest(session, 'x.parquet', types), [row]);
    expect(await query(`SELECT n, big, d, f, b, j, CAST(t AS VARCHAR) AS t, i, x FROM read_parquet('${folder.data}/x.parquet')`)).toEqual([
      {
        n: '9007199254740993',
        big: '12345678901234567890',
        d: '1234567890123456.7890',
        f: 0.1,
        b: true,
        j: '{"a": [1]}',
        t: '2024-01-01 10:00:00.123456+00',
        i: '1 day 00:00:00.000001',
        x: null,
      },
    ]);
  });

  it.each(['x.ndjson', 'x.parquet'])('refuses a value that %s could not hold, and leaves what is there', async (name) => {
    const session = folder.session();
    await loadRows(folder, session, loadRequest(session, name, { n: 'BIGINT' }), [['1']]);
    const before = await readFile(join(folder.data, name));
    await expect(loadRows(folder, session, loadRequest(session, name, { n: 'BIGINT' }), [['5.4']])).rejects.toMatchObject({ code: 'DESTINATION_REFUSED' });
    expect((await readFile(join(folder.data, name))).equals(before)).toBe(true);
  });

  it('is compressed by its name, and has a header when it has no rows', async () => {
    const session = folder.session();
    await loadRows(folder, session, loadRequest(session, 'x.csv.gz', columns), []);
    expect(gunzipSync(await readFile(join(folder.data, 'x.csv.gz'))).toString()).toBe('id,v\n');
    const load = await session.load(loadRequest(session, 'y.parquet', columns), never);
    await load.commit(never);
    expect(await query(`SELECT count(*) AS n FROM read_parquet('${folder.data}/y.parquet')`)).toEqual([{ n: '0' }]);
  });

  it('is not overwritten by fewer rows than minRatio allows', async () => {
    const session = folder.session();
    await loadRows(folder, session, loadRequest(session, 'x.csv', columns), [
      ['1', 'a'],
      ['2', 'b'],
      ['3', 'c'],
    ]);
    await expect(loadRows(folder, session, loadRequest(session, 'x.csv', columns, { minRatio: 0.5 }), [['1', 'a']])).rejects.toMatchObject({
      code: 'OVERWRITE_SHRINKS',
    });
    expect(await folder.text('x.csv')).toBe('id,v\n1,a\n2,b\n3,c\n');
    const { counts } = await loadRows(folder, session, loadRequest(session, 'x.csv', columns, { minRatio: 0.5 }), [
      ['1', 'a'],
      ['2', 'b'],
    ]);
    expect(counts).toMatchObject({ inserted: 2, deleted: 3 });
  });

  it('is not appended to, nor upserted, nor written outside of the roots', async () => {
    const session = folder.session();
    const refused = (stream: string, given: Parameters<typeof loadRequest>[3]) => session.load(loadRequest(session, stream, columns, given), never);
    await expect(refused('x.csv', { mode: 'append' })).rejects.toMatchObject({ code: 'DESTINATION_MISMATCH' });
    await expect(refused('x.csv/', { mode: 'upsert', key: ['id'] })).rejects.toMatchObject({ code: 'DESTINATION_MISMATCH' });
    await expect(refused('*.csv', {})).rejects.toMatchObject({ code: 'DESTINATION_MISMATCH' });
    await mkdir('/tmp/tributary-outside', { recursive: true });
    await symlink('/tmp/tributary-outside', join(folder.data, 'out'));
    await expect(refused('out/x.csv', {})).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    await expect(refused('out/deeper/x.csv', {})).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    expect(await readdir('/tmp/tributary-outside')).toEqual([]);
    await rm('/tmp/tributary-outside', { recursive: true });
  });
});

describe('a folder of parts', () => {
  it('gets a part with each append and is read as one stream', async () => {
    const session = folder.session();
    const append = (rows: readonly TextRow[]) => loadRows(folder, session, loadRequest(session, 'orders.csv/', columns, { mode: 'append' }), rows);
    await append([['1', '007']]);
    await append([['2', '8']]);
    await append([]);
    expect(await visible('orders.csv')).toHaveLength(2);
    expect((await readRows(folder, session, 'orders.csv/', ['v'])).rows.flat().sort()).toEqual(['007', '8']);
    expect((await session.describe('orders.csv/'))?.columns.map(({ type }) => type)).toEqual(['BIGINT', 'VARCHAR']);
  });

  it('is overwritten as a whole, but not when others have put a file there', async () => {
    const session = folder.session({ format: 'ndjson' });
    const load = (mode: 'append' | 'overwrite', rows: readonly TextRow[]) => loadRows(folder, session, loadRequest(session, 'mart/', columns, { mode }), rows);
    await load('append', [['1', 'a']]);
    await load('append', [['2', 'b']]);
    expect((await load('overwrite', [['3', 'c']])).counts).toMatchObject({ inserted: 1, deleted: 2 });
    expect((await readRows(folder, session, 'mart/', ['id'])).rows).toEqual([['3']]);
    await folder.write('mart/other.ndjson', '{}\n');
    await expect(load('overwrite', [['4', 'd']])).rejects.toMatchObject({ code: 'DESTINATION_MISMATCH' });
    expect(await visible('mart')).toHaveLength(2);
  });

  it('takes loads at the same time one after the other', async () => {
    const session = folder.session();
    const loads = Array.from({ length: 6 }, (_, index) =>
      loadRequest(session, 'p.csv/', columns, { mode: 'append', identity: identity(`r${index}`, { pipelineId: `job_${index}` }) }),
    );
    await Promise.all(loads.map((request, index) => loadRows(folder, session, request, [[String(index), 'x']])));
    expect((await readRows(folder, session, 'p.csv/', ['id'])).rows.flat().sort()).toEqual(['0', '1', '2', '3', '4', '5']);
    for (const {
      identity: { loadId },
    } of loads)
      expect(await session.findLoad('p.csv/', loadId)).toMatchObject({ counts: { inserted: 1 } });
  });
});

describe('a commit', () => {
  it('takes place once, whoever asks again', async () => {
    const session = folder.session();
    const request = loadRequest(session, 'p.csv/', columns, { mode: 'append', identity: identity('r/0/1') });
    expect(await session.findLoad('p.csv/', 'r/0/1')).toBeNull();
    await loadRows(folder, session, request, [['1', 'a']]);
    const again = await loadRows(folder, session, { ...request, identity: identity('r/0/1', { attempt: 2, epoch: 2 }) }, [['1', 'a']]);
    expect(again.attempt).toBe(1);
    expect((await readRows(folder, session, 'p.csv/', ['id'])).rows).toEqual([['1']]);
    expect(await session.findLoad('p.csv/', 'r/0/1')).toEqual(again);
  });

  it('moves the slots on, and is refused behind a newer epoch or another version', async () => {
    const session = folder.session();
    const state = { stream: 's', cursor: 'c', last: '5', seen: null };
    const slots = (expectedVersion: number | null) => [{ input: 'source', expectedVersion, state }];
    const load = (loadId: string, epoch: number, expectedVersion: number | null) =>
      loadRows(
        folder,
        session,
        loadRequest(session, 'p.csv/', columns, { mode: 'append', identity: identity(loadId, { epoch }), slots: slots(expectedVersion) }),
        [['1', loadId]],
      );
    await load('a', 3, 0);
    expect(await session.readSlots('p.csv/', 'job_1', ['source', 'other'])).toEqual([
      { input: 'source', version: 1, state },
      { input: 'other', version: 0, state: null },
    ]);
    await expect(load('b', 2, 1)).rejects.toMatchObject({ code: 'EPOCH_FENCED' });
    await expect(load('c', 4, 0)).rejects.toMatchObject({ code: 'EPOCH_FENCED' });
    await load('d', 4, 1);
    expect((await readRows(folder, session, 'p.csv/', ['v'])).rows.flat().sort()).toEqual(['a', 'd']);
  });

  it('that was cut behind its manifest is completed by whoever comes next', async () => {
    const session = folder.session();
    await loadRows(folder, session, loadRequest(session, 'x.csv', columns, { identity: identity('one') }), [['1', 'old']]);
    const control = join(folder.data, '.tributary/x.csv');
    // As a process leaves it that dies between the manifest and the rename.
    await loadRows(folder, session, loadRequest(session, 'x.csv', columns, { identity: identity('two') }), [['2', 'new']]);
    const manifest = JSON.parse(await readFile(join(control, 'manifest-0000000002.json'), 'utf8')) as { parts: { stage: string }[] };
    const stage = join(control, manifest.parts[0]?.stage ?? '');
    await mkdir(stage);
    await rename(join(folder.data, 'x.csv'), join(stage, 'x.csv'));
    await folder.write('x.csv', 'id,v\n1,old\n');
    expect(await session.findLoad('x.csv', 'two')).not.toBeNull();
    expect(await folder.text('x.csv')).toBe('id,v\n2,new\n');
  });

  it('that was cut before its manifest leaves what was there, and the next load cleans up', async () => {
    const session = folder.session();
    await loadRows(folder, session, loadRequest(session, 'x.csv', columns), [['1', 'old']]);
    const control = join(folder.data, '.tributary/x.csv');
    await mkdir(join(control, 'stage-dead'));
    await writeFile(join(control, 'stage-dead/owner.json'), JSON.stringify({ host: hostname(), pid: 2 ** 22 + 1 }));
    await mkdir(join(control, 'stage-alive'));
    await writeFile(join(control, 'stage-alive/owner.json'), JSON.stringify({ host: hostname(), pid: process.pid }));
    expect(await folder.text('x.csv')).toBe('id,v\n1,old\n');
    await loadRows(folder, session, loadRequest(session, 'x.csv', columns), [['2', 'new']]);
    expect((await readdir(control)).sort()).toEqual(['manifest-0000000001.json', 'manifest-0000000002.json', 'stage-alive']);
  });

  it('leaves nothing when it is aborted, before and behind staging, also twice', async () => {
    const session = folder.session();
    const request = loadRequest(session, 'x.csv', columns);
    const load = await session.load(request, never);
    await stageRows(folder, load, request, [['1', 'a']]);
    await load.abort();
    await load.abort();
    expect(await visible('')).toEqual([]);
    const stopped = new AbortController();
    const second = await session.load(request, never);
    await stageRows(folder, second, request, [['1', 'a']]);
    stopped.abort(new Error('stopped'));
    await expect(second.commit(stopped.signal)).rejects.toThrow('stopped');
    expect(await session.describe('x.csv')).toBeNull();
  });

  it('refuses a manifest that it cannot read', async () => {
    const session = folder.session();
    await loadRows(folder, session, loadRequest(session, 'x.csv', columns), [['1', 'a']]);
    await writeFile(join(folder.data, '.tributary/x.csv/manifest-0000000009.json'), '{"format":2}');
    await expect(session.findLoad('x.csv', 'any')).rejects.toMatchObject({ code: 'DESTINATION_MISMATCH' });
  });
});
