import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Session } from '../../../src/model/connector.js';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';
import { loadRequest, loadRows, never, openSession, staged, stageRows, until } from './loading.js';

let database: TestDatabase;
let session: Session;

beforeAll(async () => {
  database = await createDatabase('straight');
  session = openSession(database);
});
afterAll(async () => {
  await session?.close();
  await database?.drop();
});
beforeEach(() => database.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public'));

const table = () => database.query('SELECT id, v FROM public.target ORDER BY id, v');
const goesStraight = async (options = {}) => {
  const load = await session.load(loadRequest(session, options), never);
  await load.abort();
  return load.unnumbered;
};

describe('rows that are appended to a table that is there', () => {
  beforeEach(() => database.query('CREATE TABLE public.target (id integer, v text)'));

  it('stand in it from the commit on, and nobody sees one before', async () => {
    const { load } = await staged(session, [
      ['1', 'a'],
      ['2', null],
    ]);
    expect(load.unnumbered).toBe(true);
    expect(await table()).toEqual([]);
    const committed = await load.commit(never);
    expect(committed.counts).toEqual({ staged: 2, inserted: 2, updated: 0, deleted: 0, unchanged: 0, stale: 0, rejected: 0 });
    expect(await table()).toEqual([
      { id: 1, v: 'a' },
      { id: 2, v: null },
    ]);
  });

  it('leave it as it was when the load is given up, and when a value does not fit', async () => {
    await loadRows(session, [['1', 'before']]);
    const { load } = await staged(session, [['2', 'given up']]);
    await load.abort();
    await database.query('ALTER TABLE public.target ADD CHECK (id < 5)');
    const request = loadRequest(session);
    const failing = await session.load(request, never);
    await stageRows(failing, request, [['4', 'good']]);
    await expect(stageRows(failing, request, [['6', 'bad']])).rejects.toMatchObject({ message: expect.stringContaining('check constraint') });
    await failing.abort();
    expect(await table()).toEqual([{ id: 1, v: 'before' }]);
  });

  it('are there once when two attempts of a load commit', async () => {
    const first = await staged(session, [['1', 'a']], { loadId: 'both/0/1', attempt: 1 });
    const second = await staged(session, [['1', 'a']], { loadId: 'both/0/1', attempt: 2 });
    expect((await second.load.commit(never)).attempt).toBe(2);
    expect((await first.load.commit(never)).attempt).toBe(2);
    expect(await table()).toEqual([{ id: 1, v: 'a' }]);
  });

  it('are not copied by an attempt that was superseded', async () => {
    const old = await staged(session, [['1', 'old']], { epoch: 1 });
    await loadRows(session, [['2', 'new']], { epoch: 2 });
    await expect(old.load.commit(never)).rejects.toMatchObject({ code: 'EPOCH_FENCED' });
    await old.load.abort();
    expect(await table()).toEqual([{ id: 2, v: 'new' }]);
  });

  it('are there also when the server ends long transactions', async () => {
    const limits = ['idle_in_transaction_session_timeout', 'transaction_timeout'];
    const known = await database.query<{ name: string }>('SELECT name FROM pg_settings WHERE name = ANY ($1)', [limits]);
    for (const { name } of known) await database.query(`ALTER DATABASE ${database.name} SET ${name} = '200ms'`);
    try {
      const { load } = await staged(session, [['1', 'a']]);
      const waited = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction' AND clock_timestamp() > xact_start + interval '400 ms'`;
      await until(async () => (await database.query(waited)).length === 1, 'the transaction is old');
      await load.commit(never);
      expect(await table()).toEqual([{ id: 1, v: 'a' }]);
    } finally {
      for (const { name } of known) await database.query(`ALTER DATABASE ${database.name} RESET ${name}`);
    }
  });

  it('wait for no other append', async () => {
    const [one, other] = [await staged(session, [['1', 'a']]), await staged(session, [['2', 'b']], { inputs: ['other'] })];
    await other.load.commit(never);
    await one.load.commit(never);
    expect(await table()).toHaveLength(2);
  });
});

describe('rows are collected before', () => {
  it.each([
    ['the table is not there', []],
    ['a type is another', ['CREATE TABLE public.target (id bigint, v text)']],
    ['a length is another', ['CREATE TABLE public.target (id integer, v varchar(3))']],
    ['the table computes a column', ['CREATE TABLE public.target (id integer GENERATED ALWAYS AS IDENTITY, v text)']],
    [
      'a foreign key looks at another table',
      ['CREATE TABLE public.parent (id integer PRIMARY KEY)', 'CREATE TABLE public.target (id integer REFERENCES parent, v text)'],
    ],
    ['rules rewrite', ['CREATE TABLE public.target (id integer, v text)', 'CREATE RULE other AS ON INSERT TO public.target DO ALSO NOTHING']],
    ['it is a view', ['CREATE TABLE public.stored (id integer, v text)', 'CREATE VIEW public.target AS SELECT * FROM public.stored']],
  ])('when %s', async (_case, statements) => {
    for (const statement of statements) await database.query(statement);
    expect(await goesStraight()).toBe(false);
  });

  it('when the rows stand elsewhere', async () => {
    await database.query('CREATE FOREIGN DATA WRAPPER elsewhere; CREATE SERVER elsewhere FOREIGN DATA WRAPPER elsewhere');
    await database.query('CREATE FOREIGN TABLE public.target (id integer, v text) SERVER elsewhere');
    expect(await goesStraight()).toBe(false);
  });

  it('when only some columns may be written', async () => {
    const user = `clerk_${database.name}`;
    await database.query('CREATE TABLE public.target (id integer, v text, secret text)');
    await database.query(
      `CREATE ROLE ${user} LOGIN PASSWORD 'p'; GRANT USAGE, CREATE ON SCHEMA public TO ${user}; GRANT INSERT (id, v) ON public.target TO ${user}`,
    );
    const clerk = openSession({ ...database, user, password: 'p' });
    try {
      expect((await loadRows(clerk, [['1', 'a']])).counts).toMatchObject({ inserted: 1 });
      expect(await table()).toEqual([{ id: 1, v: 'a' }]);
    } finally {
      await clerk.close();
      await database.query(`DROP OWNED BY ${user}; DROP ROLE ${user}`);
    }
  });

  it('when there is one column, which may hold what ends a copy', async () => {
    await database.query('CREATE TABLE public.target (v text)');
    expect(await goesStraight({ columns: { v: 'text' } })).toBe(false);
    await loadRows(session, [['\\.'], ['b']], { columns: { v: 'text' } });
    expect(await database.query('SELECT v FROM public.target ORDER BY v')).toEqual([{ v: '\\.' }, { v: 'b' }]);
  });

  it('when rows replace others by their key', async () => {
    await database.query('CREATE TABLE public.target (id integer PRIMARY KEY, v text)');
    expect(await goesStraight({ key: ['id'] })).toBe(false);
  });
});
