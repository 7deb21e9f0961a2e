import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Worker } from '../../../src/worker/worker.js';
import { eventually } from '../../support/eventually.js';
import { environmentOf, idleProcesses, openWorkBench, runProcesses, type WorkBench } from './work-bench.js';

let bench: WorkBench;
let worker: Worker;

const slowInput = 'inputs: {slow: {connection: $db, stream: public.slow}}, steps: [{id: shaped, map: {from: slow, columns: {id: id, note: note}}}]';
const slowOutput = (table: string, more = '') => `outputs: [{from: shaped, connection: $db, stream: ${table}, load: {mode: append}}]${more}`;

beforeAll(async () => {
  bench = await openWorkBench();
  await bench.database.query(
    "CREATE TABLE orders (id integer PRIMARY KEY, amount text); INSERT INTO orders SELECT n, CASE WHEN n % 100 = 0 THEN 'many' ELSE n || '.50' END FROM generate_series(1, 1000) n",
  );
  await bench.database.query(
    "CREATE VIEW slow AS SELECT n AS id, (SELECT 'x' FROM pg_sleep(CASE WHEN n > 0 THEN 0.1 END)) AS note FROM generate_series(1, 600) n",
  );
  worker = bench.worker();
  await worker.start();
}, 300_000);
afterAll(() => bench?.close());

const ordersOutput = (table: string) =>
  `inputs: {orders: {connection: $db, stream: public.orders}}, steps: [{id: typed, cast: {from: orders, columns: {amount: "DECIMAL(12,2)"}, onError: reject}}],
   outputs: [{from: typed, connection: $db, stream: ${table}, load: {mode: upsert, key: [id]}}]`;

