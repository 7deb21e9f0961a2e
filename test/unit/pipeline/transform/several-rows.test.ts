import { describe, expect, it } from '@jest/globals';
import type { CompiledOutput } from '../../../../src/model/compiled-pipeline.js';
import type { Transformation } from '../../../../src/model/lineage.js';
import { type BenchDocument, compiledDocument, refusals, runDocument } from '../pass-bench.js';
import type { StepDocument } from '../step-bench.js';

const inputs = {
  orders: { id: 'integer', customer: 'integer', amount: 'numeric(10,2)', note: 'text', span: 'interval' },
  customers: { id: 'bigint', email: 'text', code: 'text' },
};
const document = (...steps: readonly StepDocument[]): BenchDocument => ({ inputs, steps });
const short = ({ type, subtype, expression }: Transformation) => `${type} ${subtype}${expression === null ? '' : `: ${expression}`}`;

/** `orders.id → order_id` and `orders.status ⇒` with what happened on the way. */
function lineageOf({ lineage: { columns, influences } }: CompiledOutput): string[] {
  const name = ({ dataset, name: column }: { dataset: { name: string }; name: string }) => `${dataset.name.replace('shop.public.', '')}.${column}`;
  return [
    ...columns.map(({ from, to, transformations }) => `${name(from)} → ${to}: ${transformations.map(short).join('; ')}`),
    ...influences.map(({ from, transformations }) => `${name(from)} ⇒ ${transformations.map(short).join('; ')}`),
  ].sort();
}

async function lineage(value: BenchDocument): Promise<string[]> {
  const [output] = (await compiledDocument(value)).outputs;
  return output ? lineageOf(output) : [];
}

const both = { left: 'orders', right: { from: 'customers', as: 'c' }, kind: 'left', on: 'orders.customer = c.id' };

describe('lineage of steps that look at several rows', () => {
  it('of a join: columns come from their side, what is compared decides which rows there are', async () => {
    expect(await lineage(document({ id: 'j', join: { ...both, columns: { id: 'orders.id', mail: 'lower(email)' } } }))).toEqual([
      'customers.email → mail: DIRECT TRANSFORMATION: lower(email)',
      'customers.id ⇒ INDIRECT JOIN: orders.customer = c.id',
      'orders.customer ⇒ INDIRECT JOIN: orders.customer = c.id',
      'orders.id → id: DIRECT IDENTITY',
    ]);
  });

  it('of an aggregate: groups decide and are columns, aggregates are AGGREGATION, a FILTER is CONDITIONAL, count(*) reads nothing', async () => {
    const columns = { total: "sum(amount) FILTER (WHERE note <> 'x')", rows: 'count(*)' };
    expect(await lineage({ inputs: { orders: inputs.orders }, steps: [{ id: 'a', aggregate: { from: 'orders', groupBy: ['customer'], columns } }] })).toEqual([
      "orders.amount → total: DIRECT AGGREGATION: sum(amount) FILTER (WHERE note <> 'x')",
      'orders.customer → customer: DIRECT IDENTITY',
      'orders.customer ⇒ INDIRECT GROUP_BY: "customer"',
      "orders.note → total: INDIRECT CONDITIONAL: sum(amount) FILTER (WHERE note <> 'x')",
    ]);
  });

  it('of a dedupe: the key groups, the order sorts', async () => {
    const steps = [
      { id: 'd', dedupe: { from: 'orders', key: ['customer'], orderBy: 'amount' } },
      { id: 'm', map: { from: 'd', columns: { note: 'note' } } },
    ];
    expect(await lineage({ inputs: { orders: inputs.orders }, steps })).toEqual([
      'orders.amount ⇒ INDIRECT SORT',
      'orders.customer ⇒ INDIRECT GROUP_BY',
      'orders.note → note: DIRECT IDENTITY',
    ]);
  });

  it('of a window: what it partitions and orders by is WINDOW, of that column alone', async () => {
    const columns = { id: 'id', total: 'sum(amount) OVER (PARTITION BY customer ORDER BY id)' };
    expect(await lineage({ inputs: { orders: inputs.orders }, steps: [{ id: 'w', map: { from: 'orders', columns } }] })).toEqual([
      'orders.amount → total: DIRECT AGGREGATION: sum(amount) OVER (PARTITION BY customer ORDER BY id)',
      'orders.customer → total: INDIRECT WINDOW: sum(amount) OVER (PARTITION BY customer ORDER BY id)',
      'orders.id → id: DIRECT IDENTITY',
      'orders.id → total: INDIRECT WINDOW: sum(amount) OVER (PARTITION BY customer ORDER BY id)',
    ]);
  });

  it('of a union: every column comes from every source', async () => {
    const steps = [
      { id: 'a', map: { from: 'orders', columns: { name: 'note' } } },
      { id: 'b', map: { from: 'customers', columns: { name: 'email' } } },
      { id: 'u', union: { from: ['a', 'b'] } },
    ];
    expect(await lineage(document(...steps))).toEqual(['customers.email → name: DIRECT IDENTITY', 'orders.note → name: DIRECT IDENTITY']);
  });
});

