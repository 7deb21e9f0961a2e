import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { SourceTable, windowRequest } from './source-table.js';

let source: SourceTable;
const stream = 'public.source';

beforeAll(async () => {
  source = await SourceTable.open('windows');
});
afterAll(() => source?.drop());
beforeEach(() => source.database.query('DROP TABLE IF EXISTS public.source CASCADE'));

describe('a window', () => {
  it.each([
    ['smallint', '-32768', '2', '3'],
    ['integer', '1', '2', '3'],
    ['bigint', '-9223372036854775808', '0', '9223372036854775807'],
    ['numeric(30,10)', '-1.5', '0.0000000001', '12345678901234567890.0000000001'],
    ['date', '4713-01-01 BC', '0001-12-31 BC', '2024-02-29'],
    ['timestamp without time zone', '-infinity', '0044-03-15 12:00:00.000001 BC', '2024-01-01 00:00:00.000001'],
    ['timestamp with time zone', '-infinity', '2024-01-01 00:00:00.000001+00', '2024-01-01 00:00:00.000002+00'],
  ])('over %s ends at the highest value, in its own precision, and the next one begins there', async (type, low, middle, high) => {
    await source.make(type, ['low', low], ['middle', middle]);
    const first = await source.run();
    expect(first).toMatchObject({ last: middle, values: ['low', 'middle'] });
    await source.add(['high', high]);
    const second = await source.run({ from: first.last });
    expect(second).toMatchObject({ last: high, values: ['high', 'middle'] });
    expect(await source.run({ from: second.last })).toMatchObject({ last: high, values: ['high'] });
  });

  it('over an empty table ends nowhere, and one without new rows where it began', async () => {
    await source.make('integer');
    expect(await source.run()).toMatchObject({ last: null, values: [] });
    expect(await source.run({ from: '7' })).toMatchObject({ last: '7', values: [] });
  });

  it.each(['text', 'double precision', 'numeric', 'uuid', 'time'])('over %s is refused', async (type) => {
    await source.make(type);
    await expect(source.run()).rejects.toMatchObject({ code: 'BAD_USER_INPUT', message: expect.stringContaining('cannot be a cursor') });
    expect((await source.session.describe(stream))?.cursorCandidates).toEqual([]);
  });

  it('over a domain and over a view is as over what is below', async () => {
    await source.database.query('DROP DOMAIN IF EXISTS public.moment; CREATE DOMAIN public.moment AS integer');
    await source.make('public.moment', ['a', '1'], ['b', '2']);
    await source.database.query('CREATE VIEW public.seen_through AS SELECT * FROM public.source');
    expect(await source.within((reading) => reading.window(windowRequest({ stream: 'public.seen_through', from: '1' })))).toMatchObject({ last: '2' });
  });

  it('reads the lookback again without going back itself', async () => {
    await source.make('timestamptz', ['a', '2024-01-01 00:00+00'], ['b', '2024-01-01 00:05+00'], ['c', '2024-01-01 00:10+00']);
    expect(await source.run({ from: '2024-01-01 00:10:00+00', lookback: 'PT5M' })).toMatchObject({ last: '2024-01-01 00:10:00+00', values: ['b', 'c'] });
  });

  it('with a number for a lookback goes down to the lowest value', async () => {
    await source.make('bigint', ['low', '-9223372036854775808'], ['high', '5']);
    expect(await source.run({ from: '5', lookback: 4 })).toMatchObject({ values: ['high'] });
    expect(await source.run({ from: '-9223372036854775800', lookback: 100 })).toMatchObject({ last: '5', values: ['high', 'low'] });
  });

  it.each([
    ['timestamptz', 10],
    ['timestamptz', '10 minutes'],
    ['timestamptz', 'P'],
    ['integer', 'PT10M'],
    ['integer', -1],
    ['integer', 1.5],
  ])('over %s refuses %p as its lookback', async (type, lookback) => {
    await source.make(type);
    await expect(source.run({ lookback })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  it('fails at a row without a cursor, or takes it along, or leaves it out', async () => {
    await source.make('integer', ['a', '1'], ['lost', null]);
    await expect(source.run()).rejects.toMatchObject({ code: 'CURSOR_NULL', message: expect.stringMatching(/public\.source.*"at"/) });
    expect((await source.run({ nulls: 'include' })).values).toEqual(['a', 'lost']);
    expect((await source.run({ nulls: 'exclude' })).values).toEqual(['a']);
    expect((await source.run({ nulls: 'include', from: '1', seen: (await source.run({ nulls: 'include', seenColumns: ['v', 'at'] })).seen })).values).toEqual([
      'lost',
    ]);
  });

  it.each([
    ['numeric(5,2)', 'NaN', '1.00'],
    ['timestamptz', 'infinity', '2024-01-01 00:00:00+00'],
    ['date', 'infinity', '2024-01-01'],
  ])('over %s fails at %s, which nothing can follow, or leaves it out and does not end there', async (type, endless, last) => {
    await source.make(type, ['a', last], ['endless', endless]);
    await expect(source.run()).rejects.toMatchObject({ code: 'CURSOR_NULL' });
    expect(await source.run({ nulls: 'exclude' })).toMatchObject({ last, values: ['a'] });
  });
});

describe('rows at the end of a window', () => {
  const seenColumns = ['v', 'at'];

  it('are not read twice, and those that come later with the same cursor once, equal ones too', async () => {
    await source.make('integer', ['old', '1'], ['a', '2'], ['a', '2'], ['', '2']);
    const first = await source.run({ seenColumns });
    expect(first.values).toEqual(['', 'a', 'a', 'old']);
    await source.add(['a', '2'], ['b', '2'], ['c', '3']);
    const second = await source.run({ from: '2', seen: first.seen, seenColumns });
    expect(second.values).toEqual(['a', 'b', 'c']);
    expect((await source.run({ from: second.last, seen: second.seen, seenColumns })).values).toEqual([]);
  });

  it('stay known through windows without any newer row', async () => {
    await source.make('integer', ['a', '1']);
    let found = await source.run({ seenColumns });
    for (const v of ['b', 'c', 'd']) {
      await source.add([v, '1']);
      found = await source.run({ from: '1', seen: found.seen, seenColumns });
      expect(found.values).toEqual([v]);
    }
  });

  it('are told apart whatever they hold: NULL, the empty text, the text NULL, and what commas could make alike', async () => {
    await source.database.query('CREATE TABLE public.source (v text, w text, at integer)');
    await source.database.query(
      `INSERT INTO public.source VALUES (NULL, '', 1), ('', NULL, 1), ('NULL', '', 1), ('a,b', '', 1), ('a', 'b', 1), ('a"', ',b', 1)`,
    );
    const { seen } = await source.within((reading) => reading.window(windowRequest({ seenColumns: ['v', 'w'] })));
    expect(Object.values(seen?.counts ?? {})).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it('are left out as a whole when a column they were told apart by is gone, and read again when more have come', async () => {
    await source.make('integer', ['a', '1'], ['b', '1']);
    const seen = { columns: ['v', 'dropped'], counts: { one: 1, two: 1 } };
    expect((await source.run({ from: '1', seen })).values).toEqual([]);
    await source.add(['c', '1']);
    expect((await source.run({ from: '1', seen })).values).toEqual(['a', 'b', 'c']);
  });

  it('that are too many to be told apart end the run with advice', async () => {
    await source.make('date');
    await source.database.query(`INSERT INTO public.source SELECT i::text, '2024-01-01' FROM generate_series(1, 10001) AS i`);
    await expect(source.run({ seenColumns })).rejects.toMatchObject({ code: 'SOURCE_FAILED', message: expect.stringContaining('finer cursor') });
    expect((await source.run()).values).toHaveLength(10_001);
  });

  it('cannot go with a lookback', async () => {
    await source.make('integer');
    await expect(source.run({ seenColumns, lookback: 5 })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });
});

describe('a transaction under way', () => {
  it('holds the end of the window back to its start, so that its rows are read by the next one', async () => {
    await source.make('timestamptz NOT NULL DEFAULT now()');
    const other = new Client({ connectionString: source.database.url });
    await other.connect();
    try {
      await other.query('BEGIN; SELECT now()');
      await source.database.query(`INSERT INTO public.source (v) VALUES ('later')`);
      const first = await source.run({ seenColumns: ['v'] });
      expect(first.values).toEqual([]);
      await other.query(`INSERT INTO public.source (v) VALUES ('open'); COMMIT`);
      expect((await source.run({ from: first.last, seen: first.seen, seenColumns: ['v'] })).values).toEqual(['later', 'open']);
    } finally {
      await other.end();
    }
  });

  it('that only reads for us holds nothing back', async () => {
    await source.make('timestamptz NOT NULL DEFAULT now()');
    await source.within(async () => {
      await source.database.query(`INSERT INTO public.source (v) VALUES ('new')`);
      expect((await source.run()).values).toEqual(['new']);
    });
  });

  it('may stamp the day of the window’s end: of a date the day under way is read, and what comes behind', async () => {
    await source.make('date NOT NULL DEFAULT current_date');
    await source.database.query(`INSERT INTO public.source (v) VALUES ('a')`);
    const first = await source.run({ seenColumns: ['v'] });
    expect(first.values).toEqual(['a']);
    await source.database.query(`INSERT INTO public.source (v) VALUES ('b')`);
    expect((await source.run({ from: first.last, seen: first.seen, seenColumns: ['v'] })).values).toEqual(['b']);
  });

  it('of a timestamp without zone is seen in the time zone of the database', async () => {
    await source.make('timestamp NOT NULL DEFAULT localtimestamp');
    for (const zone of ['Pacific/Kiritimati', 'America/Los_Angeles', 'UTC']) {
      await source.database.query(`ALTER DATABASE ${source.database.name} SET TimeZone = '${zone}'`);
      const other = new Client({ connectionString: source.database.url });
      await other.connect();
      await other.query(`DELETE FROM public.source; INSERT INTO public.source (v) VALUES ('${zone}')`);
      await other.end();
      expect((await source.run()).values).toEqual([zone]);
    }
    await source.database.query(`ALTER DATABASE ${source.database.name} RESET TimeZone`);
  });
});
