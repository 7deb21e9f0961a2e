import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import neo4j from 'neo4j-driver';
import { v7 as uuidv7 } from 'uuid';
import type { Run } from '../../../src/model/run.js';
import type { StartedRun } from '../../../src/services/start-run.js';
import type { Worker } from '../../../src/worker/worker.js';
import { eventually } from '../../support/eventually.js';
import { servers } from '../../support/servers.js';
import { openWorkBench, runProcesses, type WorkBench } from './work-bench.js';

let bench: WorkBench;
let worker: Worker;

beforeAll(async () => {
  bench = await openWorkBench();
  worker = bench.worker();
  await worker.start();
}, 300_000);
afterAll(() => bench?.close());

const page = { first: 100, after: null };
const key = (name: string) => ({ namespace: bench.database.name, name });
const rows = (table: string) => bench.database.query(`SELECT * FROM ${table} ORDER BY id`);

/** An incremental pipeline from a table of this name; `type` is what amounts are cast to. */
function incremental(table: string, type: string): string {
  return `inputs: {orders: {connection: $db, stream: ${table}, incremental: {cursor: changed_at}}},
    steps: [{id: typed, cast: {from: orders, columns: {amount: "${type}"}, onError: reject}}],
    outputs: [{from: typed, connection: $db, stream: mart.${table}, load: {mode: upsert, key: [id], orderBy: changed_at}}]`;
}

async function makeSource(table: string): Promise<void> {
  await bench.database.query(`CREATE TABLE ${table} (id integer PRIMARY KEY, amount text, changed_at timestamp NOT NULL);
    INSERT INTO ${table} VALUES (1, '10', '2026-01-01'), (2, '250', '2026-01-02'), (3, '30', '2026-01-03')`);
  await bench.database.query(`CREATE SCHEMA IF NOT EXISTS mart; CREATE TABLE mart.${table} (id integer PRIMARY KEY, amount integer, changed_at timestamp)`);
}

const statusesOf = async (runId: string) => (await bench.letters.list({ runId, ...page })).items.map(({ node }) => node.status);

function queued(started: StartedRun): string {
  if (started.outcome !== 'queued') throw new Error(started.message);
  return started.run.id;
}

const replay = async (name: string, ids: readonly string[] | null = null): Promise<Run> =>
  bench.ended(queued(await bench.replays.replay({ pipeline: key(name), ids })));

