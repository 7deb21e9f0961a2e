import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { eventually } from '../../support/eventually.js';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';
import { propertyRuns } from '../../support/property-runs.js';
import { runEngine } from './run-engine.js';

/** What a transaction does, one statement a write; `waits` are moments of runs that pass before the next statement. */
interface Transaction {
  readonly writes: readonly { readonly id: number; readonly status: 'new' | 'cancelled'; readonly waits: number }[];
  readonly waitsAtBegin: number;
  readonly commits: boolean;
}

/** Of different keys in one order, so that no two transactions wait for one another. */
const writes = fc
  .uniqueArray(
    fc.record({ id: fc.integer({ min: 1, max: 6 }), status: fc.constantFrom('new' as const, 'new' as const, 'cancelled' as const), waits: fc.nat(3) }),
    { selector: ({ id }) => id, minLength: 1, maxLength: 3 },
  )
  .map((all) => all.sort((one, other) => one.id - other.id));
const transaction: fc.Arbitrary<Transaction> = fc.record({ writes, waitsAtBegin: fc.nat(3), commits: fc.constantFrom(true, true, true, false) });
/** The transactions of each of three sessions, one after the other. */
const sessions = fc.array(fc.array(transaction, { minLength: 1, maxLength: 2 }), { minLength: 3, maxLength: 3 });

/** One that is open from before the first run until after its end. */
const long: Transaction = {
  writes: [
    { id: 1, status: 'new', waits: 3 },
    { id: 2, status: 'new', waits: 1 },
  ],
  waitsAtBegin: 0,
  commits: true,
};
const later: Transaction = { writes: [{ id: 5, status: 'new', waits: 4 }], waitsAtBegin: 2, commits: true };
const short: Transaction = { writes: [{ id: 3, status: 'cancelled', waits: 0 }], waitsAtBegin: 0, commits: true };
/** Two are open over the whole of the first run while a third one commits, and all of them write on. */
const known: readonly [Transaction[][]] = [
  [
    [long, later],
    [later, short],
    [short, long],
  ],
];

const usualRuns = 2;
const propertyWithinMs = propertyRuns(usualRuns).numRuns * 60_000;

let database: TestDatabase;
let runs = 0;
/** Runs that had two transactions or more open from their beginning to their end. */
let crowdedRuns = 0;

beforeAll(async () => {
  database = await createDatabase('opentransactions');
});
afterAll(() => database?.drop());

/** Moments of the runs that go on: each begins, is about to take its snapshot, and ends. */
class Moments {
  private passed = 0;
  private waiting: { readonly at: number; readonly resume: () => void }[] = [];

  readonly next = (): void => {
    this.passed += 1;
    const due = this.waiting.filter(({ at }) => at <= this.passed);
    this.waiting = this.waiting.filter(({ at }) => at > this.passed);
    for (const { resume } of due) resume();
  };

  wait(count: number): Promise<void> {
    if (count === 0) return Promise.resolve();
    return new Promise((resume) => this.waiting.push({ at: this.passed + count, resume }));
  }
}

/** @param write  one statement of a transaction, which stamps what it writes with the transaction's start */
async function execute(client: pg.Client, one: Transaction, write: string, moments: Moments, open: Set<Transaction>): Promise<void> {
  await client.query('BEGIN');
  open.add(one);
  await moments.wait(one.waitsAtBegin);
  for (const { id, status, waits } of one.writes) {
    await client.query(write, [id, status]);
    await moments.wait(waits);
  }
  await client.query(one.commits ? 'COMMIT' : 'ROLLBACK');
  open.delete(one);
}

/** Runs the pipeline again and again, from when every session has begun until all have ended, and once more behind that. */
async function runWhile(document: Readonly<Record<string, unknown>>, all: readonly (readonly Transaction[])[], write: string): Promise<void> {
  const clients = all.map(() => new pg.Client({ connectionString: database.url }));
  const moments = new Moments();
  const open = new Set<Transaction>();
  try {
    await Promise.all(clients.map((client) => client.connect()));
    let unfinished = all.length;
    const writing = clients.map(async (client, session) => {
      try {
        for (const [place, one] of (all[session] ?? []).entries()) {
          const waitsAtBegin = place === 0 ? one.waitsAtBegin + 1 : one.waitsAtBegin;
          await execute(client, { ...one, waitsAtBegin }, write, moments, open);
        }
      } finally {
        unfinished -= 1;
      }
    });
    const written = Promise.all(writing);
    written.catch(() => undefined); // is looked at below, behind the runs
    await eventually('every session has a transaction open', async () => open.size === all.length);
    while (unfinished > 0) await run(document, moments, open);
    await written;
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
  await run(document, moments, open);
}

async function run(document: Readonly<Record<string, unknown>>, moments: Moments, open: ReadonlySet<Transaction>): Promise<void> {
  moments.next();
  const before = [...open];
  runs += 1;
  await runEngine({ document, connections: { shop: database }, runId: `open-${runs}`, epoch: runs, onBound: moments.next });
  if (before.filter((one) => open.has(one)).length >= 2) crowdedRuns += 1;
  moments.next();
}

async function expectSame(document: Readonly<Record<string, unknown>>, table: string, write: string, stored: string, whole: string): Promise<void> {
  crowdedRuns = 0;
  await fc.assert(
    fc.asyncProperty(sessions, async (all) => {
      await database.query(`DROP SCHEMA IF EXISTS mart CASCADE; DROP TABLE IF EXISTS events; ${table}`);
      await runWhile(document, all, write);
      expect(await database.query(stored)).toEqual(await database.query(whole));
    }),
    { ...propertyRuns(usualRuns), examples: [known] },
  );
  expect(crowdedRuns).toBeGreaterThan(0);
}

const events = { connection: 'shop', stream: 'public.events', incremental: { cursor: 'stamped' } };

describe('of rows that the database stamps with the start of their transaction, while several are open', () => {
  it(
    'an append loses none and doubles none, equal ones neither',
    () =>
      expectSame(
        { inputs: { events }, outputs: [{ from: 'events', connection: 'shop', stream: 'mart.events', load: { mode: 'append' } }] },
        'CREATE TABLE events (id integer NOT NULL, status text NOT NULL, stamped timestamptz NOT NULL DEFAULT now())',
        'INSERT INTO events (id, status) SELECT $1::integer, $2::text FROM generate_series(1, 2)',
        'SELECT id, status, stamped, count(*)::int FROM mart.events GROUP BY 1, 2, 3 ORDER BY 1, 2, 3',
        'SELECT id, status, stamped, count(*)::int FROM events GROUP BY 1, 2, 3 ORDER BY 1, 2, 3',
      ),
    propertyWithinMs,
  );

  it(
    'an upsert loses no change, of rows that begin or cease to pass a filter neither',
    () =>
      expectSame(
        {
          inputs: { events },
          steps: [{ id: 'open', filter: { from: 'events', where: "status <> 'cancelled'" } }],
          outputs: [{ from: 'open', connection: 'shop', stream: 'mart.events', load: { mode: 'upsert', key: ['id'], orderBy: 'stamped' } }],
        },
        'CREATE TABLE events (id integer PRIMARY KEY, status text NOT NULL, stamped timestamptz NOT NULL)',
        'INSERT INTO events VALUES ($1, $2, now()) ON CONFLICT (id) DO UPDATE SET status = $2, stamped = now()',
        'SELECT id, status, stamped FROM mart.events ORDER BY id',
        "SELECT id, status, stamped FROM events WHERE status <> 'cancelled' ORDER BY id",
      ),
    propertyWithinMs,
  );
});
