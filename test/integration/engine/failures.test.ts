import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';
import { engineBackends, until } from './loading.js';
import { copyDocument, runEngine } from './run-engine.js';

const upsert = { mode: 'upsert', key: ['id'] };

describe('a run that fails', () => {
  let source: TestDatabase;
  let target: TestDatabase;
  let holder: Client;

  beforeAll(async () => {
    source = await createDatabase('failsource');
    target = await createDatabase('failtarget');
    await source.query(`CREATE TABLE many AS SELECT i AS id, repeat('x', 200) || i AS v FROM generate_series(1, 200000) i`);
    await source.query(`CREATE TABLE few AS SELECT i AS id, 'v' || i AS v FROM generate_series(1, 5) i`);
    await target.query(`CREATE TABLE public.kept (id integer PRIMARY KEY, v text)`);
    await target.query(`INSERT INTO public.kept VALUES (1, 'before')`);
    holder = new Client({ connectionString: target.url });
    await holder.connect();
  });
  afterAll(async () => {
    await holder?.end();
    await source?.drop();
    await target?.drop();
  });

  const run = (options: Partial<Parameters<typeof runEngine>[0]>) =>
    runEngine({ document: copyDocument('public.few', 'public.kept', upsert), connections: { source, target }, ...options });
  /** Rows as before, no bookkeeping of the run, and no session of ours left. */
  const asBefore = async () => {
    expect(await target.query('SELECT * FROM public.kept')).toEqual([{ id: 1, v: 'before' }]);
    expect(await target.query(`SELECT to_regclass('public._tributary_loads') AS loads`)).toEqual([{ loads: null }]);
    for (const database of [source, target]) await until(async () => (await engineBackends(database)).length === 0, 'no session of the run is left');
  };

  it('with a wrong password is ACCESS_DENIED, and the password stands in no message', async () => {
    const error = (await run({ connections: { source: { ...source, password: 'wrong-secret' }, target } }).catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ code: 'ACCESS_DENIED', message: expect.stringContaining('Check user and password of the connection.') });
    expect(JSON.stringify([error, error.message, error.stack])).not.toContain('wrong-secret');
    await asBefore();
  });

  it('with a server that is down is CONNECTION_FAILED, at the source and at the destination', async () => {
    const down = { ...source, port: 1 };
    const error = { code: 'CONNECTION_FAILED', retryable: true, message: expect.stringContaining('Check that the server runs') };
    await expect(run({ connections: { source: down, target } })).rejects.toMatchObject(error);
    await expect(run({ connections: { source, target: down } })).rejects.toMatchObject(error);
    await expect(run({ connections: { source: { ...source, name: 'no_such_database' }, target } })).rejects.toMatchObject({
      code: 'CONNECTION_FAILED',
      message: expect.stringContaining('Check the database'),
    });
    await asBefore();
  });

  it('with a table that is missing is STREAM_NOT_FOUND', async () => {
    await expect(run({ document: copyDocument('public.nowhere', 'public.kept', upsert) })).rejects.toMatchObject({
      code: 'STREAM_NOT_FOUND',
      message: 'Input "source": there is no table or view public.nowhere in connection "source". Check the name, and that its user may see it.',
    });
    await asBefore();
  });

  it('without the right to read or to write is ACCESS_DENIED', async () => {
    const user = `nobody_${source.name.slice(-12)}`;
    await source.query(`CREATE ROLE ${user} LOGIN PASSWORD 'p'`);
    try {
      await expect(run({ connections: { source: { ...source, user, password: 'p' }, target } })).rejects.toMatchObject({
        code: 'ACCESS_DENIED',
        message: expect.stringContaining('Grant'),
      });
      await expect(run({ connections: { source, target: { ...target, user, password: 'p' } } })).rejects.toMatchObject({
        code: 'ACCESS_DENIED',
        message: expect.stringContaining('Grant'),
      });
    } finally {
      // The staging of a cut session is the role's until the server has removed it.
      await until(async () => (await engineBackends(target)).length === 0, 'no session of the run is left');
      await source.query(`DROP ROLE ${user}`);
    }
    await asBefore();
  });

  it('because the source session is ended in mid-read is SOURCE_FAILED', async () => {
    await source.query(
      `CREATE OR REPLACE VIEW held AS SELECT id, v, CASE WHEN id = 150000 THEN pg_advisory_xact_lock_shared(7) IS NULL END AS waits FROM many`,
    );
    const lock = new Client({ connectionString: source.url });
    await lock.connect();
    await lock.query('SELECT pg_advisory_lock(7)');
    const running = run({ document: copyDocument('public.held', 'public.kept_too', { mode: 'append' }) }).catch((error: unknown) => error);
    const reading = async () => (await engineBackends(source)).filter(({ query, wait_event }) => query.startsWith('COPY') && wait_event === 'advisory');
    await until(async () => (await reading()).length === 1, 'the read waits in the middle');
    await source.query('SELECT pg_terminate_backend($1)', [(await reading())[0]?.pid]);
    expect(await running).toMatchObject({ code: 'SOURCE_FAILED', retryable: true, message: expect.stringContaining('The connection was cut') });
    await lock.end();
    await asBefore();
  });

  it('because the source computes something impossible is SOURCE_FAILED, not the fault of the destination', async () => {
    await source.query(`CREATE OR REPLACE VIEW impossible AS SELECT id, v, 1 / (id - 3) AS n FROM few`);
    await expect(run({ document: copyDocument('public.impossible', 'public.kept_too', { mode: 'append' }) })).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
      message: expect.stringContaining('division by zero'),
    });
    await asBefore();
  });

  it('because the destination session is ended half-way through staging is DESTINATION_FAILED', async () => {
    const endOnce = async () => {
      const [backend] = (await engineBackends(target)).filter(({ query }) => /COPY|_tributary_stage/.test(query));
      if (!backend) return false;
      await target.query('SELECT pg_terminate_backend($1)', [backend.pid]);
      return true;
    };
    const document = { ...copyDocument('public.many', 'public.kept', upsert), limits: { memory: '192MiB' } };
    const running = run({ document }).catch((error: unknown) => error);
    await until(endOnce, 'the destination session is ended');
    expect(await running).toMatchObject({ code: 'DESTINATION_FAILED', retryable: true });
    await asBefore();
  });

  it('because a value does not fit an expression names column and row, and writes nothing', async () => {
    await source.query(
      `CREATE TABLE late AS SELECT i AS id, CASE WHEN i = 3 THEN timestamp '294276-12-31 23:59:59' ELSE timestamp '2024-01-01' END AS moment FROM generate_series(1, 5) i`,
    );
    await source.query(`CREATE TABLE nan AS SELECT i AS id, CASE WHEN i = 4 THEN 'NaN' ELSE 1.50 END::numeric(12,2) AS amount FROM generate_series(1, 5) i`);
    const shaped = (column: string) => [{ id: 'shaped', map: { from: 'source', columns: { id: 'id', v: `CAST(${column} AS VARCHAR)` } } }];
    const error = (column: string, row: number) => ({
      code: 'VALUE_UNCONVERTIBLE',
      message: expect.stringContaining(`Input "source", column "${column}", row ${row}: `),
      context: { row },
    });
    await expect(run({ document: copyDocument('public.late', 'public.kept', upsert, shaped('moment')) })).rejects.toMatchObject(error('moment', 3));
    await expect(run({ document: copyDocument('public.nan', 'public.kept', upsert, shaped('amount')) })).rejects.toMatchObject(error('amount', 4));
    await asBefore();
  });

  it('because more rows were rejected than its budget allows is REJECTED_BUDGET, names the step and how many, and stores no letter', async () => {
    await source.query(`CREATE TABLE odd AS SELECT i AS id, CASE WHEN i IN (2, 4) THEN 'x' ELSE i::text END AS v FROM generate_series(1, 5) i`);
    const steps = [{ id: 'typed', cast: { from: 'source', columns: { v: 'INTEGER' }, onError: 'reject' } }];
    const stored: unknown[] = [];
    const within = (to: string, maxRows: number) =>
      run({
        document: { ...copyDocument('public.odd', to, upsert, steps), limits: { rejected: { maxRows } } },
        onRejected: async (rows) => void stored.push(...rows),
      });
    const error = (await within('public.kept', 1).catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ code: 'REJECTED_BUDGET', step: 'typed', context: { rejected: 2, read: 5 }, retryable: false });
    expect(error.message).toMatch(
      /^Of 5 rows read, 2 were rejected, which is more than limits\.rejected\.maxRows \(1\) allows\. Step "typed" rejected 2 of them: /,
    );
    expect(stored).toEqual([]);
    await asBefore();
    expect((await within('mart.odd', 2)).summary.metrics).toMatchObject({ rowsWritten: 3, rowsRejected: 2 });
    await target.query('DROP SCHEMA mart CASCADE');
  });

  it('because its destination refuses more rows than the budget allows is REJECTED_BUDGET too', async () => {
    await source.query(`CREATE TABLE keyless AS SELECT NULLIF(NULLIF(i, 2), 4) AS id, i::text AS v FROM generate_series(1, 5) i`);
    const within = (maxRows: number) => run({ document: { ...copyDocument('public.keyless', 'public.kept', upsert), limits: { rejected: { maxRows } } } });
    await expect(within(1)).rejects.toMatchObject({
      code: 'REJECTED_BUDGET',
      message: expect.stringContaining(
        'Of 5 rows read, 2 were rejected, which is more than limits.rejected.maxRows (1) allows. The load of public.kept refused 2 of them.',
      ),
      context: { rejected: 2, read: 5 },
    });
    await asBefore();
  });

  it('because a dead letter cannot be stored writes nothing', async () => {
    const steps = [{ id: 'typed', cast: { from: 'source', columns: { v: 'INTEGER' }, onError: 'reject' } }];
    const onRejected = () => Promise.reject(new Error('the store is down'));
    await expect(run({ document: copyDocument('public.few', 'public.kept_too', { mode: 'append' }, steps), onRejected })).rejects.toThrow('the store is down');
    await asBefore();
  });
});

