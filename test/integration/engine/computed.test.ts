import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';
import { copyDocument, runEngine } from './run-engine.js';

const texts = [
  `''`,
  `'a,b'`,
  `'"'`,
  `'a"b'`,
  `E'\\n'`,
  `E'cr\\r'`,
  `E'tab\\t'`,
  `E'\\\\'`,
  `E'\\\\.'`,
  `E'\\\\N'`,
  `'NULL'`,
  `U&'\\2028'`,
  `U&'\\+01F600'`,
  `E'\\x01'`,
];

/** Types with an exact form in DuckDB, at the ends of what both can hold. `madeAs`: the column that is made for the computed value. */
const computed: readonly { type: string; values: readonly string[]; madeAs?: string }[] = [
  { type: 'boolean', values: ['true', 'false'] },
  { type: 'smallint', values: ['-32768', '32767'] },
  { type: 'integer', values: ['-2147483648', '2147483647'] },
  { type: 'bigint', values: ['-9223372036854775808', '9223372036854775807'] },
  { type: 'oid', values: ['0', '4294967295'], madeAs: 'bigint' },
  { type: 'numeric(12,2)', values: ['9999999999.99', '-9999999999.99', '0', '1.50'] },
  { type: 'numeric(38,0)', values: [`${'9'.repeat(38)}`, `-${'9'.repeat(38)}`] },
  { type: 'numeric(38,38)', values: [`0.${'9'.repeat(38)}`, `-0.${'0'.repeat(37)}1`] },
  { type: 'numeric(4,0)', values: ['9999', '-9999'] },
  { type: 'numeric(18,18)', values: [`0.${'1'.repeat(18)}`] },
  {
    type: 'real',
    values: [`'3.4028235e38'`, `'-3.4028235e38'`, `'1e-45'`, `'1.1754944e-38'`, `'-0'`, `'NaN'`, `'Infinity'`, `'-Infinity'`, '0.1', '16777217'],
  },
  {
    type: 'double precision',
    values: [
      `'1.7976931348623157e308'`,
      `'-1.7976931348623157e308'`,
      `'5e-324'`,
      `'2.2250738585072014e-308'`,
      `'-0'`,
      `'NaN'`,
      `'Infinity'`,
      `'-Infinity'`,
      '0.30000000000000004',
      '1e21',
      '1e22',
      '123456789.12345678',
    ],
  },
  { type: 'text', values: texts },
  { type: 'character varying(9)', values: texts, madeAs: 'text' },
  { type: 'character(3)', values: [`''`, `'a'`, `'abc'`], madeAs: 'text' },
  { type: 'name', values: [`repeat('x', 63)`], madeAs: 'text' },
  { type: 'uuid', values: [`'00000000-0000-0000-0000-000000000000'`, `'ffffffff-ffff-ffff-ffff-ffffffffffff'`, `'80000000-0000-0000-0000-000000000000'`] },
  {
    type: 'date',
    values: [`'4713-01-01 BC'`, `'0001-12-31 BC'`, `'0001-01-01'`, `'9999-12-31'`, `'10000-01-01'`, `'5874897-12-31'`, `'infinity'`, `'-infinity'`],
  },
  { type: 'time without time zone', values: [`'00:00:00'`, `'23:59:59.999999'`, `'24:00:00'`, `'12:00:00.5'`] },
  {
    type: 'timestamp without time zone',
    values: [
      `'4713-01-01 00:00:00 BC'`,
      `'0001-12-31 23:59:59.999999 BC'`,
      `'0001-01-01'`,
      `'9999-12-31 23:59:59.999999'`,
      `'10000-01-01'`,
      `'294246-12-31 23:59:59.999999'`,
      `'infinity'`,
      `'-infinity'`,
      `'2000-01-01 00:00:00.1'`,
    ],
  },
  {
    type: 'timestamp with time zone',
    values: [
      `'4713-01-01 00:00:00+00 BC'`,
      `'0001-12-31 23:59:59.999999+00 BC'`,
      `'0001-01-01+00'`,
      `'9999-12-31 23:59:59.999999+00'`,
      `'10000-01-01+00'`,
      `'294246-12-31 23:59:59.999999+00'`,
      `'infinity'`,
      `'-infinity'`,
      `'2024-03-31 02:30:00+02'`,
      `'1883-11-18 12:03:57.123456+00'`,
    ],
  },
  { type: 'bytea', values: [`'\\x'`, `'\\x00ff22275c0a2c'`, `'\\x5c783030'`] },
  { type: 'json', values: [`'{"b":1, "a" : [1, null, "\\n"], "a": 2}'`, `'null'`, `'""'`, `'1.50'`, `'12345678901234567890123456789'`], madeAs: 'jsonb' },
  {
    type: 'jsonb',
    values: [`'{"b":1,"a":[1,null,"quote \\" backslash \\\\"]}'`, `'null'`, `'""'`, `'1.50'`, `'123456789012345678901234567890.123456789'`, `'1e400'`],
  },
  { type: 'public.mood', values: [`'sad'`, `'very "happy", yes'`], madeAs: 'text' },
  { type: 'public.positive', values: ['1', '2147483647'], madeAs: 'integer' },
];

