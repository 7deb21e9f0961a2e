import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import type { Session } from '../../../src/model/connector.js';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';
import { loadRows, never, openSession, staged, until } from './loading.js';

let database: TestDatabase;
let session: Session;
const none = { staged: 0, inserted: 0, updated: 0, deleted: 0, unchanged: 0, stale: 0, rejected: 0 };
const mode = 'overwrite' as const;
const stored = () => database.query('SELECT id, v FROM public.target ORDER BY id, v');
const rowsOf = (v: string, count = 200) => Array.from({ length: count }, (_, id) => [String(id), v]);

beforeAll(async () => {
  database = await createDatabase('overwrite');
  session = openSession(database);
});
afterAll(() => database?.drop());
beforeEach(async () => {
  await database.query('DROP TABLE IF EXISTS public.target, public._tributary_loads, public._tributary_state');
});

describe('an overwrite', () => {
  it('makes the table, and then puts its rows in the place of all that stand there', async () => {
    expect(
      (
        await loadRows(
          session,
          [
            ['1', 'a'],
            ['1', 'a'],
          ],
          { mode },
        )
      ).counts,
    ).toEqual({ ...none, staged: 2, inserted: 2 });
    await database.query(`INSERT INTO public.target VALUES (7, 'by hand')`);
    expect((await loadRows(session, [['2', 'b']], { mode })).counts).toEqual({ ...none, staged: 1, inserted: 1, deleted: 3 });
    expect(await stored()).toEqual([{ id: 2, v: 'b' }]);
  });

  it('with a key makes it the primary key, refuses rows without one and keeps the winner of each', async () => {
    const { counts, refused } = await loadRows(
      session,
      [
        ['1', 'a'],
        [null, 'x'],
        ['1', 'b'],
        ['2', 'c'],
      ],
      { mode, key: ['id'] },
    );
    expect(counts).toEqual({ ...none, staged: 4, inserted: 2, stale: 1, rejected: 1 });
    expect(refused).toMatchObject([{ position: 2, code: 'NULL_KEY' }]);
    expect(await stored()).toEqual([
      { id: 1, v: 'b' },
      { id: 2, v: 'c' },
    ]);
    expect((await session.describe('public.target'))?.primaryKey).toEqual(['id']);
  });

  it('with a key needs a unique index of a table that is there', async () => {
    await database.query('CREATE TABLE public.target (id integer, v text)');
    await expect(loadRows(session, [['1', 'a']], { mode, key: ['id'] })).rejects.toMatchObject({ code: 'DESTINATION_MISMATCH' });
  });

  it('by fewer rows than minRatio allows is refused with both counts and changes nothing; by as many it is not', async () => {
    await loadRows(session, rowsOf('a', 10), { mode });
    await expect(loadRows(session, rowsOf('b', 4), { mode, minRatio: 0.5 })).rejects.toMatchObject({
      code: 'OVERWRITE_SHRINKS',
      message: expect.stringMatching(/4 rows where 10 stand.*load\.minRatio/),
    });
    await expect(loadRows(session, [], { mode, minRatio: 0.5 })).rejects.toMatchObject({ code: 'OVERWRITE_SHRINKS' });
    expect(await database.query(`SELECT count(*)::int AS rows FROM public.target WHERE v = 'a'`)).toEqual([{ rows: 10 }]);
    expect((await loadRows(session, rowsOf('c', 5), { mode, minRatio: 0.5 })).counts).toMatchObject({ inserted: 5, deleted: 10 });
  });

  it('by no rows empties the table when minRatio is 0', async () => {
    await loadRows(session, rowsOf('a', 3), { mode });
    expect((await loadRows(session, [], { mode })).counts).toEqual({ ...none, deleted: 3 });
  });

  it('that a constraint refuses leaves the old rows', async () => {
    await database.query(`CREATE TABLE public.target (id integer, v text CHECK (v <> 'bad')); INSERT INTO public.target VALUES (1, 'old')`);
    await expect(loadRows(session, [['2', 'bad']], { mode })).rejects.toMatchObject({ code: 'DESTINATION_REFUSED' });
    expect(await stored()).toEqual([{ id: 1, v: 'old' }]);
  });

  it('whose deletes a trigger drops is a COUNTS_MISMATCH', async () => {
    await database.query(`CREATE TABLE public.target (id integer, v text); INSERT INTO public.target VALUES (1, 'old')`);
    await database.query(`CREATE OR REPLACE FUNCTION public.keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`);
    await database.query('CREATE TRIGGER keeps BEFORE DELETE ON public.target FOR EACH ROW EXECUTE FUNCTION public.keep()');
    await expect(loadRows(session, [['2', 'new']], { mode })).rejects.toMatchObject({ code: 'COUNTS_MISMATCH' });
    expect(await stored()).toEqual([{ id: 1, v: 'old' }]);
  });
});

