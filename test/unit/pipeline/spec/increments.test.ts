import { describe, expect, it } from '@jest/globals';
import { type BenchDocument, refusals, runDocument } from '../pass-bench.js';

const inputs = {
  orders: { id: 'integer', customer: 'integer', status: 'text', amount: 'text', moved: 'timestamp with time zone' },
  customers: { id: 'bigint', email: 'text', moved: 'timestamp with time zone' },
};
const incremental = { cursor: 'moved' };
const upsert = { mode: 'upsert', key: ['id'] };
const output = (from: string, load: object = upsert) => [{ from, connection: 'shop', stream: 'mart.result', load }];
const kept = { id: 'kept', filter: { from: 'orders', where: "status <> 'x'" } };
const joined = {
  id: 'j',
  join: { left: 'orders', right: 'customers', on: 'orders.customer = customers.id', columns: { id: 'orders.id', email: 'customers.email' } },
};
const totals = { id: 'a', aggregate: { from: 'orders', groupBy: { id: 'customer' }, columns: { rows: 'count(*)' } } };

function document(change: Partial<BenchDocument>): BenchDocument {
  return { inputs: { orders: inputs.orders }, steps: [], outputs: output('orders'), incremental: { orders: { incremental } }, ...change };
}

describe('a document that reads increments is refused', () => {
  it.each([
    [
      'when the cursor is not there',
      document({ incremental: { orders: { incremental: { cursor: 'when' } } } }),
      'inputs.orders.incremental.cursor: public.orders has no column "when".',
    ],
    [
      'when the cursor has no order to rely on',
      document({ incremental: { orders: { incremental: { cursor: 'status' } } } }),
      'inputs.orders.incremental.cursor: Column "status" is text, which cannot be a cursor. Columns that can be one: id, customer, moved.',
    ],
    [
      'when a time has a lookback in numbers',
      document({ incremental: { orders: { incremental: { cursor: 'moved', lookback: 5 } } } }),
      'inputs.orders.incremental.lookback: The cursor is TIMESTAMPTZ, so that the lookback is an ISO 8601 duration such as PT10M; found 5.',
    ],
    [
      'when keys are recomputed of which nobody says that they change',
      document({ incremental: { orders: { recompute: { by: ['id'] } } } }),
      'inputs.orders.recompute: ',
    ],
    ['when it overwrites', document({ outputs: output('orders', { mode: 'overwrite' }) }), 'outputs[0].load.mode: An overwrite keeps the rows of one run only'],
    [
      'when an append would double what a lookback reads again',
      document({ outputs: output('orders', { mode: 'append' }), incremental: { orders: { incremental: { cursor: 'moved', lookback: 'PT1M' } } } }),
      'outputs[0].load.mode: With `lookback` rows of "orders" are read again, and an append would double them.',
    ],
    [
      'when an aggregate would see one run only',
      document({ steps: [totals], outputs: output('a') }),
      'steps[0]: Step "a" looks at several rows at once, and "orders" is read in increments',
    ],
    [
      'when a joined input can change',
      document({ inputs, steps: [joined], outputs: output('j'), incremental: { orders: { incremental, recompute: { by: ['customer'] } } } }),
      'Give customers `recompute: {by: [...]}`, or write `over: increment` if just that is meant.',
    ],
    [
      'when the recomputed keys are not of one type',
      document({
        inputs,
        steps: [joined],
        outputs: output('j'),
        incremental: { orders: { incremental, recompute: { by: ['customer'] } }, customers: { incremental, recompute: { by: ['email'] } } },
      }),
      'inputs.customers.recompute.by: These columns are (VARCHAR) and those of "orders" are (whole number).',
    ],
    [
      'when the key of a row that leaves cannot be told',
      document({
        steps: [
          { id: 'a', aggregate: { from: 'orders', groupBy: ['customer'], columns: { id: 'max(id)' } } },
          { id: 'b', map: { from: 'a', columns: { id: 'id' } } },
        ],
        outputs: output('b'),
        incremental: { orders: { incremental, recompute: { by: ['customer'] } } },
      }),
      'outputs[0].load.key: The key (id) cannot be computed from one row of an input',
    ],
    [
      'when `over` has no meaning',
      document({ incremental: {}, steps: [{ ...totals, aggregate: { ...totals.aggregate, over: 'increment' } }], outputs: output('a') }),
      'steps[0].aggregate.over: This step sees no increment',
    ],
  ])('%s', async (_, refused, message) => {
    expect(await refusals(refused)).toContainEqual(expect.stringContaining(message));
  });
});

describe('rows that have left the result name their keys', () => {
  const orders = [
    ['1', '7', 'ok', '5', null],
    ['2', '7', 'x', '6', null],
    ['3', '8', 'x', 'many', null],
  ];
  const erased = async (value: BenchDocument) => (await runDocument(value, { orders, customers: [['7', 'a', null]] }, { erases: true })).erased;

  it('when a filter drops them, computed as the steps behind would have', async () => {
    const steps = [kept, { id: 'm', map: { from: 'kept', columns: { id: 'id * 10', amount: 'amount' } } }];
    expect(await erased(document({ steps, outputs: output('m') }))).toEqual([['20'], ['30']]);
  });

  it('with their order, and with no key where it cannot be computed from a row that was never meant to be', async () => {
    const steps = [kept, { id: 'm', map: { from: 'kept', columns: { id: 'amount::INTEGER', moved: 'moved' } } }];
    expect(await erased(document({ steps, outputs: output('m', { ...upsert, orderBy: 'moved' }) }))).toEqual([
      ['6', null],
      [null, null],
    ]);
  });

  it('when keys are recomputed: every row that was read', async () => {
    const steps = [kept, { ...joined, join: { ...joined.join, left: { from: 'kept', as: 'orders' } } }];
    const recompute = { orders: { incremental, recompute: { by: ['customer'] } }, customers: { incremental, recompute: { by: ['id'] } } };
    expect(await erased(document({ inputs, steps, outputs: output('j'), incremental: recompute }))).toEqual([['1'], ['2'], ['3']]);
  });

  it('but not behind a step of which an increment is wanted', async () => {
    const steps = [kept, { ...totals, aggregate: { ...totals.aggregate, from: 'kept', over: 'increment' } }];
    expect(await erased(document({ steps, outputs: output('a') }))).toEqual([]);
  });
});