const wrappings = { coalesce: (name: string) => `coalesce(${name}, ${name})`, case: (name: string) => `CASE WHEN ${name} IS NULL THEN NULL ELSE ${name} END` };

describe('columns that an expression computes', () => {
  let source: TestDatabase;
  let target: TestDatabase;

  beforeAll(async () => {
    source = await createDatabase('compsource');
    target = await createDatabase('comptarget');
    await source.query(`CREATE TYPE public.mood AS ENUM ('sad', 'very "happy", yes')`);
    await source.query(`CREATE DOMAIN public.positive AS integer CHECK (VALUE > 0)`);
    await source.query(`CREATE TABLE everything (id integer, ${computed.map(({ type }, index) => `c${index} ${type}`).join(', ')})`);
    const most = Math.max(...computed.map(({ values }) => values.length));
    for (let row = 0; row <= most; row += 1) {
      await source.query(`INSERT INTO everything VALUES (${row}, ${computed.map(({ values }) => values[row - 1] ?? 'NULL').join(', ')})`);
    }
    for (const [name, wrap] of Object.entries(wrappings)) {
      const columns = Object.fromEntries(computed.map((_, index) => [`c${index}`, wrap(`c${index}`)]));
      const steps = [{ id: 'wrapped', map: { from: 'source', columns: { id: 'id', ...columns } } }];
      await runEngine({ document: copyDocument('public.everything', `public.${name}`, { mode: 'append' }, steps), connections: { source, target } });
    }
    const steps = [
      {
        id: 'same',
        cast: {
          from: 'source',
          columns: Object.fromEntries(computed.flatMap(({ type }, index) => (duckdbTypes[type] ? [[`c${index}`, duckdbTypes[type]]] : []))),
        },
      },
    ];
    await runEngine({ document: copyDocument('public.everything', 'public.casted', { mode: 'append' }, steps), connections: { source, target } });
  });
  afterAll(async () => {
    await source?.drop();
    await target?.drop();
  });

  describe.each(computed.map((extreme, index) => ({ ...extreme, column: `c${index}` })))('of type $type', ({ type, values, madeAs, column }) => {
    // A json column that is computed becomes jsonb; character(n) loses its padding in ::text on either side.
    const form = type === 'json' ? 'jsonb::text' : 'text';
    const textsOf = (database: TestDatabase, table: string) =>
      database.query<{ text: string | null }>(`SELECT ${column}::${form} AS text FROM ${table} ORDER BY id`);

    it.each([...Object.keys(wrappings), 'casted'])('arrive as they were through %s', async (table) => {
      const expected = await textsOf(source, 'everything');
      expect(expected.filter(({ text }) => text !== null)).toHaveLength(values.length);
      const found = await textsOf(target, `public.${table}`);
      expect(found.map(({ text }) => (type === 'character(3)' ? (text?.trimEnd() ?? null) : text))).toEqual(expected.map(({ text }) => text));
    });

    it('stand in a column of the type that holds them', async () => {
      const made = await target.query(
        `SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = 'public.coalesce'::regclass AND attname = $1`,
        [column],
      );
      expect(made).toEqual([{ type: madeAs ?? type }]);
    });
  });
});

/** For a cast to what the column is already. */
const duckdbTypes: Readonly<Record<string, string>> = {
  boolean: 'BOOLEAN',
  smallint: 'SMALLINT',
  integer: 'INTEGER',
  bigint: 'BIGINT',
  'numeric(12,2)': 'DECIMAL(12,2)',
  'numeric(38,38)': 'DECIMAL(38,38)',
  real: 'FLOAT',
  'double precision': 'DOUBLE',
  text: 'VARCHAR',
  uuid: 'UUID',
  date: 'DATE',
  'time without time zone': 'TIME',
  'timestamp without time zone': 'TIMESTAMP',
  'timestamp with time zone': 'TIMESTAMPTZ',
  bytea: 'BLOB',
  jsonb: 'JSON',
};