describe('a row that an increment rejected', () => {
  it('is in the table once the document is mended and the row is taken again, and the cursor stays where it is', async () => {
    await makeSource('mended');
    const first = await bench.ended(await bench.queue('mended', incremental('mended', 'TINYINT')));
    expect(first).toMatchObject({ state: 'COMPLETE', metrics: { rowsRead: 3, rowsRejected: 1 } });
    expect(await bench.ended(await bench.start('mended'))).toMatchObject({ state: 'COMPLETE', metrics: { rowsWritten: 0, rowsRejected: 0 } });
    const states = 'SELECT input, state::text FROM mart._tributary_state';
    const before = await bench.database.query(states);

    await bench.save('mended', incremental('mended', 'INTEGER'));
    const replayed = await replay('mended');
    expect(replayed).toMatchObject({ state: 'COMPLETE', trigger: 'replay', pipelineVersion: 2, metrics: { rowsRead: 1, rowsWritten: 1, rowsRejected: 0 } });
    expect((await rows('mart.mended')).map((row) => [row['id'], Number(row['amount'])])).toEqual([
      [1, 10],
      [2, 250],
      [3, 30],
    ]);
    expect(await statusesOf(first.id)).toEqual(['REPLAYED']);
    expect(await bench.database.query(states)).toEqual(before);
    expect(await bench.replays.replay({ pipeline: key('mended'), ids: null })).toEqual({
      outcome: 'conflict',
      message: `Pipeline ${bench.database.name}/mended has no open dead letters.`,
    });
  });

  it('becomes a letter of the replay when it is rejected again', async () => {
    await makeSource('again');
    const first = await bench.ended(await bench.queue('again', incremental('again', 'TINYINT')));
    const second = await replay('again');
    expect(second).toMatchObject({ state: 'COMPLETE', metrics: { rowsRejected: 1, rowsWritten: 0 } });
    expect(await statusesOf(first.id)).toEqual(['REPLAYED']);
    const { items } = await bench.letters.list({ runId: second.id, ...page });
    expect(items.map(({ node }) => [node.status, node.step, node.row])).toEqual([['OPEN', 'typed', expect.objectContaining({ id: '2', amount: '250' })]]);
  });

  it('for want of a cursor is in the table once it is taken again', async () => {
    await bench.database.query(`CREATE TABLE undated (id integer PRIMARY KEY, amount text, changed_at timestamp);
      INSERT INTO undated VALUES (1, '10', '2026-01-01'), (2, '', NULL), (3, NULL, NULL)`);
    const body = `inputs: {orders: {connection: $db, stream: undated, incremental: {cursor: changed_at, nulls: dlq}}},
      steps: [{id: kept, filter: {from: orders, where: "id < 3"}}],
      outputs: [{from: kept, connection: $db, stream: mart.undated, load: {mode: append}}]`;
    const first = await bench.ended(await bench.queue('undated', body));
    expect(first).toMatchObject({
      state: 'COMPLETE',
      metrics: { rowsRead: 3, rowsWritten: 1, rowsRejected: 2 },
      steps: [
        { step: 'orders', rowsIn: 3, rowsOut: 1, rowsRejected: 2 },
        { step: 'kept', rowsIn: 1, rowsOut: 1, rowsRejected: 0 },
      ],
    });
    const { items } = await bench.letters.list({ runId: first.id, ...page });
    const kept = items.map(({ node: { stage, step, code, row } }) => ({ stage, step, code, row }));
    expect(kept.sort((one, other) => Number(one.row?.['id']) - Number(other.row?.['id']))).toEqual([
      { stage: 'extract', step: 'orders', code: 'CURSOR_NULL', row: { id: '2', amount: '', changed_at: null } },
      { stage: 'extract', step: 'orders', code: 'CURSOR_NULL', row: { id: '3', amount: null, changed_at: null } },
    ]);
    expect(await replay('undated')).toMatchObject({ state: 'COMPLETE', metrics: { rowsRead: 2, rowsWritten: 1, rowsRejected: 0 } });
    expect(await rows('mart.undated')).toMatchObject([
      { id: 1, amount: '10' },
      { id: 2, amount: '', changed_at: null },
    ]);
  });

  it('does not overwrite what has come since', async () => {
    await makeSource('overtaken');
    await bench.ended(await bench.queue('overtaken', incremental('overtaken', 'TINYINT')));
    await bench.database.query("UPDATE overtaken SET amount = '99', changed_at = '2026-02-01' WHERE id = 2");
    await bench.ended(await bench.start('overtaken'));
    await bench.save('overtaken', incremental('overtaken', 'INTEGER'));
    expect(await replay('overtaken')).toMatchObject({ state: 'COMPLETE', metrics: { rowsRead: 1, rowsWritten: 0 } });
    expect((await rows('mart.overtaken')).map((row) => Number(row['amount']))).toEqual([10, 99, 30]);
  });

  it('takes its key from the table when a filter behind the mended step drops it', async () => {
    await makeSource('dropped');
    const filtered = (type: string) =>
      incremental('dropped', type)
        .replace('onError: reject}}]', 'onError: reject}}, {id: small, filter: {from: typed, where: "amount < 1000"}}]')
        .replace('{from: typed, connection', '{from: small, connection');
    await bench.ended(await bench.queue('dropped', filtered('SMALLINT')));
    await bench.database.query("UPDATE dropped SET amount = '100000', changed_at = '2026-02-01' WHERE id = 2");
    expect(await bench.ended(await bench.start('dropped'))).toMatchObject({ metrics: { rowsRejected: 1 } });
    expect((await rows('mart.dropped')).map((row) => row['amount'])).toEqual([10, 250, 30]);
    await bench.save('dropped', filtered('INTEGER'));
    expect(await replay('dropped')).toMatchObject({ state: 'COMPLETE', metrics: { rowsRead: 1, rowsWritten: 1 } });
    expect((await rows('mart.dropped')).map((row) => row['amount'])).toEqual([10, 30]);
  });

  it('meets every row of the other side of a join, whose own letters do not become letters again, and goes through a union', async () => {
    await makeSource('joined');
    await bench.database.query("CREATE TABLE people (id integer PRIMARY KEY, age text); INSERT INTO people VALUES (1, '30'), (2, '40'), (3, 'old')");
    const joined = (type: string) => `inputs: {orders: {connection: $db, stream: joined}, people: {connection: $db, stream: people}},
      steps: [{id: typed, cast: {from: orders, columns: {amount: ${type}}, onError: reject}}, {id: aged, cast: {from: people, columns: {age: INTEGER}, onError: reject}},
        {id: met, join: {left: {from: typed, as: o}, right: {from: aged, as: p}, kind: inner, on: "o.id = p.id", columns: {id: o.id, amount: o.amount, age: p.age}}},
        {id: other, map: {from: aged, columns: {id: "id + 100", amount: "CAST(0 AS ${type})", age: age}}}, {id: both, union: {from: [met, other]}}],
      outputs: [{from: both, connection: $db, stream: mart.met, load: {mode: upsert, key: [id]}}]`;
    await bench.database.query('CREATE TABLE mart.met (id integer PRIMARY KEY, amount integer, age integer)');
    const first = await bench.ended(await bench.queue('joined', joined('TINYINT')));
    expect(first).toMatchObject({ state: 'COMPLETE', metrics: { rowsRejected: 2, rowsWritten: 3 } });
    await bench.save('joined', joined('INTEGER'));
    const { items } = await bench.letters.list({ runId: first.id, ...page });
    const ids = items.filter(({ node }) => node.step === 'typed').map(({ node }) => node.id);
    expect(await replay('joined', ids)).toMatchObject({ state: 'COMPLETE', error: null, metrics: { rowsWritten: 1, rowsRejected: 0 } });
    expect(await rows('mart.met')).toEqual([
      { id: 1, amount: 10, age: 30 },
      { id: 2, amount: 250, age: 40 },
      { id: 101, amount: 0, age: 30 },
      { id: 102, amount: 0, age: 40 },
    ]);
    const refused = await bench.replays.replay({ pipeline: key('joined'), ids: null });
    expect(refused).toMatchObject({ outcome: 'queued' });
    if (refused.outcome === 'queued') expect(await bench.ended(refused.run.id)).toMatchObject({ state: 'COMPLETE', metrics: { rowsRejected: 1 } });
  });

  it('is taken by one of two calls at the same time, and cannot be discarded meanwhile', async () => {
    await makeSource('wanted');
    const first = await bench.ended(await bench.queue('wanted', incremental('wanted', 'TINYINT')));
    const ids = (await bench.letters.list({ runId: first.id, ...page })).items.map(({ node }) => node.id);
    await worker.stop();
    const calls = await Promise.all([1, 2, 3].map(() => bench.replays.replay({ pipeline: key('wanted'), ids })));
    expect(calls.map(({ outcome }) => outcome).sort()).toEqual(['conflict', 'conflict', 'queued']);
    await expect(bench.letters.discard(ids)).rejects.toMatchObject({ code: 'CONFLICT' });
    const id = calls.flatMap((call) => (call.outcome === 'queued' ? [call.run.id] : []))[0] ?? '';
    await bench.runs.cancel(id);
    const next = queued(await bench.replays.replay({ pipeline: key('wanted'), ids }));
    worker = bench.worker();
    await worker.start();
    expect(await bench.ended(next)).toMatchObject({ state: 'COMPLETE' });
    expect(await statusesOf(first.id)).toEqual(['REPLAYED']);
  });

  it('stays open when the replay fails, with the reason', async () => {
    await makeSource('failing');
    const first = await bench.ended(await bench.queue('failing', incremental('failing', 'TINYINT')));
    await bench.database.query('ALTER TABLE failing ADD COLUMN note text; ALTER TABLE mart.failing ADD COLUMN note text');
    const failed = await replay('failing');
    expect(failed).toMatchObject({ state: 'FAIL', error: { code: 'REPLAY_REFUSED', message: expect.stringContaining('kept without "note"') } });
    await eventually('the letter is released', async () => (await bench.letters.runsWithReplayed()).includes(failed.id) === false);
    expect(await statusesOf(first.id)).toEqual(['OPEN']);
  });

  it('is refused by name where the pipeline is not what it was', async () => {
    await makeSource('renamed');
    const first = await bench.ended(await bench.queue('renamed', incremental('renamed', 'TINYINT')));
    await bench.save('renamed', incremental('renamed', 'TINYINT').replaceAll('typed', 'other'));
    const answer = { outcome: 'conflict', message: '1 of these dead letters cannot be replayed. The pipeline has no step "typed" any more.' };
    expect(await bench.replays.replay({ pipeline: key('renamed'), ids: null })).toEqual(answer);
    expect(await statusesOf(first.id)).toEqual(['OPEN']);
    const unknown = { pipeline: key('renamed'), ids: ['dl_unknown'] };
    expect(await bench.replays.replay(unknown)).toMatchObject({
      outcome: 'conflict',
      message: expect.stringContaining('1 of these 1 dead letters are not open'),
    });
    expect(await bench.replays.replay({ pipeline: key('nowhere'), ids: null })).toMatchObject({ outcome: 'notFound' });
  });
});

