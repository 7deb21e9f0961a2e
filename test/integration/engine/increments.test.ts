import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { propertyRuns } from '../../support/property-runs.js';
import { batches, behind, ChangingOrders } from './changing-orders.js';

/** Changes come at most nine minutes late. */
const late = { all: batches(9), known: behind(9) };
const incremental = { cursor: 'updated_at', lookback: 'PT9M' };
/** Changes never have an earlier time than one before them. */
const orderly = { all: batches(0), known: behind(0) };
const ordered = { cursor: 'updated_at' };

const usualRuns = 3;
/** Each run of a property takes seconds. */
const propertyWithinMs = propertyRuns(usualRuns).numRuns * 30_000;

let shop: ChangingOrders;

beforeAll(async () => {
  shop = await ChangingOrders.open('increments');
});
afterAll(() => shop?.close());
beforeEach(() => shop.makeTables());

/** After the last run the table must be what `whole` gives over the sources, and some run must have read a part of them only. */
async function expectAsWhole({ all, known }: typeof late, document: Readonly<Record<string, unknown>>, stored: string, whole: string): Promise<void> {
  shop.partialRuns = 0;
  await fc.assert(
    fc.asyncProperty(all, async (changes) => {
      await shop.makeOrders();
      await shop.runThrough(document, changes);
      expect(await shop.rows(stored)).toEqual(await shop.rows(whole));
    }),
    { ...propertyRuns(usualRuns), examples: [[known]] },
  );
  expect(shop.partialRuns).toBeGreaterThanOrEqual(propertyRuns(usualRuns).numRuns);
}

function filtered(read: object, order: object = {}) {
  return {
    inputs: { orders: { connection: 'shop', stream: 'public.orders', incremental: read } },
    steps: [
      { id: 'open', filter: { from: 'orders', where: "status <> 'cancelled'" } },
      { id: 'shaped', map: { from: 'open', columns: { order_id: 'id', total: 'amount * 2', updated_at: 'updated_at' } } },
    ],
    outputs: [{ from: 'shaped', connection: 'shop', stream: 'mart.orders', load: { mode: 'upsert', key: ['order_id'], ...order } }],
  };
}
const storedFiltered = 'SELECT order_id, total FROM mart.orders ORDER BY 1';
const wholeFiltered = "SELECT id AS order_id, amount * 2 AS total FROM orders WHERE status <> 'cancelled' ORDER BY 1";

function joined(read: object) {
  const columns = { order_id: 'open.id', email: 'upper(customers.email)', amount: 'open.amount' };
  return {
    inputs: {
      orders: { connection: 'shop', stream: 'public.orders', incremental: read, recompute: { by: ['customer_id'] } },
      customers: { connection: 'shop', stream: 'public.customers', incremental: read, recompute: { by: ['id'] } },
    },
    steps: [
      { id: 'open', filter: { from: 'orders', where: "status <> 'cancelled'" } },
      { id: 'joined', join: { left: 'open', right: 'customers', kind: 'inner', on: 'open.customer_id = customers.id', columns } },
    ],
    outputs: [{ from: 'joined', connection: 'shop', stream: 'mart.orders', load: { mode: 'upsert', key: ['order_id'] } }],
  };
}
const storedJoined = 'SELECT order_id, email, amount FROM mart.orders ORDER BY 1';
const wholeJoined = `SELECT o.id AS order_id, upper(email) AS email, amount FROM orders o JOIN customers c ON c.id = o.customer_id
  WHERE status <> 'cancelled' ORDER BY 1`;

function totals(read: object, over: object) {
  const columns = { orders: 'count(*)', total: 'sum(amount)' };
  return {
    inputs: { orders: { connection: 'shop', stream: 'public.orders', ...read } },
    steps: [
      { id: 'open', filter: { from: 'orders', where: "status <> 'cancelled'" } },
      { id: 'totals', aggregate: { from: 'open', groupBy: ['customer_id'], columns, ...over } },
    ],
    outputs: [{ from: 'totals', connection: 'shop', stream: 'mart.totals', load: { mode: 'upsert', key: ['customer_id'] } }],
  };
}
const storedTotals = 'SELECT customer_id, orders::int, total::int FROM mart.totals ORDER BY 1';

