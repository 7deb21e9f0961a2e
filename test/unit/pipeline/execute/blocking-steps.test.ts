import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { TextRow } from '../csv.js';
import { type BenchDocument, runDocument } from '../pass-bench.js';
import { withDuckDb } from '../step-bench.js';

/** Everything goes to files at once, in three parts, and parts of a few rows are divided again. */
const tiny = { bufferBytes: 200, partBytes: 300, streamBytes: 0, parts: 3 };
/** The right side of a join is kept, and the left one streams. */
const streaming = { bufferBytes: 2 ** 20, partBytes: 2 ** 20, streamBytes: 2 ** 20, parts: 3 };
const inputs = { o: { id: 'integer', k: 'integer', v: 'text', n: 'numeric(10,2)' }, c: { id: 'integer', k: 'bigint', name: 'text' } };
const types = { o: 'id INTEGER, k INTEGER, v VARCHAR, n DECIMAL(10,2)', c: 'id INTEGER, k BIGINT, name VARCHAR' };

const small = fc.option(fc.integer({ min: 0, max: 6 }).map(String), { nil: null });
const text = fc.option(fc.constantFrom('a', 'b', '', 'NULL', 'ü"x', 'line\nbreak'), { nil: null });
const orders = fc.array(
  fc.tuple(
    small,
    text,
    fc.option(
      fc.integer({ min: -500, max: 500 }).map((cents) => (cents / 100).toFixed(2)),
      { nil: null },
    ),
  ),
  { maxLength: 40 },
);
const customers = fc.array(fc.tuple(small, text), { maxLength: 25 });
const withIds = <Row extends readonly (string | null)[]>(rows: readonly Row[]): TextRow[] => rows.map((row, index) => [String(index + 1), ...row]);

const sorted = (rows: readonly TextRow[]) => rows.map((row) => JSON.stringify(row)).sort();

