import { describe, expect, it } from '@jest/globals';
import { runSteps } from '../step-bench.js';

const map = (columns: Record<string, string>, from = 'orders', id = 'shaped') => ({ id, map: { from, columns } });
const filter = (where: string, from = 'orders', id = 'kept') => ({ id, filter: { from, where } });
const cast = (columns: Record<string, string>, onError = 'fail', from = 'orders', id = 'typed') => ({ id, cast: { from, columns, onError } });

describe('filter', () => {
  const orders = { id: 'integer', status: 'text' };

  it('drops rows whose condition is null', async () => {
    const rows = [
      ['1', 'paid'],
      ['2', null],
      ['3', 'open'],
      ['4', ''],
    ];
    expect((await runSteps(orders, [filter("status = 'paid'")], rows)).rows).toEqual([['1', 'paid']]);
    expect((await runSteps(orders, [filter("status <> 'paid'")], rows)).rows).toEqual([
      ['3', 'open'],
      ['4', ''],
    ]);
  });

  it('keeps every column, those without an exact type too', async () => {
    const rows = [
      ['1', '{a,NULL}', '1.500'],
      ['2', null, null],
    ];
    expect((await runSteps({ id: 'integer', tags: 'text[]', amount: 'numeric' }, [filter('id > 0')], rows)).rows).toEqual(rows);
  });

  it('protects an expression behind it', async () => {
    const text = { a: 'text', b: 'integer' };
    const steps = [filter("regexp_full_match(a, '[0-9]+')"), filter('b <> 0', 'kept', 'divisible'), map({ q: 'CAST(a AS INTEGER) // b' }, 'divisible')];
    expect(
      (
        await runSteps(text, steps, [
          ['10', '5'],
          ['ten', '5'],
          ['7', '0'],
          [null, '1'],
        ])
      ).rows,
    ).toEqual([['2']]);
  });

  it('tells an error in its condition by step and row', async () => {
    const failing = runSteps(
      { id: 'integer', a: 'text' },
      [filter('CAST(a AS INTEGER) > 1')],
      [
        ['1', '5'],
        ['2', 'x'],
        ['3', 'y'],
      ],
    );
    await expect(failing).rejects.toMatchObject({
      code: 'EXPRESSION_FAILED',
      step: 'kept',
      context: { row: 2 },
      message: expect.stringContaining('Step "kept", row 2: '),
    });
  });
});