describe('reading in increments gives what reading whole gives', () => {
  it(
    'for a filter behind which rows begin and cease to pass, late rows, ties and open transactions',
    () => expectAsWhole(late, filtered(incremental), storedFiltered, wholeFiltered),
    propertyWithinMs,
  );

  it(
    'for a filter without a lookback, when changes have the time of others that were read before',
    () => expectAsWhole(orderly, filtered(ordered, { orderBy: 'updated_at' }), storedFiltered, wholeFiltered),
    propertyWithinMs,
  );

  it('for a join whose other side changes', () => expectAsWhole(late, joined(incremental), storedJoined, wholeJoined), propertyWithinMs);

  it(
    'for a join without a lookback, when changes of either side have the time of others that were read before',
    () => expectAsWhole(orderly, joined(ordered), storedJoined, wholeJoined),
    propertyWithinMs,
  );

  it(
    'for an aggregate whose groups come and go',
    () => {
      const whole = `SELECT customer_id, count(*)::int AS orders, sum(amount)::int AS total FROM orders WHERE status <> 'cancelled'
        GROUP BY customer_id ORDER BY 1`;
      return expectAsWhole(late, totals({ incremental, recompute: { by: ['customer_id'] } }, {}), storedTotals, whole);
    },
    propertyWithinMs,
  );

  it(
    'for an append of rows that are never changed, with ties at the boundary: none lost, none doubled',
    async () => {
      const appended = {
        inputs: { orders: { connection: 'shop', stream: 'public.orders', incremental: ordered } },
        outputs: [{ from: 'orders', connection: 'shop', stream: 'mart.events', load: { mode: 'append' } }],
      };
      const growing = fc.array(fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 5 }), { minLength: 1, maxLength: 5 });
      await fc.assert(
        fc.asyncProperty(growing, async (all) => {
          await shop.makeTables();
          let id = 0;
          let minute = 0;
          for (const steps of all) {
            for (const step of steps) {
              id += 1;
              minute += step;
              await shop.apply({ kind: 'order', id, customer: 1, status: 'new', amount: 5, minute });
            }
            expect((await shop.run(appended)).summary.metrics.rowsRead).toBe(steps.length);
          }
          expect((await shop.run(appended)).summary.metrics.rowsRead).toBe(0);
          expect(await shop.rows('SELECT id FROM mart.events ORDER BY 1')).toEqual(await shop.rows('SELECT id FROM orders ORDER BY 1'));
        }),
        propertyRuns(usualRuns),
      );
    },
    propertyWithinMs,
  );

  it('and reads only from the last cursor on', async () => {
    const document = filtered(incremental, { orderBy: 'updated_at' });
    for (const id of [1, 2, 3]) await shop.apply({ kind: 'order', id, customer: 1, status: 'new', amount: 5, minute: id * 20 });
    expect((await shop.run(document)).summary.metrics.rowsRead).toBe(3);
    await shop.apply({ kind: 'status', id: 1, status: 'cancelled', minute: 70 });
    const { summary } = await shop.run(document);
    expect(summary.metrics).toMatchObject({ rowsRead: 2, rowsWritten: 1 });
    expect(await shop.rows('SELECT order_id FROM mart.orders ORDER BY 1')).toEqual([{ order_id: 2 }, { order_id: 3 }]);
  });

  it('and an output whose commit failed catches up on its own', async () => {
    const { outputs, ...document } = filtered(incremental, { orderBy: 'updated_at' });
    const two = { ...document, outputs: [...outputs, { ...outputs[0], stream: 'mart.others' }] };
    await shop.apply({ kind: 'order', id: 1, customer: 1, status: 'new', amount: 5, minute: 1 });
    await shop.run(two);
    await shop.apply({ kind: 'order', id: 2, customer: 1, status: 'new', amount: 5, minute: 20 });
    await shop.database.query(`ALTER TABLE mart.others ADD CONSTRAINT refuses CHECK (order_id < 2)`);
    await expect(shop.run(two)).rejects.toMatchObject({ code: 'DESTINATION_REFUSED' });
    await shop.database.query(`ALTER TABLE mart.others DROP CONSTRAINT refuses`);
    await shop.apply({ kind: 'order', id: 3, customer: 1, status: 'new', amount: 5, minute: 40 });
    await shop.run(two);
    const ids = [{ order_id: 1 }, { order_id: 2 }, { order_id: 3 }];
    expect(await shop.rows('SELECT order_id FROM mart.orders ORDER BY 1')).toEqual(ids);
    expect(await shop.rows('SELECT order_id FROM mart.others ORDER BY 1')).toEqual(ids);
  });
});

describe('an aggregate over the increment', () => {
  it('gives each group what the last run that had rows of it read, each row once, and takes no group away', async () => {
    const document = totals({ incremental: ordered }, { over: 'increment' });
    const order = (id: number, customer: number, amount: number, minute: number) => shop.apply({ kind: 'order', id, customer, status: 'new', amount, minute });
    await order(1, 1, 10, 0);
    await order(2, 1, 20, 5);
    await order(3, 2, 5, 5);
    expect((await shop.run(document)).summary.metrics).toMatchObject({ rowsRead: 3, rowsWritten: 2 });
    expect(await shop.rows(storedTotals)).toEqual([
      { customer_id: 1, orders: 2, total: 30 },
      { customer_id: 2, orders: 1, total: 5 },
    ]);

    await order(4, 2, 100, 5);
    await order(5, 3, 7, 9);
    await shop.apply({ kind: 'status', id: 1, status: 'cancelled', minute: 9 });
    expect((await shop.run(document)).summary.metrics).toMatchObject({ rowsRead: 3, rowsWritten: 2 });
    const after = [
      { customer_id: 1, orders: 2, total: 30 },
      { customer_id: 2, orders: 1, total: 100 },
      { customer_id: 3, orders: 1, total: 7 },
    ];
    expect(await shop.rows(storedTotals)).toEqual(after);

    expect((await shop.run(document)).summary.metrics).toMatchObject({ rowsRead: 0, rowsWritten: 0 });
    expect(await shop.rows(storedTotals)).toEqual(after);
  });
});
