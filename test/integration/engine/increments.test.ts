import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';
import { propertyRuns } from '../../support/property-runs.js';
import { type EngineRun, runEngine } from './run-engine.js';

/** One thing that happens to the sources; times are minutes after midnight, and several things have the same. */
type Change =
  | {
      readonly kind: 'order';
      readonly id: number;
      readonly customer: number;
      readonly status: 'new' | 'cancelled';
      readonly amount: number;
      readonly minute: number;
    }
  | { readonly kind: 'status'; readonly id: number; readonly status: 'new' | 'cancelled'; readonly minute: number }
  | { readonly kind: 'customer'; readonly id: number; readonly email: string; readonly minute: number };

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
const minute = fc.integer({ min: 0, max: 8 });
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    kind: fc.constant('order' as const),
    id: fc.integer({ min: 1, max: 12 }),
    customer: fc.integer({ min: 1, max: 4 }),
    status: fc.constantFrom('new' as const, 'cancelled' as const),
    amount: fc.integer({ min: 1, max: 100 }),
    minute,
  }),
  fc.record({
    kind: fc.constant('status' as const),
    id: fc.integer({ min: 1, max: 12 }),
    status: fc.constantFrom('new' as const, 'cancelled' as const),
    minute,
  }),
  fc.record({ kind: fc.constant('customer' as const), id: fc.integer({ min: 1, max: 4 }), email: fc.constantFrom('a@x', 'b@x', 'c@x'), minute }),
);
/** Batches between which the pipeline runs; a batch may be written in a transaction that is still open while it runs. */
const batches = fc.array(fc.record({ changes: fc.array(change, { maxLength: 6 }), open: fc.boolean() }), { minLength: 1, maxLength: 5 });

/** Every change comes at most this many minutes behind the latest one before it. */
const lookback = 'PT9M';
const incremental = { cursor: 'updated_at', lookback };

/** Each run of a property takes seconds. */
const propertyWithinMs = propertyRuns(8).numRuns * 30_000;

let database: TestDatabase;
let writer: pg.Client;
let runs = 0;

beforeAll(async () => {
  database = await createDatabase('increments');
  const { host, port, name, user, password } = database;
  writer = new pg.Client({ host, port, database: name, user, password });
  await writer.connect();
});
afterAll(async () => {
  await writer.end();
  await database.drop();
});
beforeEach(makeTables);
/** A property that was left in the middle may have a transaction open. */
afterEach(() => writer.query('ROLLBACK'));

async function makeTables(): Promise<void> {
  await database.query(`DROP SCHEMA IF EXISTS mart CASCADE; DROP TABLE IF EXISTS orders, customers;
    CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer NOT NULL, status text NOT NULL, amount integer NOT NULL, updated_at timestamptz NOT NULL);
    CREATE TABLE customers (id integer PRIMARY KEY, email text NOT NULL, updated_at timestamptz NOT NULL);
    CREATE INDEX ON orders (customer_id)`);
}

/** An order keeps its customer: a key by which rows are recomputed does not change. */
async function apply(one: Change): Promise<void> {
  if (one.kind === 'order') {
    await writer.query('INSERT INTO orders VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET amount = $4, status = $3, updated_at = $5', [
      one.id,
      one.customer,
      one.status,
      one.amount,
      at(one.minute),
    ]);
  } else if (one.kind === 'status') {
    await writer.query('UPDATE orders SET status = $2, updated_at = $3 WHERE id = $1', [one.id, one.status, at(one.minute)]);
  } else {
    await writer.query('INSERT INTO customers VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET email = $2, updated_at = $3', [
      one.id,
      one.email,
      at(one.minute),
    ]);
  }
}

function run(document: Readonly<Record<string, unknown>>): Promise<EngineRun> {
  runs += 1;
  return runEngine({ document, connections: { shop: database }, runId: `increment-${runs}`, epoch: runs });
}

/** Runs after every batch, then once more when everything is committed. */
async function runThrough(
  document: Readonly<Record<string, unknown>>,
  all: readonly { readonly changes: readonly Change[]; readonly open: boolean }[],
): Promise<void> {
  for (const { changes, open } of all) {
    await writer.query('BEGIN');
    for (const one of changes) await apply(one);
    if (!open) await writer.query('COMMIT');
    await run(document);
    if (open) await writer.query('COMMIT');
  }
  await run(document);
}

const rowsOf = (sql: string) => database.query<Record<string, unknown>>(sql);