describe('a run that is cancelled', () => {
  let source: TestDatabase;
  let target: TestDatabase;

  beforeAll(async () => {
    source = await createDatabase('cancelsource');
    target = await createDatabase('canceltarget');
    await source.query(`CREATE TABLE many AS SELECT i AS id, repeat('x', 200) || i AS v FROM generate_series(1, 100000) i`);
    await source.query(`CREATE VIEW held AS SELECT id, v FROM many WHERE CASE WHEN id = 90000 THEN pg_advisory_xact_lock_shared(7) IS NOT NULL ELSE true END`);
    await target.query(`CREATE TABLE public.kept (id integer PRIMARY KEY, v text)`);
  });
  afterAll(async () => {
    await source?.drop();
    await target?.drop();
  });

  /** Cancels when `reached` says so, and expects the reason as the error, nothing written, and no session left. */
  async function cancelWhen(reached: () => Promise<boolean>, document: Readonly<Record<string, unknown>>): Promise<void> {
    const controller = new AbortController();
    const reason = new Error('cancelled by the test');
    const running = runEngine({ document, connections: { source, target }, signal: controller.signal }).catch((error: unknown) => error);
    await until(reached, 'the stage is reached');
    controller.abort(reason);
    expect(await running).toBe(reason);
    for (const database of [source, target]) await until(async () => (await engineBackends(database)).length === 0, 'no session of the run is left');
    expect(await target.query('SELECT count(*)::int AS rows FROM public.kept')).toEqual([{ rows: 0 }]);
  }

  const queries = async (database: TestDatabase) => (await engineBackends(database)).map(({ query, wait_event }) => `${wait_event} ${query}`);
  const withLock = async (database: TestDatabase, lock: string, work: () => Promise<void>) => {
    const holder = new Client({ connectionString: database.url });
    await holder.connect();
    try {
      await holder.query(lock);
      await work();
    } finally {
      await holder.end();
    }
  };

  it('before it begins touches nothing', async () => {
    const reason = new Error('cancelled before');
    await expect(
      runEngine({ document: copyDocument('public.many', 'public.kept', upsert), connections: { source, target }, signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason);
    expect(await target.query('SELECT count(*)::int AS rows FROM public.kept')).toEqual([{ rows: 0 }]);
  });

  it('while it reads ends the read at the server', () =>
    withLock(source, 'SELECT pg_advisory_lock(7)', () =>
      cancelWhen(async () => (await queries(source)).some((query) => query.startsWith('advisory COPY')), copyDocument('public.held', 'public.kept', upsert)),
    ));

  it('while DuckDB computes interrupts it', async () => {
    const slow = { id: 'slow', map: { from: 'source', columns: { id: 'id', v: 'md5(repeat(v, 200)) || md5(repeat(v, 201))' } } };
    const began = Date.now();
    await cancelWhen(
      async () => (await queries(source)).some((query) => query.startsWith('ClientWrite COPY')),
      copyDocument('public.many', 'public.kept', upsert, [slow]),
    );
    expect(Date.now() - began).toBeLessThan(20_000);
  });

  it('while it merges ends the merge at the server', () =>
    withLock(target, 'BEGIN; LOCK TABLE public.kept IN ACCESS EXCLUSIVE MODE', () =>
      cancelWhenHeld(async () => (await queries(target)).some((query) => query.startsWith('relation '))),
    ));

  async function cancelWhenHeld(reached: () => Promise<boolean>): Promise<void> {
    const controller = new AbortController();
    const reason = new Error('cancelled by the test');
    const running = runEngine({
      document: copyDocument('public.many', 'public.kept', upsert),
      connections: { source, target },
      signal: controller.signal,
    }).catch((error: unknown) => error);
    await until(reached, 'the merge waits for the table');
    controller.abort(reason);
    expect(await running).toBe(reason);
    await until(async () => (await engineBackends(target)).length === 0, 'the server has ended the statement of a client that is gone');
  }
});