describe('an overwrite of an epoch', () => {
  it('older than the one that the destination has seen is refused, and the rows stay', async () => {
    await loadRows(session, [['1', 'new']], { mode, epoch: 5 });
    await expect(loadRows(session, [['2', 'zombie']], { mode, epoch: 4 })).rejects.toMatchObject({ code: 'EPOCH_FENCED' });
    await expect(loadRows(session, [], { mode, epoch: 4 })).rejects.toMatchObject({ code: 'EPOCH_FENCED' });
    expect(await stored()).toEqual([{ id: 1, v: 'new' }]);
    await loadRows(session, [['3', 'same epoch']], { mode, epoch: 5 });
    expect(await stored()).toEqual([{ id: 3, v: 'same epoch' }]);
  });

  it('that is older, staged before a newer one commits, is refused behind it', async () => {
    await loadRows(session, rowsOf('start', 3), { mode });
    const zombie = await staged(session, [['2', 'zombie']], { mode, epoch: 2 });
    await loadRows(session, [['1', 'new']], { mode, epoch: 3 });
    await expect(zombie.load.commit(never)).rejects.toMatchObject({ code: 'EPOCH_FENCED' });
    expect(await stored()).toEqual([{ id: 1, v: 'new' }]);
  });

  it('that is older and one that is newer, committing at once, end with the rows of the newer', async () => {
    for (let round = 0; round < 10; round += 1) {
      const low = 2 * round + 1;
      const loads = await Promise.all([low, low + 1].map((epoch) => staged(session, [[String(epoch), `epoch ${epoch}`]], { mode, epoch })));
      const ends = await Promise.allSettled(loads.map(({ load }) => load.commit(never)));
      expect(ends[1]?.status).toBe('fulfilled');
      if (ends[0]?.status === 'rejected') expect(ends[0].reason).toMatchObject({ code: 'EPOCH_FENCED' });
      expect(await stored()).toEqual([{ id: low + 1, v: `epoch ${low + 1}` }]);
    }
  });
});

describe('readers of a table that is overwritten', () => {
  it('see the old rows or the new ones, never none and never both', async () => {
    await loadRows(session, rowsOf('round 0'), { mode });
    const old = new Client({ connectionString: database.url });
    await old.connect();
    const look = 'SELECT v, count(*)::int AS rows FROM public.target GROUP BY v';
    let writing = true;
    let looks = 0;
    try {
      await old.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM public.target LIMIT 1');
      const polling = (async () => {
        for (; writing; looks += 1) {
          const found = await database.query(look);
          if (found.length !== 1) throw new Error(`A reader saw ${JSON.stringify(found)}.`);
          expect(found).toEqual([{ v: expect.stringMatching(/^round /), rows: 200 }]);
        }
      })();
      for (let round = 1; round <= 15; round += 1) await loadRows(session, rowsOf(`round ${round}`), { mode });
      writing = false;
      await polling;
      expect(looks).toBeGreaterThan(5);
      expect((await old.query(look)).rows).toEqual([{ v: 'round 0', rows: 200 }]);
    } finally {
      writing = false;
      await old.end();
    }
  });

  it('and writers at the same moment end as if one had come behind the other', async () => {
    const key = ['id'];
    await loadRows(session, rowsOf('start'), { mode, key });
    for (let round = 0; round < 8; round += 1) {
      const loads = await Promise.all([
        staged(session, rowsOf(`one ${round}`), { mode, key, inputs: ['one'] }),
        staged(session, rowsOf(`two ${round}`), { mode, key, inputs: ['two'] }),
        staged(
          session,
          [
            ['0', `upserted ${round}`],
            ['9999', `upserted ${round}`],
          ],
          { key, inputs: ['three'] },
        ),
      ]);
      await Promise.all(loads.map(({ load }) => load.commit(never)));
      const found = await database.query<{ v: string; rows: number }>('SELECT v, count(*)::int AS rows FROM public.target GROUP BY v ORDER BY rows DESC');
      expect(found[0]?.v).toMatch(new RegExp(`^(one|two) ${round}$`));
      expect(found.slice(1)).toEqual(found.length === 1 ? [] : [{ v: `upserted ${round}`, rows: 2 }]);
      expect(found[0]?.rows).toBe(found.length === 1 ? 200 : 199);
    }
  });

  it('and a writer by hand that is under way is waited for, its rows are gone', async () => {
    await loadRows(session, [['1', 'old']], { mode });
    const other = new Client({ connectionString: database.url });
    await other.connect();
    try {
      await other.query(`BEGIN; INSERT INTO public.target VALUES (2, 'by hand')`);
      const { load } = await staged(session, [['3', 'new']], { mode });
      const commit = load.commit(never);
      await until(
        async () => (await database.query(`SELECT FROM pg_locks WHERE NOT granted AND mode = 'ShareRowExclusiveLock'`)).length > 0,
        'the overwrite waits for the writer',
      );
      await other.query('COMMIT');
      expect((await commit).counts).toMatchObject({ inserted: 1, deleted: 2 });
      expect(await stored()).toEqual([{ id: 3, v: 'new' }]);
    } finally {
      await other.end();
    }
  });
});