describe('values that are only handed on keep their text', () => {
  const row = ['1', '1', '1.50', 'x', '1 year 2 mons'];
  it('through a join, a dedupe, a window map and a union, also of a type without an exact value', async () => {
    const steps = [
      { id: 'd', dedupe: { from: 'orders', key: ['id'] } },
      { id: 'w', map: { from: 'd', columns: { id: 'id', amount: 'amount', span: 'span', place: 'row_number() OVER (PARTITION BY id ORDER BY customer)' } } },
      { id: 'u', union: { from: ['w', 'w'] } },
      { id: 'j', join: { left: 'u', right: 'customers', on: 'u.id = customers.id', columns: { span: 'u.span', amount: 'u.amount', code: 'customers.code' } } },
    ];
    const { rows } = await runDocument(document(...steps), { orders: [row], customers: [['1', null, '007']] });
    expect(rows).toEqual([
      ['1 year 2 mons', '1.50', '007'],
      ['1 year 2 mons', '1.50', '007'],
    ]);
  });
});

describe('a step that looks at several rows is refused', () => {
  const join = (keys: object) => document({ id: 'j', join: { ...both, columns: { id: 'orders.id', email: 'email' }, ...keys } });
  const orders = (step: StepDocument): BenchDocument => ({ inputs: { orders: inputs.orders }, steps: [step] });
  const aggregate = (keys: object) => orders({ id: 'a', aggregate: { from: 'orders', groupBy: ['customer'], columns: { rows: 'count(*)' }, ...keys } });
  it.each([
    [
      'a text compared with a number',
      join({ on: 'orders.customer = c.code' }),
      'steps[0].join.on: ',
      'a text and something else are not compared as they stand. Cast one of them.',
    ],
    ['a name that stands on both sides', join({ columns: { id: 'id' } }), 'steps[0].join.columns.id: ', '"id" stands on both sides. Write orders.id or c.id.'],
    [
      'a side that has another name here',
      join({ columns: { id: 'customers.id' } }),
      'steps[0].join.columns.id: ',
      'Neither "orders" nor "c" has a column "customers".',
    ],
    ['a condition that is no condition', join({ on: 'orders.id + c.id' }), 'steps[0].join.on: ', 'A condition is true or false'],
    [
      'a full join without an equality',
      join({ kind: 'full', on: 'orders.id < c.id' }),
      'steps[0].join.on: ',
      'A full join needs an equality between its sides',
    ],
    [
      'a semi join that shows its right side',
      join({ kind: 'semi', columns: { email: 'c.email' } }),
      'steps[0].join.columns.email: ',
      '"orders" has no column "c".',
    ],
    ['an aggregate in a condition', join({ on: 'sum(orders.id) = c.id' }), 'steps[0].join.on: ', 'sum() is an aggregate'],
    [
      'a column outside the aggregates',
      aggregate({ columns: { x: 'note' } }),
      'steps[0].aggregate.columns.x: ',
      '"note" is read outside an aggregate. Aggregate it, or list it in groupBy.',
    ],
    [
      'an aggregate that depends on the order',
      aggregate({ columns: { x: 'first(note)' } }),
      'steps[0].aggregate.columns.x: ',
      'first() depends on the order of the rows',
    ],
    ['an estimate', aggregate({ columns: { x: 'approx_quantile(id, 0.5)' } }), 'steps[0].aggregate.columns.x: ', 'approx_quantile() is an estimate'],
    [
      'an aggregate of an aggregate',
      aggregate({ columns: { x: 'sum(count(*))' } }),
      'steps[0].aggregate.columns.x: ',
      'An aggregate cannot stand inside another one.',
    ],
    [
      'a name that is grouped by already',
      aggregate({ columns: { CUSTOMER: 'count(*)' } }),
      'steps[0].aggregate.columns.CUSTOMER: ',
      'is the name of a column that is grouped by',
    ],
    ['a group of a type without an exact value', aggregate({ groupBy: ['span'] }), 'steps[0].aggregate.groupBy.span: ', 'has no exact form in expressions'],
    ['a group without a column', aggregate({ groupBy: { day: '1' } }), 'steps[0].aggregate.groupBy.day: ', 'A group reads a column.'],
    [
      'a group under a collation',
      aggregate({ groupBy: { note: 'note COLLATE NOCASE' } }),
      'steps[0].aggregate.groupBy.note: ',
      'Groups cannot have COLLATE. Write lower(x)',
    ],
    [
      'a window under a collation',
      orders({ id: 'm', map: { from: 'orders', columns: { x: 'count(*) OVER (PARTITION BY note COLLATE NOCASE)' } } }),
      'steps[0].map.columns: ',
      'PARTITION BY cannot have COLLATE. Write lower(x)',
    ],
    [
      'a window over a constant',
      orders({ id: 'm', map: { from: 'orders', columns: { x: 'count(*) OVER (PARTITION BY 1)' } } }),
      'steps[0].map.columns: ',
      'A PARTITION BY that reads no column spans all rows.',
    ],
    [
      'a full join by a collation alone',
      join({ kind: 'full', on: 'orders.note COLLATE NOCASE = c.code' }),
      'steps[0].join.on: ',
      'A full join needs an equality between its sides',
    ],
    [
      'a key that is not there',
      orders({ id: 'd', dedupe: { from: 'orders', key: ['nowhere'] } }),
      'steps[0].dedupe.key[0]: ',
      '"orders" has no column "nowhere".',
    ],
    [
      'sources with other columns',
      document({ id: 'u', union: { from: ['orders', 'customers'] } }),
      'steps[0].union.from: ',
      'has no column "customer", which another source has.',
    ],
    [
      'sources with other types',
      document(
        { id: 'a', map: { from: 'orders', columns: { x: 'id' } } },
        { id: 'b', map: { from: 'customers', columns: { x: 'email' } } },
        { id: 'u', union: { from: ['a', 'b'] } },
      ),
      'steps[2].union.from: ',
      'Column "x" is INTEGER in "a", VARCHAR in "b". Cast it to one type before the union.',
    ],
  ])('for %s', async (_, refused, path, message) => {
    const found = await refusals(refused);
    expect(found).toContainEqual(expect.stringContaining(message));
    expect(found.find((one) => one.includes(message))).toMatch(new RegExp(`^${path.replaceAll(/[[\].]/g, '\\$&')}`));
  });
});