describe('map', () => {
  it('outputs exactly the listed columns, in their order and under their names', async () => {
    const steps = [map({ second: 'b', 'with space "and" quote': 'upper(a)', FIRST: 'a' })];
    expect((await runSteps({ a: 'text', b: 'text', c: 'text' }, steps, [['x', 'y', 'z']])).rows).toEqual([['y', 'X', 'x']]);
  });

  it('keeps the text of a bare column', async () => {
    const types = { a: 'numeric(12,2)', b: 'numeric', c: 'double precision', d: 'timestamp with time zone' };
    const rows = [
      ['1.50', '1.500', '1e+21', '2024-01-01 00:00:00+00'],
      [null, null, null, null],
    ];
    expect((await runSteps(types, [map({ a: 'a', b: 'b', c: 'c', d: 'd' })], rows)).rows).toEqual(rows);
    expect((await runSteps(types, [map({ x: 'a' }), map({ y: 'x', z: 'x * 2' }, 'shaped', 'last')], [rows[0] ?? []])).rows).toEqual([['1.50', '3.00']]);
  });

  it('reads a column of several names and hands one on under two', async () => {
    expect((await runSteps({ a: 'integer' }, [map({ x: 'a', y: 'orders.a', z: 'A + 1' })], [['1']])).rows).toEqual([['1', '1', '2']]);
  });

  it('gives the start of the run for every clock function, in every segment', async () => {
    const clock = { a: 'now()', b: 'current_timestamp', c: 'current_date', d: 'today()', e: 'get_current_timestamp()', f: 'ago(INTERVAL 1 DAY)' };
    const { rows } = await runSteps({ id: 'integer' }, [map(clock)], [['1'], ['2'], ['3']], { segmentRows: 1, now: '2024-02-29T23:59:59.123Z' });
    const instant = '2024-02-29 23:59:59.123+00';
    const row = [instant, instant, '2024-02-29', '2024-02-29', instant, '2024-02-28 23:59:59.123+00'];
    expect(rows).toEqual([row, row, row]);
  });

  it('reads a column that has the name of a clock function', async () => {
    expect((await runSteps({ current_date: 'date' }, [map({ a: 'current_date + 1' })], [['2020-01-01']])).rows[0]?.[0]).toMatch(/^2020-01-02/);
    expect((await runSteps({ today: 'date' }, [map({ a: 'today' })], [['2020-01-01']])).rows).toEqual([['2020-01-01']]);
  });

  it('reads JSON by arrow, and calls lambdas', async () => {
    const steps = [
      map({ a: "data ->> '$.a'", b: "data -> 'b' -> 'c'", n: "list_sum(list_transform(CAST(data -> 'l' AS INTEGER[]), lambda data: data + id))" }),
    ];
    const rows = [
      ['1', '{"a": "x", "b": {"c": [1]}, "l": [1, 2]}'],
      ['2', null],
    ];
    expect((await runSteps({ id: 'integer', data: 'jsonb' }, steps, rows)).rows).toEqual([
      ['x', '[1]', '5'],
      [null, null, null],
    ]);
  });

  it('closes a comment at the end of an expression', async () => {
    expect((await runSteps({ a: 'integer', b: 'integer' }, [map({ x: 'a + 1 -- one more', y: 'b * 2 /* twice */' })], [['1', '2']])).rows).toEqual([
      ['2', '4'],
    ]);
  });

  it('tells an error by step, column and row, also in a later segment and for a result that nothing reads', async () => {
    const rows = [
      ['1', '1'],
      ['2', '2'],
      ['3', 'three'],
      ['4', 'four'],
    ];
    const error = { code: 'EXPRESSION_FAILED', step: 'shaped', context: { row: 3 }, message: expect.stringContaining('Step "shaped", column "n", row 3: ') };
    await expect(runSteps({ id: 'integer', a: 'text' }, [map({ id: 'id', n: 'CAST(a AS INTEGER)' })], rows)).rejects.toMatchObject(error);
    const unread = [map({ id: 'id', n: 'CAST(a AS INTEGER)' }), map({ id: 'id' }, 'shaped', 'last')];
    await expect(runSteps({ id: 'integer', a: 'text' }, unread, rows, { segmentRows: 1 })).rejects.toMatchObject(error);
  });

  it('tells an error inside a window by step and column', async () => {
    const windows = { id: 'id', lowest: 'min(id) OVER (PARTITION BY id)', n: 'sum(CAST(a AS INTEGER)) OVER (PARTITION BY id)' };
    const failing = runSteps(
      { id: 'integer', a: 'text' },
      [map(windows)],
      [
        ['1', '1'],
        ['2', 'two'],
      ],
    );
    await expect(failing).rejects.toMatchObject({ code: 'EXPRESSION_FAILED', step: 'shaped', message: expect.stringContaining('Step "shaped", column "n": ') });
  });

  it('tells an overflow', async () => {
    const failing = runSteps({ a: 'integer' }, [map({ x: 'a + a' })], [['1'], ['2147483647']]);
    await expect(failing).rejects.toMatchObject({ code: 'EXPRESSION_FAILED', step: 'shaped', context: { row: 2 } });
  });
});