describe('the worker', () => {
  it('executes a queued run, opens its dead letters and leaves no process and no folder behind', async () => {
    const run = await bench.ended(await bench.queue('moved', ordersOutput('mart.moved')));
    expect(run).toMatchObject({ state: 'COMPLETE', attempt: 1, error: null, metrics: { rowsRead: 1000, rowsWritten: 990, rowsRejected: 10 } });
    expect(await bench.database.query('SELECT count(*)::int AS rows, sum(amount)::text AS sum FROM mart.moved')).toEqual([{ rows: 990, sum: '495495.00' }]);
    const letters = await bench.letters.list({ runId: run.id, first: 100, after: null });
    expect(letters.totalCount).toBe(10);
    expect(letters.items[0]?.node).toMatchObject({ runId: run.id, step: 'typed', stage: 'transform', status: 'OPEN', row: { amount: 'many' } });
    await worker.stop();
    expect([...(await runProcesses()), ...(await idleProcesses())]).toEqual([]);
    expect(await readdir(bench.runsFolder)).toEqual([]);
    worker = bench.worker();
    await worker.start();
  });

  it('ends a run that rejects more rows than its budget allows, with the destination as before and no dead letter', async () => {
    await bench.database.query(
      `CREATE TABLE keyless AS SELECT NULLIF(n % 4, 0) AS id, CASE WHEN n = 1 THEN 'many' ELSE n::text END AS amount FROM generate_series(1, 8) n;
       CREATE SCHEMA IF NOT EXISTS mart; CREATE TABLE mart.bounded (id integer PRIMARY KEY, amount numeric(12,2)); INSERT INTO mart.bounded VALUES (1, 7)`,
    );
    for (const [name, stream, maxRows, rejected] of [
      ['bounded', 'public.orders', 1, 10],
      ['refused', 'public.keyless', 2, 3],
    ] as const) {
      const body = ordersOutput('mart.bounded').replace('public.orders', stream);
      const run = await bench.ended(await bench.queue(name, `${body}, limits: {rejected: {maxRows: ${maxRows}}}`));
      expect(run).toMatchObject({ state: 'FAIL', error: { code: 'REJECTED_BUDGET', message: expect.stringContaining(`, ${rejected} were rejected`) } });
      expect(await bench.database.query('SELECT id, amount::text FROM mart.bounded')).toEqual([{ id: 1, amount: '7.00' }]);
      await eventually('no letter of the run is kept, pending ones neither', async () => !(await bench.letters.runsWithPending()).includes(run.id));
      expect((await bench.letters.list({ runId: run.id, first: 100, after: null })).totalCount).toBe(0);
    }
  });

  it('gives a run process no secrets but those of its own connections, and those not in its environment', async () => {
    process.env['TRIBUTARY_SECRET_OTHER'] = 'other-secret-value';
    const id = await bench.queue('environment', `${slowInput}, ${slowOutput('mart.environment')}`);
    await bench.reached(id, ({ state }) => state === 'RUNNING');
    const [child] = await processesOnceThere(1);
    const environment = await environmentOf(child ?? 0);
    expect(environment).toContain('UV_THREADPOOL_SIZE=16');
    for (const secret of ['other-secret-value', bench.database.password, 'NEO4J', 'MONGODB', 'TRIBUTARY_SECRET']) expect(environment).not.toContain(secret);
    await bench.runs.cancel(id);
    await bench.ended(id);
  });

  it('ends a running run that is cancelled, with the destination as before', async () => {
    const id = await bench.queue('cancelled', `${slowInput}, ${slowOutput('mart.cancelled')}`);
    await bench.reached(id, ({ state }) => state === 'RUNNING');
    await processesOnceThere(1);
    const askedAtMs = performance.now();
    expect(await bench.runs.cancel(id)).toMatchObject({ outcome: 'cancelled' });
    expect(await bench.ended(id)).toMatchObject({ state: 'ABORT', error: { code: 'RUN_CANCELLED' } });
    expect(performance.now() - askedAtMs).toBeLessThan(6_000);
    expect(await tableExists('mart.cancelled')).toBe(false);
  });

  it('ends a running run whose cancel was asked for in another process', async () => {
    bench.tellsCancel = false;
    const id = await bench.queue('elsewhere', `${slowInput}, ${slowOutput('mart.elsewhere')}`);
    await processesOnceThere(1);
    await bench.runs.cancel(id);
    expect(await bench.ended(id)).toMatchObject({ state: 'ABORT', error: { code: 'RUN_CANCELLED' } });
    bench.tellsCancel = true;
  });

  it('stops a run that somebody else has taken, and takes it up again as the next attempt', async () => {
    const id = await bench.queue('taken', `${slowInput}, ${slowOutput('mart.taken')}`);
    const [first] = await processesOnceThere(1);
    expect(await bench.runs.recover({ workers: bench.workerNames })).toBe(1);
    await bench.reached(id, ({ state, attempt }) => state === 'RUNNING' && attempt === 2);
    await bench.runs.cancel(id);
    expect(await bench.ended(id)).toMatchObject({ state: 'ABORT', attempt: 2 });
    expect(await runProcesses()).not.toContain(first);
  });

  it('keeps a process waiting that the next run of usual memory gets, and lives without it when it dies', async () => {
    const [waiting] = await eventually('a process waits', async () => ((await idleProcesses()).length === 1 ? await idleProcesses() : null));
    const id = await bench.queue('pooled', `${slowInput}, ${slowOutput('mart.pooled')}`);
    expect(await processesOnceThere(1)).toEqual([waiting]);
    await bench.runs.cancel(id);
    await bench.ended(id);
    const [next] = await eventually('another process waits', async () => ((await idleProcesses()).length === 1 ? await idleProcesses() : null));
    const other = await bench.queue('wide', `${slowInput}, ${slowOutput('mart.wide', ', limits: {memory: 1GiB}')}`);
    expect(await processesOnceThere(1)).not.toEqual([next]);
    await bench.runs.cancel(other);
    await bench.ended(other);
    process.kill(next ?? 0, 'SIGKILL');
    expect(await bench.ended(await bench.queue('moved', ordersOutput('mart.moved')))).toMatchObject({ state: 'COMPLETE' });
  });

  it('opens at its start the dead letters that a crash left unopened', async () => {
    const run = await bench.ended(await bench.queue('moved', ordersOutput('mart.moved')));
    // Until then it may be dropping the letters of this run.
    await worker.stop();
    const loadId = `${run.id}/0/1`;
    const outputs = [{ connection: bench.database.name, stream: 'mart.moved' }];
    const letter = (id: string) => ({ id, loadId, stage: 'transform', step: 'typed', code: 'CAST', message: 'x', row: {} }) as const;
    await bench.letters.store(run, 1, [letter(`${run.id}-committed`)], outputs);
    await bench.letters.store(run, 9, [letter(`${run.id}-other`)], outputs);
    worker = bench.worker();
    await worker.start();
    await eventually('the letters are settled', async () => (await bench.letters.runsWithPending()).length === 0);
    expect(await bench.letters.byId(`dl_${run.id}-committed`)).toMatchObject({ status: 'OPEN' });
    expect(await bench.letters.byId(`dl_${run.id}-other`)).toBeNull();
  });

  it('ends a run that is longer than its limits.timeout', async () => {
    const id = await bench.queue('late', `${slowInput}, ${slowOutput('mart.late', ', limits: {timeout: PT2S}')}`);
    expect(await bench.ended(id)).toMatchObject({ state: 'FAIL', error: { code: 'RUN_TIMED_OUT', message: expect.stringContaining('limits.timeout of 2 s') } });
    expect(await tableExists('mart.late')).toBe(false);
  });

  it('records a process that was killed from outside, and the next run goes well', async () => {
    const id = await bench.queue('killed', `${slowInput}, ${slowOutput('mart.killed')}`);
    const [child] = await processesOnceThere(1);
    process.kill(child ?? 0, 'SIGKILL');
    expect(await bench.ended(id)).toMatchObject({
      state: 'FAIL',
      error: { code: 'RUN_PROCESS_DIED', message: expect.stringContaining('SIGKILL'), retryable: true },
    });
    expect(await bench.ended(await bench.queue('moved', ordersOutput('mart.moved')))).toMatchObject({ state: 'COMPLETE', metrics: { rowsWritten: 0 } });
  });

  it('gives a running run back when it stops; the next worker executes it as the next attempt', async () => {
    const id = await bench.queue('resumed', `${slowInput}, ${slowOutput('mart.resumed')}`);
    await processesOnceThere(1);
    await mkdir(join(bench.runsFolder, 'gone', 'left-over'), { recursive: true });
    await worker.stop();
    expect(await runProcesses()).toEqual([]);
    expect(await bench.runs.get(id)).toMatchObject({ state: 'QUEUED', attempt: 1 });
    await bench.database.query("CREATE OR REPLACE VIEW slow AS SELECT n AS id, 'x'::text AS note FROM generate_series(1, 600) n");
    worker = bench.worker({ ended: ['gone'] });
    await worker.start();
    expect(await bench.ended(id)).toMatchObject({ state: 'COMPLETE', attempt: 2, metrics: { rowsWritten: 600 } });
    expect(await bench.database.query('SELECT count(*)::int AS rows FROM mart.resumed')).toEqual([{ rows: 600 }]);
    expect(await readdir(bench.runsFolder)).not.toContain('gone');
  });

  it('finds a run that nobody told it of', async () => {
    bench.wakes = false;
    const id = await bench.queue('moved', ordersOutput('mart.moved'));
    expect(await bench.ended(id)).toMatchObject({ state: 'COMPLETE' });
    bench.wakes = true;
  });

  it('ends a run whose connection cannot be had with the reason', async () => {
    const id = await bench.queue('broken', ordersOutput('mart.broken'));
    await bench.ended(id);
    await bench.database.query('ALTER TABLE orders RENAME TO orders_away');
    const started = await bench.runs.start({ pipeline: { namespace: bench.database.name, name: 'broken' }, trigger: 'manual' });
    const again = started.outcome === 'queued' ? started.run.id : '';
    expect(await bench.ended(again)).toMatchObject({ state: 'FAIL', error: { code: 'STREAM_NOT_FOUND' } });
    await bench.database.query('ALTER TABLE orders_away RENAME TO orders');
  });
});

async function tableExists(name: string): Promise<boolean> {
  const [row] = await bench.database.query<{ found: boolean }>('SELECT to_regclass($1) IS NOT NULL AS found', [name]);
  return row?.found ?? false;
}

async function processesOnceThere(count: number): Promise<number[]> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const found = await runProcesses();
    if (found.length >= count || performance.now() > deadline) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
