import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import type { Session } from '../../../src/model/connector.js';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';
import { engineBackends, loadRows, never, openSession, staged, until } from './loading.js';

let database: TestDatabase;
let session: Session;
let other: Client;
const key = ['id'];
const stored = () => database.query('SELECT id, v FROM public.target ORDER BY id');

beforeAll(async () => {
  database = await createDatabase('races');
  session = openSession(database);
});
afterAll(() => database?.drop());
beforeEach(async () => {
  await other?.end();
  await database.query('DROP TABLE IF EXISTS public.target, public._tributary_loads, public._tributary_state');
  other = new Client({ connectionString: database.url });
  other.on('error', () => undefined);
  await other.connect();
});
afterAll(async () => {
  await other?.end().catch(() => undefined);
});

/** Resolves when a session of the engine waits for a lock. */
const waitsForLock = (backends = 1) =>
  until(
    async () =>
      (await engineBackends(database)).filter(({ state, wait_event }) => state === 'active' && /advisory|transactionid|tuple|relation/.test(wait_event ?? ''))
        .length >= backends,
    'the commit waits for a lock',
  );

/** A deferred constraint on the table that waits, at COMMIT, for advisory lock 42, which `other` holds. */
async function holdCommits(): Promise<void> {
  await database.query(`CREATE TABLE IF NOT EXISTS public.target (id integer PRIMARY KEY, v text)`);
  await database.query(
    `CREATE OR REPLACE FUNCTION public.hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NULL; END'`,
  );
  await database.query(
    `CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON public.target DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.hold()`,
  );
  await other.query('SELECT pg_advisory_lock(42)');
}

describe('a load id', () => {
  it('commits once: a second time changes nothing and says what the first did, also for another attempt with other rows', async () => {
    const first = await loadRows(session, [['1', 'a']], { key, loadId: 'once/0/1' });
    const second = await loadRows(
      session,
      [
        ['1', 'b'],
        ['2', 'b'],
      ],
      { key, loadId: 'once/0/1', attempt: 2, epoch: 2 },
    );
    expect(second).toMatchObject({ attempt: 1, counts: first.counts, committedAt: first.committedAt });
    expect(await stored()).toEqual([{ id: 1, v: 'a' }]);
    expect(await session.findLoad('public.target', 'once/0/1')).toMatchObject({ attempt: 1, counts: first.counts });
  });

  it('of two attempts that commit at once only one writes', async () => {
    for (let round = 0; round < 10; round += 1) {
      const loads = await Promise.all(
        [1, 2].map((attempt) => staged(session, [[String(round), `attempt ${attempt}`]], { loadId: `race-${round}/0/1`, attempt, key: [] })),
      );
      const committed = await Promise.all(loads.map(({ load }) => load.commit(never)));
      expect(committed[0]).toEqual(committed[1]);
      expect(await database.query('SELECT v FROM public.target WHERE id = $1', [round])).toEqual([{ v: `attempt ${committed[0]?.attempt}` }]);
    }
  });

  it('that is being committed elsewhere is waited for before it is called missing', async () => {
    await holdCommits();
    const { load } = await staged(session, [['1', 'a']], { key, loadId: 'slow/0/1' });
    const commit = load.commit(never);
    await waitsForLock();
    const found = session.findLoad('public.target', 'slow/0/1');
    await waitsForLock(2);
    await other.query('SELECT pg_advisory_unlock(42)');
    expect(await found).toEqual(await commit);
  });

  it('is found though the database makes every transaction serializable', async () => {
    await database.query(`ALTER DATABASE ${database.name} SET default_transaction_isolation = 'serializable'`);
    try {
      await holdCommits();
      const { load } = await staged(session, [['1', 'a']], { key, loadId: 'serial/0/1' });
      const commit = load.commit(never);
      await waitsForLock();
      const found = session.findLoad('public.target', 'serial/0/1');
      await waitsForLock(2);
      await other.query('SELECT pg_advisory_unlock(42)');
      expect(await found).toEqual(await commit);
    } finally {
      await database.query(`ALTER DATABASE ${database.name} RESET default_transaction_isolation`);
    }
  });

  it('decides after a COMMIT whose answer is lost: not committed is an error, and the table is as before', async () => {
    await holdCommits();
    const { load } = await staged(session, [['1', 'a']], { key, loadId: 'lost/0/1' });
    const commit = load.commit(never).catch((error: unknown) => error);
    await waitsForLock();
    const [backend] = (await engineBackends(database)).filter(({ query }) => query === 'COMMIT');
    await database.query('SELECT pg_terminate_backend($1)', [backend?.pid]);
    expect(await commit).toMatchObject({ code: 'DESTINATION_FAILED', retryable: true });
    expect(await stored()).toEqual([]);
    expect(await session.findLoad('public.target', 'lost/0/1')).toBeNull();
  });

  it('decides after a COMMIT whose answer is lost: committed is success', async () => {
    await holdCommits();
    const { load } = await staged(session, [['1', 'a']], { key, loadId: 'kept/0/1' });
    const cancelled = new AbortController();
    const commit = load.commit(cancelled.signal);
    await waitsForLock();
    cancelled.abort(new Error('the connection is cut while the server commits'));
    await until(async () => (await engineBackends(database)).length >= 2, 'the load is being looked for');
    await other.query('SELECT pg_advisory_unlock(42)');
    expect(await commit).toMatchObject({ attempt: 1, counts: { inserted: 1 } });
    expect(await stored()).toEqual([{ id: 1, v: 'a' }]);
  });
});