describe('the text of an input', () => {
  it.each(['\r\n', '\r', '\n', '"\r\n"', '\n\r', '"', ',', '\\"', '\\.', '', ' ', '#', "'"])(
    '%j is read as it is when it stands first in the file',
    async (value) => {
      const rows = [
        [value, '1'],
        ['x', '2'],
        [`${value}${value}`, null],
        [null, value],
      ];
      expect((await runSteps({ a: 'text', b: 'text' }, [filter("a IS NULL OR a <> 'x'")], rows)).rows).toEqual([rows[0], rows[2], rows[3]]);
    },
  );
});

describe('the conversion of an input', () => {
  it('tells a value that does not fit by column and row', async () => {
    const at = runSteps(
      { id: 'integer', moment: 'timestamp without time zone' },
      [map({ y: 'year(moment)' })],
      [
        ['1', '2024-01-01 00:00:00'],
        ['2', '294276-12-31 23:59:59.999999'],
      ],
    );
    await expect(at).rejects.toMatchObject({
      code: 'VALUE_UNCONVERTIBLE',
      context: { row: 2 },
      message: expect.stringContaining('Input "orders", column "moment", row 2: '),
    });
    const amount = runSteps({ amount: 'numeric(12,2)' }, [filter('amount > 1')], [['1.50'], ['2.00'], ['NaN']]);
    await expect(amount).rejects.toMatchObject({
      code: 'VALUE_UNCONVERTIBLE',
      context: { row: 3 },
      message: expect.stringContaining('column "amount", row 3: '),
    });
  });
});

describe('cast', () => {
  const types = { id: 'integer', a: 'text', amount: 'numeric' };

  it('keeps all other columns, in their places, as they were', async () => {
    expect(
      (
        await runSteps(
          types,
          [cast({ a: 'INTEGER' })],
          [
            ['1', '007', '1.500'],
            ['2', null, null],
          ],
        )
      ).rows,
    ).toEqual([
      ['1', '7', '1.500'],
      ['2', null, null],
    ]);
  });

  it('reads a column without an exact type from its text', async () => {
    expect(
      (
        await runSteps(
          types,
          [cast({ amount: 'DECIMAL(12,2)' })],
          [
            ['1', 'x', '12.345'],
            ['2', 'y', null],
          ],
        )
      ).rows,
    ).toEqual([
      ['1', 'x', '12.35'],
      ['2', 'y', null],
    ]);
  });

  it('fails the run with step, column and row', async () => {
    const failing = runSteps(
      types,
      [cast({ a: 'INTEGER' })],
      [
        ['1', '1', null],
        ['2', 'two', null],
      ],
    );
    await expect(failing).rejects.toMatchObject({
      code: 'VALUE_UNCONVERTIBLE',
      step: 'typed',
      context: { row: 2 },
      message: expect.stringContaining('Step "typed", column "a", row 2: '),
    });
  });

  it('makes null of what cannot be cast', async () => {
    const { rows, letters, metrics } = await runSteps(
      types,
      [cast({ a: 'INTEGER' }, 'null')],
      [
        ['1', '1', null],
        ['2', 'two', null],
        ['3', '', null],
      ],
    );
    expect(rows).toEqual([
      ['1', '1', null],
      ['2', null, null],
      ['3', null, null],
    ]);
    expect(letters).toEqual([]);
    expect(metrics).toMatchObject([{ step: 'typed', rowsIn: 3, rowsOut: 3, rowsRejected: 0 }]);
  });

  it('rejects the rows that cannot be cast, whole and with the columns at fault', async () => {
    const rows = [
      ['1', '1', '1.5'],
      ['2', 'two', 'NaN'],
      ['3', null, null],
      ['4', '', '7'],
    ];
    const { rows: kept, letters } = await runSteps(types, [cast({ a: 'INTEGER', amount: 'DECIMAL(5,1)' }, 'reject')], rows);
    expect(kept).toEqual([
      ['1', '1', '1.5'],
      ['3', null, null],
    ]);
    expect(letters.map(({ step, stage, code, message, row }) => ({ step, stage, code, message, row }))).toEqual([
      {
        step: 'typed',
        stage: 'transform',
        code: 'VALUE_UNCONVERTIBLE',
        message: 'a cannot be cast to INTEGER; amount cannot be cast to DECIMAL(5,1).',
        row: { id: '2', a: 'two', amount: 'NaN' },
      },
      { step: 'typed', stage: 'transform', code: 'VALUE_UNCONVERTIBLE', message: 'a cannot be cast to INTEGER.', row: { id: '4', a: '', amount: '7' } },
    ]);
  });

  it('keeps in a dead letter what a row holds that is hard to write', async () => {
    const text = 'quote " backslash \\ line\n\u2028 \u{1F600} \u0001';
    const { letters } = await runSteps(types, [cast({ a: 'INTEGER' }, 'reject')], [[null, text, '1']]);
    expect(letters[0]?.row).toEqual({ id: null, a: text, amount: '1' });
  });

  it('of a computed column keeps its value in the dead letter', async () => {
    const { letters } = await runSteps(types, [map({ b: 'upper(a)' }), cast({ b: 'INTEGER' }, 'reject', 'shaped')], [['1', 'x', null]]);
    expect(letters[0]?.row).toEqual({ b: 'X' });
  });
});

