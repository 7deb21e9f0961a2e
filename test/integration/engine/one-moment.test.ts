import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';
import { engineBackends, until } from './loading.js';
import { runEngine } from './run-engine.js';

let source: TestDatabase;
let target: TestDatabase;

beforeAll(async () => {
  source = await createDatabase('momentsource');
  target = await createDatabase('momenttarget');
});
afterAll(async () => {
  await source?.drop();
  await target?.drop();
});

/** Both sides of twenty pairs, each behind a view whose reader waits while somebody holds lock 7. */
async function makeSides(): Promise<void> {
  await target.query('DROP SCHEMA IF EXISTS mart CASCADE');
  for (const side of ['ask', 'bid']) {
    await source.query(`DROP TABLE IF EXISTS ${side}_rows CASCADE;
      CREATE TABLE ${side}_rows AS SELECT i AS id, 1 AS version FROM generate_series(1, 20) i;
      CREATE VIEW ${side} AS SELECT id, version FROM ${side}_rows WHERE (SELECT pg_advisory_xact_lock_shared(7)) IS NOT NULL`);
  }
}

const moveBoth = (version: number) => source.query(`UPDATE ask_rows SET version = ${version}; UPDATE bid_rows SET version = ${version}`);
const versions = () => target.query('SELECT ask, bid, count(*)::int AS pairs FROM mart.pairs GROUP BY 1, 2 ORDER BY 1, 2');

describe('a join of two tables of one connection, which are changed together after the first of them was begun to be read', () => {
  const incremental = { incremental: { cursor: 'version' }, recompute: { by: ['id'] } };

  it.each([
    ['whole', {}],
    ['in increments', incremental],
  ])('never mixes two moments when they are read %s', async (_, read) => {
    await makeSides();
    const document = {
      inputs: { ask: { connection: 'source', stream: 'public.ask', ...read }, bid: { connection: 'source', stream: 'public.bid', ...read } },
      steps: [{ id: 'pairs', join: { left: 'ask', right: 'bid', on: 'ask.id = bid.id', columns: { id: 'ask.id', ask: 'ask.version', bid: 'bid.version' } } }],
      outputs: [{ from: 'pairs', connection: 'target', stream: 'mart.pairs', load: { mode: 'upsert', key: ['id'] } }],
    };
    const run = () => runEngine({ document, connections: { source, target } });
    const holder = new Client({ connectionString: source.url });
    await holder.connect();
    try {
      for (const version of [1, 3, 5]) {
        await moveBoth(version);
        await holder.query('SELECT pg_advisory_lock(7)');
        const running = run();
        running.catch(() => undefined); // is awaited behind the change
        await until(async () => (await engineBackends(source)).some(({ wait_event }) => wait_event === 'advisory'), 'the first side is being read');
        await moveBoth(version + 1);
        await holder.query('SELECT pg_advisory_unlock(7)');
        await running;
        expect(await versions()).toEqual([{ ask: version, bid: version, pairs: 20 }]);
      }
      await run();
      expect(await versions()).toEqual([{ ask: 6, bid: 6, pairs: 20 }]);
    } finally {
      await holder.end();
    }
  });
});
