import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';
import { copyDocument, runEngine } from './run-engine.js';

const upsert = { mode: 'upsert', key: ['id'] };

describe('a destination table that is there', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createDatabase('mismatch');
    await database.query(`CREATE TABLE source (id integer, amount numeric(12,2), note character varying(10), made timestamp)`);
    await database.query(`INSERT INTO source VALUES (1, 1.50, 'a', '2024-01-01')`);
  });
  afterAll(() => database?.drop());
  beforeEach(() => database.query('DROP TABLE IF EXISTS target, _tributary_loads, _tributary_state'));

  const run = (load: Readonly<Record<string, unknown>>, steps: readonly unknown[] = []) =>
    runEngine({ document: copyDocument('public.source', 'public.target', load, steps), connections: { source: database, target: database } });

  it.each([
    ['lacks a column', '(id integer PRIMARY KEY, amount numeric(12,2), note text)', 'it has no column "made". Add it, or leave it out of the pipeline.'],
    [
      'has a column too narrow in digits',
      '(id integer PRIMARY KEY, amount numeric(11,2), note text, made timestamp)',
      'column "amount" is numeric(11,2) and cannot hold every numeric(12,2).',
    ],
    [
      'has a column too narrow in scale',
      '(id integer PRIMARY KEY, amount numeric(14,1), note text, made timestamp)',
      'column "amount" is numeric(14,1) and cannot hold every numeric(12,2).',
    ],
    [
      'has a column too short',
      '(id integer PRIMARY KEY, amount numeric, note varchar(9), made timestamp)',
      'column "note" is character varying(9) and cannot hold every character varying(10).',
    ],
    [
      'has a column that pads',
      '(id integer PRIMARY KEY, amount numeric, note char(10), made timestamp)',
      'column "note" is character(10) and cannot hold every character varying(10).',
    ],
    [
      'has a column of a smaller integer',
      '(id smallint PRIMARY KEY, amount numeric, note text, made timestamp)',
      'column "id" is smallint and cannot hold every integer.',
    ],
    [
      'has a column that rounds',
      '(id integer PRIMARY KEY, amount double precision, note text, made timestamp)',
      'column "amount" is double precision and cannot hold every numeric(12,2).',
    ],
    [
      'has a column of fewer fraction digits',
      '(id integer PRIMARY KEY, amount numeric, note text, made timestamp(3))',
      'column "made" is timestamp(3) without time zone and cannot hold every timestamp without time zone.',
    ],
    [
      'has a column with a zone',
      '(id integer PRIMARY KEY, amount numeric, note text, made timestamptz)',
      'column "made" is timestamp with time zone and cannot hold every timestamp without time zone.',
    ],
    [
      'computes a column',
      `(id integer PRIMARY KEY, amount numeric, note text GENERATED ALWAYS AS ('x') STORED, made timestamp)`,
      'the database computes column "note" itself. Leave it out of the pipeline.',
    ],
    [
      'always numbers a column',
      '(id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, amount numeric, note text, made timestamp)',
      'the database computes column "id" itself. Leave it out of the pipeline.',
    ],
    [
      'requires another column',
      '(id integer PRIMARY KEY, amount numeric, note text, made timestamp, region text NOT NULL)',
      'its column "region" is required and not written. Write it, or give it a default.',
    ],
    [
      'has no unique index',
      '(id integer, amount numeric, note text, made timestamp)',
      'it has no unique index on (id), which an upsert by that key needs. Add one.',
    ],
    [
      'has only a wider unique index',
      '(id integer, amount numeric, note text, made timestamp, UNIQUE (id, note))',
      'it has no unique index on (id), which an upsert by that key needs.',
    ],
    [
      'has only a deferred unique constraint',
      '(id integer UNIQUE DEFERRABLE, amount numeric, note text, made timestamp)',
      'it has no unique index on (id), which an upsert by that key needs.',
    ],
  ])('that %s ends the run with DESTINATION_MISMATCH before anything is read', async (_, columns, sentence) => {
    await database.query(`CREATE TABLE target ${columns}`);
    await expect(run(upsert)).rejects.toMatchObject({
      code: 'DESTINATION_MISMATCH',
      message: expect.stringContaining(`public.target does not fit: ${sentence}`),
    });
    expect(await database.query('SELECT count(*)::int AS rows FROM target')).toEqual([{ rows: 0 }]);
  });

  it('with only a partial unique index does not fit', async () => {
    await database.query('CREATE TABLE target (id integer, amount numeric, note text, made timestamp)');
    await database.query('CREATE UNIQUE INDEX ON target (id) WHERE id > 0');
    await database.query('CREATE UNIQUE INDEX ON target ((id + 0))');
    await expect(run(upsert)).rejects.toMatchObject({ code: 'DESTINATION_MISMATCH' });
  });

  it.each([
    [
      'wider types and extra columns that are optional',
      `(note text, made timestamp(6), id bigint UNIQUE, amount numeric(20,4), extra text, counted integer NOT NULL DEFAULT 7, number integer GENERATED ALWAYS AS IDENTITY)`,
    ],
    ['types without limits', '(id numeric PRIMARY KEY, amount numeric, note varchar, made text)'],
  ])('with %s fits', async (_, columns) => {
    await database.query(`CREATE TABLE target ${columns}`);
    await run(upsert);
    expect(await database.query('SELECT id::text, amount::float8, note, made::timestamp::text FROM target')).toEqual([
      { id: '1', amount: 1.5, note: 'a', made: '2024-01-01 00:00:00' },
    ]);
  });

  it('names every misfit at once', async () => {
    await database.query('CREATE TABLE target (id smallint, amount numeric(3,2), other text NOT NULL)');
    const error = (await run(upsert).catch((thrown: unknown) => thrown)) as Error;
    expect(error.message.match(/does not fit/g)).toHaveLength(6);
  });

  it('refuses a column name that the database would cut short', async () => {
    const name = `${'n'.repeat(70)}`;
    const steps = [{ id: 'shaped', map: { from: 'source', columns: { id: 'id', [name]: 'note' } } }];
    await expect(run({ mode: 'append' }, steps)).rejects.toMatchObject({ code: 'INVALID_SPEC', message: expect.stringContaining('63 bytes') });
  });
});