describe('an epoch', () => {
  it('older than the one that the destination has seen is refused, and nothing is written', async () => {
    await loadRows(session, [['1', 'new']], { key, epoch: 5 });
    await expect(loadRows(session, [['1', 'zombie']], { key, epoch: 4 })).rejects.toMatchObject({ code: 'EPOCH_FENCED' });
    expect(await stored()).toEqual([{ id: 1, v: 'new' }]);
    await loadRows(session, [['1', 'same epoch']], { key, epoch: 5 });
    expect(await stored()).toEqual([{ id: 1, v: 'same epoch' }]);
  });

  it('is kept for every input of the output', async () => {
    await loadRows(session, [['1', 'new']], { key, epoch: 5, inputs: ['b'] });
    await expect(loadRows(session, [['1', 'zombie']], { key, epoch: 4, inputs: ['a', 'b', 'c'] })).rejects.toMatchObject({ code: 'EPOCH_FENCED' });
    await loadRows(session, [['2', 'another slot']], { key, epoch: 1, inputs: ['a'] });
  });

  it('that is older and one that is newer, committing at once, end with the newer in the table', async () => {
    for (let round = 0; round < 10; round += 1) {
      const low = 2 * round + 1;
      const loads = await Promise.all([low, low + 1].map((epoch) => staged(session, [['1', `epoch ${epoch}`]], { key, epoch })));
      const ends = await Promise.allSettled(loads.map(({ load }) => load.commit(never)));
      expect(ends[1]?.status).toBe('fulfilled');
      if (ends[0]?.status === 'rejected') expect(ends[0].reason).toMatchObject({ code: 'EPOCH_FENCED' });
      expect(await stored()).toEqual([{ id: 1, v: `epoch ${low + 1}` }]);
    }
  });
});

describe('another session', () => {
  it('that inserts the same keys during the merge changes neither the result nor the counts', async () => {
    await database.query('CREATE TABLE public.target (id integer PRIMARY KEY, v text)');
    await database.query(`INSERT INTO public.target VALUES (9, 'there')`);
    await other.query('BEGIN');
    await other.query(`INSERT INTO public.target VALUES (1, 'by hand'), (2, 'b')`);
    const { load } = await staged(
      session,
      [
        ['1', 'a'],
        ['2', 'b'],
        ['3', 'c'],
        ['9', 'new'],
        ['9', 'newer'],
      ],
      { key },
    );
    const commit = load.commit(never);
    await waitsForLock();
    await other.query('COMMIT');
    expect((await commit).counts).toEqual({ staged: 5, inserted: 1, updated: 2, deleted: 0, unchanged: 1, stale: 1, rejected: 0 });
    expect(await stored()).toEqual([
      { id: 1, v: 'a' },
      { id: 2, v: 'b' },
      { id: 3, v: 'c' },
      { id: 9, v: 'newer' },
    ]);
  });

  it('that inserts the same key into an empty table during the first load is merged with', async () => {
    await database.query('CREATE TABLE public.target (id integer PRIMARY KEY, v text)');
    await other.query('BEGIN');
    await other.query(`INSERT INTO public.target VALUES (1, 'by hand')`);
    const { load } = await staged(
      session,
      [
        ['1', 'a'],
        ['2', 'b'],
      ],
      { key },
    );
    const commit = load.commit(never);
    await waitsForLock();
    await other.query('COMMIT');
    expect((await commit).counts).toMatchObject({ inserted: 1, updated: 1 });
    expect(await stored()).toEqual([
      { id: 1, v: 'a' },
      { id: 2, v: 'b' },
    ]);
  });

  it('that makes the same table at the same moment is waited for', async () => {
    for (let round = 0; round < 5; round += 1) {
      const stream = `fresh_${round}.target`;
      const loads = await Promise.all(['a', 'b', 'c'].map((v, index) => staged(session, [[String(index), v]], { key, stream, inputs: [v] })));
      const ends = await Promise.all(loads.map(({ load }) => load.commit(never)));
      expect(ends.map(({ counts }) => counts.inserted)).toEqual([1, 1, 1]);
      expect(await database.query(`SELECT count(*)::int AS rows FROM ${stream}`)).toEqual([{ rows: 3 }]);
    }
  });
});

describe('a table that another load has made since this one was opened', () => {
  it('is refused for an upsert when it has no unique index on the key, and is left as it is', async () => {
    const { load } = await staged(session, [['1', 'mine']], { key });
    await loadRows(session, [['1', 'theirs']]);
    await expect(load.commit(never)).rejects.toMatchObject({ code: 'DESTINATION_MISMATCH', message: expect.stringContaining('no unique index on (id)') });
    expect(await stored()).toEqual([{ id: 1, v: 'theirs' }]);
  });
});
