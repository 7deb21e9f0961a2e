import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';
import { extremes } from './extremes.js';
import { copyDocument, runEngine } from './run-engine.js';

/** One table with a column `c<index>` for every type, its values from row 1 on; NULL in row 0 and below the last value. */
async function createEverything(database: TestDatabase, table: string, rows: boolean): Promise<void> {
  await database.query(`CREATE TABLE ${table} (id integer, ${extremes.map(({ type }, index) => `c${index} ${type}`).join(', ')})`);
  if (!rows) return;
  const most = Math.max(...extremes.map(({ values }) => values.length));
  for (let row = 0; row <= most; row += 1) {
    await database.query(`INSERT INTO ${table} VALUES (${row}, ${extremes.map(({ values }) => values[row - 1] ?? 'NULL').join(', ')})`);
  }
}

describe('columns that no expression reads', () => {
  let source: TestDatabase;
  let target: TestDatabase;

  beforeAll(async () => {
    source = await createDatabase('passsource');
    target = await createDatabase('passtarget');
    for (const database of [source, target]) {
      await database.query(`CREATE TYPE public.mood AS ENUM ('sad', 'very "happy", yes', '')`);
      await database.query(`CREATE DOMAIN public.positive AS integer CHECK (VALUE > 0)`);
      await database.query(`CREATE TYPE public.pair AS (first integer, second text)`);
    }
    await createEverything(source, 'everything', true);
    await createEverything(target, 'there', false);
    await runEngine({ document: copyDocument('public.everything', 'public.made'), connections: { source, target } });
    await runEngine({ document: copyDocument('public.everything', 'public.there'), connections: { source, target } });
    await createEverything(source, 'same', false);
    await runEngine({ document: copyDocument('public.everything', 'public.same'), connections: { source, target: source } });
  });
  afterAll(async () => {
    await source?.drop();
    await target?.drop();
  });

  describe.each(extremes.map((extreme, index) => ({ ...extreme, column: `c${index}` })))('of type $type', ({ type, values, madeAs, column }) => {
    const texts = (database: TestDatabase, table: string) =>
      database.query<{ id: number; text: string | null }>(`SELECT id, ${column}::text AS text FROM ${table} ORDER BY id`);

    it('arrive as they were in a table that is made for them', async () => {
      const expected = await texts(source, 'everything');
      expect(expected.filter(({ text }) => text !== null)).toHaveLength(values.length);
      expect(await texts(target, 'made')).toEqual(expected);
      const made = await target.query(`SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = 'made'::regclass AND attname = $1`, [
        column,
      ]);
      expect(made).toEqual([{ type: madeAs ?? type }]);
    });

    it('arrive as they were in a table that is there, down to the stored image', async () => {
      expect(await texts(target, 'there')).toEqual(await texts(source, 'everything'));
      const image = (alias: string) => `CAST(ROW(${alias}.${column}) AS record)`;
      const differing = await source.query(`SELECT a.id FROM everything a FULL JOIN same b USING (id) WHERE ${image('a')} *<> ${image('b')}`);
      expect(differing).toEqual([]);
    });
  });

  it('a row that is nothing but \\. does not end the data', async () => {
    await source.query(`CREATE TABLE dots (value text)`);
    await source.query(String.raw`INSERT INTO dots VALUES ('before'), ('\.'), (NULL), (''), (E'\\.\n'), (E'\n\\.\n'), ('after')`);
    await runEngine({ document: copyDocument('public.dots', 'public.dots'), connections: { source, target } });
    const expected = ['', '\n\\.\n', '\\.', '\\.\n', 'after', 'before', null];
    expect((await target.query<{ value: string }>(`SELECT value FROM dots ORDER BY value COLLATE "C"`)).map(({ value }) => value)).toEqual(expected);
  });

  it('a value of 3 MB arrives whole, passed through and computed', async () => {
    await source.query(`CREATE TABLE wide AS SELECT 1 AS id, repeat(E'"\\n,\\\\', 750000) AS value UNION ALL SELECT 2, 'short'`);
    await runEngine({ document: copyDocument('public.wide', 'public.wide'), connections: { source, target } });
    const computed = { id: 'computed', map: { from: 'source', columns: { id: 'id', value: 'coalesce(value, value)' } } };
    await runEngine({ document: copyDocument('public.wide', 'public.wide_computed', { mode: 'append' }, [computed]), connections: { source, target } });
    const sums = (database: TestDatabase, table: string) => database.query(`SELECT id, length(value) AS length, md5(value) AS sum FROM ${table} ORDER BY id`);
    const expected = await sums(source, 'public.wide');
    expect(expected[0]).toMatchObject({ id: 1, length: 3_000_000 });
    expect(await sums(target, 'public.wide')).toEqual(expected);
    expect(await sums(target, 'public.wide_computed')).toEqual(expected);
  });

  it('an empty table makes an empty table', async () => {
    await source.query(`CREATE TABLE empty (id integer, value numeric(12,2))`);
    const { summary } = await runEngine({ document: copyDocument('public.empty', 'public.empty'), connections: { source, target } });
    expect(summary.metrics).toEqual({ rowsRead: 0, rowsWritten: 0, rowsRejected: 0, bytesRead: 0, bytesWritten: 0 });
    expect(await target.query('SELECT count(*)::int AS rows FROM public.empty')).toEqual([{ rows: 0 }]);
  });

  it('the sessions of a run do not depend on the settings of the databases', async () => {
    for (const database of [source, target]) {
      for (const setting of [
        `DateStyle = 'SQL, DMY'`,
        `IntervalStyle = 'sql_standard'`,
        `TimeZone = 'Asia/Kolkata'`,
        `extra_float_digits = 0`,
        `bytea_output = 'escape'`,
        `default_transaction_isolation = 'serializable'`,
        `standard_conforming_strings = off`,
        `statement_timeout = '1ms'`,
        `search_path = 'nowhere'`,
      ]) {
        await database.query(`ALTER DATABASE ${database.name} SET ${setting}`);
      }
    }
    await runEngine({ document: copyDocument('public.everything', 'public.settings'), connections: { source, target } });
    for (const database of [source, target]) await database.query(`ALTER DATABASE ${database.name} RESET ALL`);
    const all = (database: TestDatabase, table: string) => database.query(`SELECT t::text AS row FROM ${table} t ORDER BY id`);
    expect(await all(target, 'public.settings')).toEqual(await all(target, 'public.made'));
  });
});