describe('a join under a collation', () => {
  it.each(['inner', 'left', 'semi', 'anti'])('matches the same rows whether they are divided or not: %s', async (kind) => {
    const columns = { id: 'orders.id' };
    const value = document({ id: 'j', join: { left: 'orders', right: 'customers', kind, on: 'note COLLATE NOCASE = code', columns } });
    const orders = Array.from({ length: 40 }, (_, index) => [String(index), '1', null, ['a', 'A', 'b', null][index % 4] ?? null, null]);
    const customers = Array.from({ length: 20 }, (_, index) => [String(index), null, ['A', 'c'][index % 2] ?? null]);
    const rows = { orders, customers };
    const held = await runDocument(value, rows);
    const divided = await runDocument(value, rows, { sizes: { bufferBytes: 1, partBytes: 1, streamBytes: 1, parts: 4 } });
    expect(held.rows).toHaveLength({ inner: 200, left: 220, semi: 20, anti: 20 }[kind] ?? 0);
    expect(divided.rows.map(String).sort()).toEqual(held.rows.map(String).sort());
  });
});

describe('params', () => {
  const params = { least: { type: 'INTEGER', default: 2 }, word: { type: 'VARCHAR', default: "it's" } };
  const orders = [
    ['1', '1', '1.00', null, null],
    ['2', '1', '1.00', null, null],
  ];
  it('are typed values in expressions, and left alone in texts, quoted names and comments', async () => {
    const columns = { a: 'id + $least', b: '$word', c: "'$least'", d: '$$ $least $$', e: 'id /* $least */ + $least -- $nowhere', ü: "'ü' || $word" };
    const steps = [
      { id: 'kept', filter: { from: 'orders', where: 'id >= $least' } },
      { id: 'm', map: { from: 'kept', columns } },
    ];
    const { rows } = await runDocument({ inputs: { orders: inputs.orders }, steps, params }, { orders });
    expect(rows).toEqual([['4', "it's", '$least', ' $least ', '4', "üit's"]]);
  });

  it('are refused by name when they are not listed, and when their default is not of their type', async () => {
    const steps = [{ id: 'm', map: { from: 'orders', columns: { a: '$most' } } }];
    expect(await refusals({ inputs: { orders: inputs.orders }, steps, params })).toEqual([
      'steps[0].map.columns.a: There is no parameter $most. There are least, word.',
    ]);
    const wrong = { least: { type: 'INTEGER', default: 'many' } };
    expect(
      await refusals({ inputs: { orders: inputs.orders }, steps: [{ id: 'm', map: { from: 'orders', columns: { a: '$least' } } }], params: wrong }),
    ).toContainEqual(expect.stringContaining('params.least: Its value cannot be read as INTEGER'));
  });
});