describe('a replay that is interrupted', () => {
  it('between its commit and its record is found committed after the restart: its letters are REPLAYED once, its rows are there once', async () => {
    await makeSource('cut');
    const append = (type: string) => incremental('cut', type).replace('{mode: upsert, key: [id], orderBy: changed_at}', '{mode: append}');
    await bench.database.query('ALTER TABLE mart.cut DROP CONSTRAINT cut_pkey');
    const first = await bench.ended(await bench.queue('cut', append('TINYINT')));
    await bench.save('cut', append('INTEGER'));
    const driver = neo4j.driver(servers.neo4j.uri, neo4j.auth.basic(servers.neo4j.user, servers.neo4j.password));
    const holder = driver.session().beginTransaction();
    try {
      const committed = () =>
        bench.database.query<{ count: number }>('SELECT count(*)::int AS count FROM mart._tributary_loads WHERE load_id LIKE $1', [`${id}/%`]);
      await bench.database.query("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1.5); RETURN NEW; END'");
      await bench.database.query('CREATE TRIGGER slow BEFORE INSERT ON mart.cut FOR EACH ROW EXECUTE FUNCTION slow()');
      const id = queued(await bench.replays.replay({ pipeline: key('cut'), ids: null }));
      await eventually('its process is there', async () => (await runProcesses()).length > 0);
      await holder.run('MATCH (run:Run {id: $id}) SET run.heldByTest = true', { id });
      await eventually('its rows are committed', async () => (await committed())[0]?.count === 1);
      const stopped = worker.stop();
      await holder.rollback();
      await stopped;
      worker = bench.worker();
      await worker.start();
      expect(await bench.ended(id)).toMatchObject({ state: 'COMPLETE' });
    } finally {
      await driver.close();
    }
    expect((await rows('mart.cut')).map((row) => Number(row['amount']))).toEqual([10, 250, 30]);
    expect(await statusesOf(first.id)).toEqual(['REPLAYED']);
  });

  it('before it was queued lets its letters go once it is certain that it never will be', async () => {
    await makeSource('unqueued');
    const first = await bench.ended(await bench.queue('unqueued', incremental('unqueued', 'TINYINT')));
    const { items } = await bench.letters.list({ runId: first.id, ...page });
    const selection = { pipelineId: first.pipelineId, ids: items.map(({ node }) => node.id) };
    const long = uuidv7({ msecs: Date.now() - 120_000 });
    await bench.documents.deadLetters.replays.mark(selection, long);
    await worker.stop();
    worker = bench.worker();
    await worker.start();
    await eventually('the letters are released', async () => !(await bench.letters.runsWithReplayed()).includes(long));
    const justNow = uuidv7();
    expect(await bench.documents.deadLetters.replays.mark(selection, justNow)).toBe(1);
    await worker.stop();
    worker = bench.worker();
    await worker.start();
    await bench.letters.open(`${randomUUID()}/0/1`, 1);
    expect(await bench.letters.runsWithReplayed()).toContain(justNow);
    await bench.letters.releaseReplayed(justNow);
  });
});

describe('the params of a run', () => {
  it('are kept with it and refused before anything is queued', async () => {
    await bench.database.query('CREATE TABLE parametric (id integer PRIMARY KEY, amount integer); INSERT INTO parametric VALUES (1, 5), (2, 50)');
    await bench.save(
      'parametric',
      `inputs: {rows: {connection: $db, stream: parametric}}, params: {least: {type: INTEGER}}, steps: [{id: kept, filter: {from: rows, where: "amount >= $least"}}],
       outputs: [{from: kept, connection: $db, stream: mart.parametric, load: {mode: upsert, key: [id]}}]`,
    );
    await expect(bench.start('parametric')).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringContaining('"least" (INTEGER) has no default'),
    });
    expect((await bench.runs.list({ job: key('parametric'), ...page })).totalCount).toBe(0);
    const run = await bench.ended(await bench.start('parametric', { least: 10 }));
    expect(run).toMatchObject({ state: 'COMPLETE', params: { least: 10 }, metrics: { rowsRead: 2, rowsWritten: 1 } });
    const wrong = await bench.ended(await bench.start('parametric', { least: 'ten' }));
    expect(wrong).toMatchObject({ state: 'FAIL', error: { message: expect.stringContaining('least') } });
  });
});
