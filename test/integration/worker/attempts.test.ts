import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { eventually } from '../../support/eventually.js';
import { openWorkBench, runProcesses, type WorkBench } from './work-bench.js';

let bench: WorkBench;
let holder: Client;

const output = (table: string, more = '') =>
  `inputs: {orders: {connection: $db, stream: public.orders}}, outputs: [{from: orders, connection: $db, stream: ${table}, load: {mode: append}}]${more}`;
const retry = (attempts: number) => `, retry: {attempts: ${attempts}, initial: PT0.1S, max: PT0.2S}`;

beforeAll(async () => {
  bench = await openWorkBench();
  await bench.database.query('CREATE TABLE orders AS SELECT n AS id, n::text AS note FROM generate_series(1, 1000) n');
  holder = new Client({ connectionString: bench.database.url });
  await holder.connect();
  await bench.worker({ sweepEveryMs: 60_000 }).start();
}, 300_000);
afterAll(async () => {
  await holder?.end();
  await bench?.close();
});

async function lock(table: string): Promise<void> {
  await holder.query(`CREATE TABLE IF NOT EXISTS ${table} (id integer, note text)`);
  await holder.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
}

/** The sessions of runs that wait for a lock. */
async function waiting(): Promise<number[]> {
  const text = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name LIKE 'tributary%'";
  return (await bench.database.query<{ pid: number }>(text)).map(({ pid }) => pid);
}

const waitingSession = (): Promise<number> => eventually('a run waits for the table', async () => (await waiting())[0] ?? null);
const rowsOf = async (table: string) => (await bench.database.query<{ rows: number }>(`SELECT count(*)::int AS rows FROM ${table}`))[0]?.rows;

describe('a run with `retry`', () => {
  it('is executed again when its connection was cut, and loads every row once', async () => {
    await lock('cut');
    const id = await bench.queue('cut', output('public.cut', retry(3)));
    await bench.database.query('SELECT pg_terminate_backend($1)', [await waitingSession()]);
    await bench.reached(id, ({ attempt }) => attempt === 2);
    expect(await bench.runs.get(id)).toMatchObject({ state: 'RUNNING', error: { code: 'DESTINATION_FAILED', retryable: true } });
    await holder.query('ROLLBACK');
    expect(await bench.ended(id)).toMatchObject({ state: 'COMPLETE', attempt: 2, error: null, notBefore: null, metrics: { rowsWritten: 1000 } });
    expect(await rowsOf('cut')).toBe(1000);
  });

  it('is FAIL with the last error when its attempts are used up', async () => {
    await lock('killed');
    const id = await bench.queue('killed', output('public.killed', retry(3)));
    for (const attempt of [1, 2, 3]) {
      await bench.reached(id, (run) => run.state === 'RUNNING' && run.attempt === attempt);
      await waitingSession();
      for (const child of await runProcesses()) process.kill(child, 'SIGKILL');
      await eventually('its session is gone', async () => (await waiting()).length === 0);
    }
    expect(await bench.ended(id)).toMatchObject({ state: 'FAIL', attempt: 3, error: { code: 'RUN_PROCESS_DIED', retryable: true } });
    await holder.query('ROLLBACK');
    expect(await rowsOf('killed')).toBe(0);
  });

  it('is FAIL at once when the error stays the same', async () => {
    await bench.database.query("CREATE TABLE strict (id integer, note text CHECK (note <> '7'))");
    const run = await bench.ended(await bench.queue('strict', output('public.strict', retry(3))));
    expect(run).toMatchObject({ state: 'FAIL', attempt: 1, error: { code: 'DESTINATION_REFUSED', retryable: false } });
  });

  it('ends an attempt at limits.attemptTimeout and makes another, and all of them at limits.timeout', async () => {
    await lock('slow');
    const id = await bench.queue('slow', output('public.slow', `${retry(2)}, limits: {attemptTimeout: PT2S}`));
    await bench.reached(id, ({ state, attempt }) => state === 'RUNNING' && attempt === 2);
    await holder.query('ROLLBACK');
    expect(await bench.ended(id)).toMatchObject({ state: 'COMPLETE', attempt: 2 });
    await lock('slow');
    const late = await bench.ended(await bench.queue('late', output('public.slow', `${retry(100)}, limits: {attemptTimeout: PT2S, timeout: PT5S}`)));
    expect(late).toMatchObject({ state: 'FAIL', error: { code: 'RUN_TIMED_OUT' } });
    expect(late.attempt).toBeGreaterThan(1);
    expect(Date.parse(late.endedAt ?? '') - Date.parse(late.startedAt ?? '')).toBeLessThan(9_000);
    await holder.query('ROLLBACK');
  });

  it('can be cancelled while it waits for its next attempt', async () => {
    await lock('waits');
    const id = await bench.queue('waits', output('public.waits', ', retry: {attempts: 2, initial: PT10H, max: PT10H}'));
    await bench.database.query('SELECT pg_terminate_backend($1)', [await waitingSession()]);
    await bench.reached(id, ({ state }) => state === 'QUEUED');
    expect(await bench.runs.cancel(id)).toMatchObject({ outcome: 'cancelled', run: { state: 'ABORT', notBefore: null } });
    await holder.query('ROLLBACK');
  });
});

describe('a worker', () => {
  const expire = (id: string, more = '') => bench.cypher(`MATCH (run:Run {id: $id}) SET run.leaseUntil = datetime.realtime()${more}`, { id });
  const claim = async (id: string): Promise<void> => {
    await bench.runs.claim({ worker: 'a worker that is gone' });
    expect(await bench.runs.get(id)).toMatchObject({ state: 'RUNNING' });
  };

  /** Queues a run that only the test itself takes. */
  async function taken(name: string): Promise<string> {
    bench.wakes = false;
    const id = await bench.queue(name, output(`public.${name}`));
    await claim(id);
    return id;
  }

  it('takes up runs of any worker when their lease has passed, and of those it is told have ended at once', async () => {
    const [expired, orphaned, held] = [await taken('expired'), await taken('orphaned'), await taken('held')];
    await bench.cypher("MATCH (run:Run {id: $id}) SET run.worker = 'a worker that has ended'", { id: orphaned });
    await expire(expired);
    const worker = bench.worker({ ended: ['a worker that has ended'], sweepEveryMs: 200 });
    await worker.start();
    for (const id of [expired, orphaned]) expect(await bench.ended(id)).toMatchObject({ state: 'COMPLETE', attempt: 2 });
    expect(await bench.runs.get(held)).toMatchObject({ state: 'RUNNING', attempt: 1 });
    await expire(held);
    expect(await bench.ended(held)).toMatchObject({ state: 'COMPLETE', attempt: 2 });
    await worker.stop();
  });

  it('ends a run whose workers are lost again and again, without executing it', async () => {
    const id = await taken('deadly');
    await expire(id, ', run.takeovers = 10');
    const worker = bench.worker({ sweepEveryMs: 200 });
    await worker.start();
    const run = await bench.ended(id);
    expect(run).toMatchObject({
      state: 'FAIL',
      error: { code: 'RUN_PROCESS_DIED', retryable: false, message: expect.stringContaining('11 workers were lost') },
    });
    expect(await bench.database.query("SELECT to_regclass('public.deadly') AS found")).toEqual([{ found: null }]);
    await worker.stop();
  });
});