describe('reading in increments gives what reading whole gives', () => {
  const filtered = {
    inputs: { orders: { connection: 'shop', stream: 'public.orders', incremental } },
    steps: [
      { id: 'open', filter: { from: 'orders', where: "status <> 'cancelled'" } },
      { id: 'shaped', map: { from: 'open', columns: { order_id: 'id', total: 'amount * 2', updated_at: 'updated_at' } } },
    ],
    outputs: [{ from: 'shaped', connection: 'shop', stream: 'mart.orders', load: { mode: 'upsert', key: ['order_id'], orderBy: 'updated_at' } }],
  };

  it(
    'for a filter behind which rows begin and cease to pass, late rows, ties and open transactions',
    async () => {
      await fc.assert(
        fc.asyncProperty(batches, async (all) => {
          await makeTables();
          await runThrough({ ...filtered, outputs: [{ ...filtered.outputs[0], load: { mode: 'upsert', key: ['order_id'] } }] }, all);
          expect(await rowsOf('SELECT order_id, total FROM mart.orders ORDER BY 1')).toEqual(
            await rowsOf("SELECT id AS order_id, amount * 2 AS total FROM orders WHERE status <> 'cancelled' ORDER BY 1"),
          );
        }),
        propertyRuns(8),
      );
    },
    propertyWithinMs,
  );

  it(
    'for a join whose other side changes',
    async () => {
      const joined = {
        inputs: {
          orders: { connection: 'shop', stream: 'public.orders', incremental, recompute: { by: ['customer_id'] } },
          customers: { connection: 'shop', stream: 'public.customers', incremental, recompute: { by: ['id'] } },
        },
        steps: [
          { id: 'open', filter: { from: 'orders', where: "status <> 'cancelled'" } },
          {
            id: 'joined',
            join: {
              left: 'open',
              right: 'customers',
              kind: 'inner',
              on: 'open.customer_id = customers.id',
              columns: { order_id: 'open.id', email: 'upper(customers.email)', amount: 'open.amount' },
            },
          },
        ],
        outputs: [{ from: 'joined', connection: 'shop', stream: 'mart.orders', load: { mode: 'upsert', key: ['order_id'] } }],
      };
      await fc.assert(
        fc.asyncProperty(batches, async (all) => {
          await makeTables();
          await runThrough(joined, all);
          expect(await rowsOf('SELECT order_id, email, amount FROM mart.orders ORDER BY 1')).toEqual(
            await rowsOf(`SELECT o.id AS order_id, upper(email) AS email, amount FROM orders o JOIN customers c ON c.id = o.customer_id
                        WHERE status <> 'cancelled' ORDER BY 1`),
          );
        }),
        propertyRuns(8),
      );
    },
    propertyWithinMs,
  );

  it(
    'for an aggregate whose groups come and go',
    async () => {
      const totals = {
        inputs: { orders: { connection: 'shop', stream: 'public.orders', incremental, recompute: { by: ['customer_id'] } } },
        steps: [
          { id: 'open', filter: { from: 'orders', where: "status <> 'cancelled'" } },
          { id: 'totals', aggregate: { from: 'open', groupBy: ['customer_id'], columns: { orders: 'count(*)', total: 'sum(amount)' } } },
        ],
        outputs: [{ from: 'totals', connection: 'shop', stream: 'mart.totals', load: { mode: 'upsert', key: ['customer_id'] } }],
      };
      await fc.assert(
        fc.asyncProperty(batches, async (all) => {
          await makeTables();
          await runThrough(totals, all);
          expect(await rowsOf('SELECT customer_id, orders::int, total::int FROM mart.totals ORDER BY 1')).toEqual(
            await rowsOf(`SELECT customer_id, count(*)::int AS orders, sum(amount)::int AS total FROM orders WHERE status <> 'cancelled'
                        GROUP BY customer_id ORDER BY 1`),
          );
        }),
        propertyRuns(8),
      );
    },
    propertyWithinMs,
  );

  it(
    'for an append of rows that are never changed, with ties at the boundary: none lost, none doubled',
    async () => {
      const appended = {
        inputs: { orders: { connection: 'shop', stream: 'public.orders', incremental: { cursor: 'updated_at' } } },
        outputs: [{ from: 'orders', connection: 'shop', stream: 'mart.events', load: { mode: 'append' } }],
      };
      const growing = fc.array(fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 5 }), { minLength: 1, maxLength: 5 });
      await fc.assert(
        fc.asyncProperty(growing, async (all) => {
          await makeTables();
          let id = 0;
          let now = 0;
          for (const steps of all) {
            for (const step of steps) {
              id += 1;
              now += step;
              await apply({ kind: 'order', id, customer: 1, status: 'new', amount: 5, minute: now });
            }
            await run(appended);
          }
          await run(appended);
          expect(await rowsOf('SELECT id FROM mart.events ORDER BY 1')).toEqual(await rowsOf('SELECT id FROM orders ORDER BY 1'));
        }),
        propertyRuns(8),
      );
    },
    propertyWithinMs,
  );

  it('and reads only from the last cursor on', async () => {
    for (const id of [1, 2, 3]) await apply({ kind: 'order', id, customer: 1, status: 'new', amount: 5, minute: id * 20 });
    expect((await run(filtered)).summary.metrics.rowsRead).toBe(3);
    await apply({ kind: 'status', id: 1, status: 'cancelled', minute: 70 });
    const { summary } = await run(filtered);
    expect(summary.metrics).toMatchObject({ rowsRead: 2, rowsWritten: 1 });
    expect(await rowsOf('SELECT order_id FROM mart.orders ORDER BY 1')).toEqual([{ order_id: 2 }, { order_id: 3 }]);
  });

  it('and an output whose commit failed catches up on its own', async () => {
    const two = {
      ...filtered,
      outputs: [filtered.outputs[0], { from: 'shaped', connection: 'shop', stream: 'mart.others', load: { mode: 'upsert', key: ['order_id'] } }],
    };
    await apply({ kind: 'order', id: 1, customer: 1, status: 'new', amount: 5, minute: 1 });
    await run(two);
    await apply({ kind: 'order', id: 2, customer: 1, status: 'new', amount: 5, minute: 20 });
    await database.query(`ALTER TABLE mart.others ADD CONSTRAINT refuses CHECK (order_id < 2)`);
    await expect(run(two)).rejects.toMatchObject({ code: 'DESTINATION_REFUSED' });
    await database.query(`ALTER TABLE mart.others DROP CONSTRAINT refuses`);
    await apply({ kind: 'order', id: 3, customer: 1, status: 'new', amount: 5, minute: 40 });
    await run(two);
    const ids = [{ order_id: 1 }, { order_id: 2 }, { order_id: 3 }];
    expect(await rowsOf('SELECT order_id FROM mart.orders ORDER BY 1')).toEqual(ids);
    expect(await rowsOf('SELECT order_id FROM mart.others ORDER BY 1')).toEqual(ids);
  });
});
