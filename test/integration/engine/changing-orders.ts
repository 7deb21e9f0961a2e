import fc from 'fast-check';
import pg from 'pg';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';
import { type EngineRun, runEngine } from './run-engine.js';

type Status = 'new' | 'cancelled';

/** One thing that happens to the sources; times are minutes after midnight, and several things have the same. */
export type Change =
  | {
      readonly kind: 'order';
      readonly id: number;
      readonly customer: number;
      readonly status: Status;
      readonly amount: number;
      readonly minute: number;
    }
  | { readonly kind: 'status'; readonly id: number; readonly status: Status; readonly minute: number }
  | { readonly kind: 'customer'; readonly id: number; readonly email: string; readonly minute: number };

/** What is committed between two runs; it may be written in a transaction that is still open while the pipeline runs. */
export interface Batch {
  readonly changes: readonly Change[];
  readonly open: boolean;
}

/** Minutes from the beginning of one batch to the next: none, less than `mostLate`, and so many that what came before lies outside of it. */
const steps = [0, 4, 20, 45] as const;
const firstMinute = 20;

/**
 * Batches in which time goes on. Before the first one there are the rows of `makeOrders`.
 *
 * @param mostLate  by how many minutes at most a change is behind the latest one before it; 0: none is, and most have the time of another
 */
export function batches(mostLate: number): fc.Arbitrary<Batch[]> {
  const id = fc.integer({ min: 1, max: 12 });
  const customer = fc.integer({ min: 1, max: 4 });
  const status = fc.constantFrom<Status>('new', 'cancelled');
  const late = fc.constantFrom(...new Set([0, Math.floor(mostLate / 2), mostLate]));
  const change = fc.oneof(
    fc.record({ kind: fc.constant('order' as const), id, customer, status, amount: fc.integer({ min: 1, max: 100 }), late }),
    fc.record({ kind: fc.constant('status' as const), id, status, late }),
    fc.record({ kind: fc.constant('customer' as const), id: customer, email: fc.constantFrom('a@x', 'b@x', 'c@x'), late }),
  );
  const batch = fc.record({ changes: fc.array(change, { maxLength: 6 }), open: fc.boolean(), step: fc.constantFrom(...steps) });
  return fc.array(batch, { minLength: 1, maxLength: 4 }).map((all) => {
    let now = firstMinute;
    return all.map(({ changes, open, step }) => {
      now += step;
      return { open, changes: changes.map(({ late: behind, ...one }) => ({ ...one, minute: now - behind })) };
    });
  });
}

/**
 * What must not depend on luck: an order is cancelled, another one comes and a customer gets another address, all of it behind a run that
 * has read another customer's order so many minutes later.
 */
export function behind(minutes: number): Batch[] {
  const read = firstMinute + 20;
  const minute = read - minutes;
  const joins = (id: number, at: number): Change[] => [
    { kind: 'customer', id, email: 'a@x', minute: at },
    { kind: 'order', id, customer: id, status: 'new', amount: 5, minute: at },
  ];
  return [
    { changes: [...joins(1, minute - 1), ...joins(2, minute - 1), ...joins(3, read)], open: false },
    { changes: [{ kind: 'status', id: 1, status: 'cancelled', minute }], open: false },
    { changes: [{ kind: 'order', id: 4, customer: 1, status: 'new', amount: 5, minute }], open: true },
    { changes: [{ kind: 'customer', id: 2, email: 'b@x', minute }], open: false },
  ];
}

/** A database with orders and customers that change, and a pipeline that copies them. */
export class ChangingOrders {
  /** Runs that read fewer rows than their inputs held, since this was last set to 0. */
  partialRuns = 0;
  private runs = 0;

  private constructor(
    readonly database: TestDatabase,
    private readonly writer: pg.Client,
  ) {}

  static async open(purpose: string): Promise<ChangingOrders> {
    const database = await createDatabase(purpose);
    const writer = new pg.Client({ connectionString: database.url });
    await writer.connect();
    return new ChangingOrders(database, writer);
  }

  /** Empty tables, as nothing was ever run. */
  async makeTables(): Promise<void> {
    await this.writer.query('ROLLBACK'); // what was left in the middle has a transaction open
    await this.database.query(`DROP SCHEMA IF EXISTS mart CASCADE; DROP TABLE IF EXISTS orders, customers;
      CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer NOT NULL, status text NOT NULL, amount integer NOT NULL, updated_at timestamptz NOT NULL);
      CREATE TABLE customers (id integer PRIMARY KEY, email text NOT NULL, updated_at timestamptz NOT NULL);
      CREATE INDEX ON orders (customer_id)`);
  }

  /** With one old order that no batch touches, and one behind which no later run with a lookback sees the old one. */
  async makeOrders(): Promise<void> {
    await this.makeTables();
    for (const [id, minute] of [
      [101, 0],
      [102, firstMinute],
    ] as const) {
      await this.apply({ kind: 'customer', id, email: 'old@x', minute });
      await this.apply({ kind: 'order', id, customer: id, status: 'new', amount: 7, minute });
    }
  }

  /** An order keeps its customer: a key by which rows are recomputed does not change. */
  async apply(one: Change): Promise<void> {
    const at = new Date(Date.UTC(2026, 0, 1, 0, one.minute)).toISOString();
    if (one.kind === 'order') {
      const { id, customer, status, amount } = one;
      await this.writer.query('INSERT INTO orders VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET amount = $4, status = $3, updated_at = $5', [
        id,
        customer,
        status,
        amount,
        at,
      ]);
    } else if (one.kind === 'status') {
      await this.writer.query('UPDATE orders SET status = $2, updated_at = $3 WHERE id = $1', [one.id, one.status, at]);
    } else {
      await this.writer.query('INSERT INTO customers VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET email = $2, updated_at = $3', [one.id, one.email, at]);
    }
  }

  run(document: Readonly<Record<string, unknown>>): Promise<EngineRun> {
    this.runs += 1;
    return runEngine({ document, connections: { shop: this.database }, runId: `increment-${this.runs}`, epoch: this.runs });
  }

  /** Runs after every batch, then once more when everything is committed. */
  async runThrough(document: Readonly<Record<string, unknown>>, all: readonly Batch[]): Promise<void> {
    for (const { changes, open } of all) {
      await this.writer.query('BEGIN');
      for (const one of changes) await this.apply(one);
      if (!open) await this.writer.query('COMMIT');
      await this.runCounted(document);
      if (open) await this.writer.query('COMMIT');
    }
    await this.runCounted(document);
  }

  rows(sql: string): Promise<Record<string, unknown>[]> {
    return this.database.query(sql);
  }

  async close(): Promise<void> {
    await this.writer.end();
    await this.database.drop();
  }

  private async runCounted(document: Readonly<Record<string, unknown>>): Promise<void> {
    const { summary, compiled } = await this.run(document);
    const counts = compiled.inputs.map(({ stream }) => `(SELECT count(*) FROM ${stream})`);
    const [found] = await this.rows(`SELECT (${counts.join(' + ')})::int AS held`);
    if (summary.metrics.rowsRead < Number(found?.['held'])) this.partialRuns += 1;
  }
}