describe('dead letters', () => {
  const types = { a: 'text', b: 'text' };
  const steps = [cast({ a: 'INTEGER' }, 'reject')];
  const rows = [
    ['x', '1'],
    ['1', '1'],
    ['x', '1'],
    ['y', '1'],
    ['x', '1'],
    ['x', null],
  ];

  it('get the same ids for another attempt, in other segments and another order', async () => {
    const ids = async (options: object, of = rows) => (await runSteps(types, steps, of, options)).letters.map(({ id }) => id).sort();
    const first = await ids({});
    expect(new Set(first).size).toBe(5);
    expect(await ids({ segmentRows: 1 })).toEqual(first);
    expect(await ids({ segmentRows: 4 })).toEqual(first);
    expect(await ids({}, [...rows].reverse())).toEqual(first);
    expect(await ids({ loadId: 'another/0/1' })).not.toEqual(first);
  });

  it('of two steps are told apart', async () => {
    const two = [cast({ a: 'INTEGER' }, 'reject'), cast({ b: 'INTEGER' }, 'reject', 'typed', 'again')];
    const {
      letters,
      metrics,
      rows: kept,
    } = await runSteps(
      types,
      two,
      [
        ['x', '1'],
        ['1', 'x'],
        ['1', '1'],
      ],
      { segmentRows: 2 },
    );
    expect(letters.map(({ step }) => step)).toEqual(['typed', 'again']);
    expect(kept).toEqual([['1', '1']]);
    expect(metrics).toMatchObject([
      { step: 'typed', rowsIn: 3, rowsOut: 2, rowsRejected: 1 },
      { step: 'again', rowsIn: 2, rowsOut: 1, rowsRejected: 1 },
    ]);
  });
});

describe('the metrics of steps', () => {
  it('reconcile: in = out + rejected + filtered', async () => {
    const steps = [filter("a <> 'drop'"), cast({ a: 'INTEGER' }, 'reject', 'kept'), map({ n: 'a + 1' }, 'typed')];
    const values = Array.from({ length: 100 }, (_, index) => [index % 5 === 0 ? 'drop' : index % 7 === 0 ? 'bad' : String(index)]);
    const { metrics, letters } = await runSteps({ a: 'text' }, steps, values, { segmentRows: 13 });
    expect(metrics).toMatchObject([
      { step: 'kept', rowsIn: 100, rowsOut: 80, rowsRejected: 0 },
      { step: 'typed', rowsIn: 80, rowsOut: 68, rowsRejected: 12 },
      { step: 'shaped', rowsIn: 68, rowsOut: 68, rowsRejected: 0 },
    ]);
    expect(letters).toHaveLength(12);
  });
});