/** What one statement over two tables gives, as texts. */
function plainly(sql: string, o: readonly TextRow[], c: readonly TextRow[]): Promise<TextRow[]> {
  return withDuckDb(async (connection) => {
    const literal = (value: string | null) => (value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`);
    for (const [name, rows] of [['o', o] as const, ['c', c] as const]) {
      await connection.run(`CREATE TABLE ${name} (${types[name]})`);
      if (rows.length > 0) await connection.run(`INSERT INTO ${name} VALUES ${rows.map((row) => `(${row.map(literal).join(', ')})`).join(', ')}`);
    }
    const reader = await connection.runAndReadAll(`SELECT COLUMNS(*)::VARCHAR FROM (${sql})`);
    return reader.getRows() as TextRow[];
  });
}

const joinColumns = { oid: 'o.id', cid: 'c.id', v: 'o.v', name: 'c.name', both: "coalesce(o.v, '-') || coalesce(c.name, '-')" };
const joinSql = (kind: string) => `SELECT o.id AS oid, c.id AS cid, o.v, c.name, coalesce(o.v, '-') || coalesce(c.name, '-') AS both FROM o ${kind} JOIN c`;
const join = (kind: string, on: string | undefined, columns: object = joinColumns): BenchDocument => ({
  inputs,
  steps: [{ id: 'j', join: { left: 'o', right: 'c', kind, ...(on === undefined ? {} : { on }), columns } }],
});
const cases: readonly (readonly [name: string, document: BenchDocument, sql: string])[] = [
  ['an inner join', join('inner', 'o.k = c.k'), `${joinSql('INNER')} ON o.k = c.k`],
  ['a left join', join('left', 'o.k = c.k'), `${joinSql('LEFT')} ON o.k = c.k`],
  ['a right join', join('right', 'o.k = c.k'), `${joinSql('RIGHT')} ON o.k = c.k`],
  ['a full join with more than an equality', join('full', 'c.k = o.k AND o.v = c.name'), `${joinSql('FULL')} ON o.k = c.k AND o.v = c.name`],
  ['a left join with a condition beside the equality', join('left', 'o.k = c.k AND o.id < c.id'), `${joinSql('LEFT')} ON o.k = c.k AND o.id < c.id`],
  ['a join in which NULL matches NULL', join('inner', 'o.v IS NOT DISTINCT FROM c.name'), `${joinSql('INNER')} ON o.v IS NOT DISTINCT FROM c.name`],
  ['a left join without an equality', join('left', 'o.k < c.k'), `${joinSql('LEFT')} ON o.k < c.k`],
  ['a cross join', join('cross', undefined), joinSql('CROSS')],
  ['a semi join', join('semi', 'o.k = c.k', { id: 'o.id', v: 'v' }), 'SELECT o.id, o.v FROM o SEMI JOIN c ON o.k = c.k'],
  ['an anti join', join('anti', 'o.k = c.k', { id: 'o.id', v: 'v' }), 'SELECT o.id, o.v FROM o ANTI JOIN c ON o.k = c.k'],
  [
    'an aggregate',
    {
      inputs: { o: inputs.o },
      steps: [
        {
          id: 'a',
          aggregate: {
            from: 'o',
            groupBy: { k: 'k', up: 'upper(v)' },
            columns: { rows: 'count(*)', total: 'sum(n)', low: 'min(v)', some: 'count(DISTINCT n) FILTER (WHERE n > 0)', all: 'string_agg(v ORDER BY id)' },
          },
        },
      ],
    },
    `SELECT k, upper(v) AS up, count(*) AS rows, sum(n) AS total, min(v) AS low, count(DISTINCT n) FILTER (WHERE n > 0) AS some, string_agg(v, ',' ORDER BY id) AS all
     FROM o GROUP BY k, upper(v)`,
  ],
  [
    'an aggregate of everything, also of nothing',
    { inputs: { o: inputs.o }, steps: [{ id: 'a', aggregate: { from: 'o', columns: { rows: 'count(*)', total: 'sum(n)', low: 'min(v)' } } }] },
    'SELECT count(*), sum(n), min(v) FROM o',
  ],
  [
    'the last row of each key',
    { inputs: { o: inputs.o }, steps: [{ id: 'd', dedupe: { from: 'o', key: ['k'], orderBy: 'n' } }] },
    'SELECT id, k, v, n FROM o QUALIFY row_number() OVER (PARTITION BY k ORDER BY n DESC NULLS LAST, id DESC) = 1',
  ],
  [
    'the first row of each of several keys',
    { inputs: { o: inputs.o }, steps: [{ id: 'd', dedupe: { from: 'o', key: ['k', 'v'], keep: 'first' } }] },
    'SELECT id, k, v, n FROM o QUALIFY row_number() OVER (PARTITION BY k, v ORDER BY id) = 1',
  ],
  [
    'windows',
    {
      inputs: { o: inputs.o },
      steps: [
        {
          id: 'w',
          map: {
            from: 'o',
            columns: {
              id: 'id',
              place: 'row_number() OVER (PARTITION BY k ORDER BY id)',
              share: 'sum(n) OVER (PARTITION BY k, v)',
              before: "lag(v, 1, 'none') OVER (PARTITION BY k ORDER BY id)",
              running: 'sum(n) OVER (PARTITION BY k ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)',
            },
          },
        },
      ],
    },
    `SELECT id, row_number() OVER (PARTITION BY k ORDER BY id), sum(n) OVER (PARTITION BY k, v), lag(v, 1, 'none') OVER (PARTITION BY k ORDER BY id),
     sum(n) OVER (PARTITION BY k ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM o`,
  ],
  [
    'a union of both sides, then an aggregate of it, then a join with one of them',
    {
      inputs,
      steps: [
        { id: 'left', map: { from: 'o', columns: { k: 'k::BIGINT', name: 'v' } } },
        { id: 'right', map: { from: 'c', columns: { k: 'k', name: 'name' } } },
        { id: 'rightValue', map: { from: 'right', columns: { name: 'name', k: 'k + 0' } } },
        { id: 'all', union: { from: ['left', 'rightValue'] } },
        { id: 'counts', aggregate: { from: 'all', groupBy: ['k'], columns: { rows: 'count(*)', names: 'count(name)' } } },
        {
          id: 'j',
          join: { left: 'counts', right: 'c', kind: 'left', on: 'counts.k = c.k', columns: { k: 'counts.k', rows: 'rows', names: 'names', id: 'c.id' } },
        },
      ],
    },
    `WITH u AS (SELECT k::BIGINT AS k, v AS name FROM o UNION ALL SELECT k, name FROM c), n AS (SELECT k, count(*) AS rows, count(name) AS names FROM u GROUP BY k)
     SELECT n.k, n.rows, n.names, c.id FROM n LEFT JOIN c ON n.k = c.k`,
  ],
  [
    'a join of an input with itself',
    {
      inputs: { o: inputs.o },
      steps: [
        {
          id: 'j',
          join: { left: { from: 'o', as: 'a' }, right: { from: 'o', as: 'b' }, on: 'a.k = b.k AND a.id < b.id', columns: { a: 'a.id', b: 'b.id', v: 'b.v' } },
        },
      ],
    },
    'SELECT a.id, b.id, b.v FROM o a JOIN o b ON a.k = b.k AND a.id < b.id',
  ],
];

describe('a step that looks at several rows gives what one statement over all rows gives', () => {
  it.each(cases)('%s', async (_, document, sql) => {
    await fc.assert(
      fc.asyncProperty(orders, customers, async (someOrders, someCustomers) => {
        const rows = { o: withIds(someOrders), c: withIds(someCustomers) };
        const expected = sorted(await plainly(sql, rows.o, rows.c));
        for (const sizes of [undefined, tiny, streaming]) expect(sorted((await runDocument(document, rows, sizes ? { sizes } : {})).rows)).toEqual(expected);
      }),
      { numRuns: 6 },
    );
  });
});
