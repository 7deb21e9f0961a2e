import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';
import { copyDocument, runEngine } from './run-engine.js';

const withoutNul = (text: string) => text.replaceAll('\u0000', '');
const pad = (value: number, length = 2) => String(value).padStart(length, '0');
const day = fc
  .tuple(fc.integer({ min: 1, max: 9999 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 28 }), fc.boolean())
  .map(([year, month, date, before]) => ({ text: `${pad(year, 4)}-${pad(month)}-${pad(date)}`, era: before && year <= 4712 ? ' BC' : '' }));
const time = fc
  .tuple(fc.integer({ min: 0, max: 86_399 }), fc.integer({ min: 0, max: 999_999 }))
  .map(([second, micros]) => `${pad(Math.floor(second / 3600))}:${pad(Math.floor(second / 60) % 60)}:${pad(second % 60)}.${pad(micros, 6)}`);
const text = fc
  .oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom('"', '\n', '\r', ',', '\\', '.', 'N', ' ', '\t', '\u2028') }))
  .map(withoutNul);

/** PostgreSQL type → input texts of it. */
const columns: Readonly<Record<string, fc.Arbitrary<string>>> = {
  text,
  integer: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map(String),
  bigint: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  'double precision': fc.double().map((value) => (Object.is(value, -0) ? '-0' : String(value))),
  real: fc.float().map((value) => (Object.is(value, -0) ? '-0' : String(value))),
  'numeric(18,4)': fc.bigInt({ min: -(10n ** 18n) + 1n, max: 10n ** 18n - 1n }).map((value) => `${value}e-4`),
  boolean: fc.boolean().map(String),
  uuid: fc.uuid(),
  date: day.map(({ text: date, era }) => `${date}${era}`),
  'time without time zone': time,
  'timestamp without time zone': fc.tuple(day, time).map(([date, at]) => `${date.text} ${at}${date.era}`),
  'timestamp with time zone': fc.tuple(day, time).map(([date, at]) => `${date.text} ${at}+00${date.era}`),
  bytea: fc.uint8Array().map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`),
  jsonb: fc.json().map((json) => json.replaceAll('\\u0000', '')),
};
const types = Object.keys(columns);
const row = fc.tuple(...types.map((type) => fc.option(columns[type] as fc.Arbitrary<string>, { freq: 10 })));

describe('random values of the common types', () => {
  let source: TestDatabase;
  let target: TestDatabase;

  beforeAll(async () => {
    source = await createDatabase('randomsource');
    target = await createDatabase('randomtarget');
  });
  afterAll(async () => {
    await source?.drop();
    await target?.drop();
  });

  const fill = async (rows: readonly (readonly (string | null)[])[]) => {
    await source.query(`DROP TABLE IF EXISTS random; CREATE TABLE random (id integer, ${types.map((type, index) => `c${index} ${type}`).join(', ')})`);
    const lists = types.map((type, index) => `$${index + 1}::text[]::${type.replace(/\(.*\)/, '')}[]`);
    const values = types.map((_, index) => rows.map((cells) => cells[index] ?? null));
    await source.query(
      `INSERT INTO random SELECT place, ${types.map((_, index) => `c${index}`).join(', ')} FROM unnest(${lists.join(', ')}) WITH ORDINALITY AS t(${types.map((_, index) => `c${index}`).join(', ')}, place)`,
      values,
    );
  };
  const shown = (database: TestDatabase, table: string) =>
    database.query(`SELECT id, ${types.map((_, index) => `c${index}::text`).join(', ')} FROM public.${table} ORDER BY id`);

  it('are the same at the other end, passed through and computed', async () => {
    const computed = {
      id: 'computed',
      map: { from: 'source', columns: { id: 'id', ...Object.fromEntries(types.map((_, index) => [`c${index}`, `coalesce(c${index}, c${index})`])) } },
    };
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 200, size: 'max' }), async (rows) => {
        await fill(rows);
        await target.query('DROP TABLE IF EXISTS public.passed, public.computed');
        await runEngine({ document: copyDocument('public.random', 'public.passed'), connections: { source, target } });
        await runEngine({ document: copyDocument('public.random', 'public.computed', { mode: 'append' }, [computed]), connections: { source, target } });
        const expected = await shown(source, 'random');
        expect(await shown(target, 'passed')).toEqual(expected);
        expect(await shown(target, 'computed')).toEqual(expected);
      }),
      { numRuns: 15, endOnFailure: true },
    );
  });
});
