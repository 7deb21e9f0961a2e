import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import neo4j, { type Driver } from 'neo4j-driver';
import { Client } from 'pg';
import { eventually } from '../support/eventually.js';
import { connect, savePipeline, startRun } from '../support/pipelines.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { childrenOf } from '../support/processes.js';
import { servers } from '../support/servers.js';
import { startTributary, type Tributary } from '../support/tributary.js';

describe('a server that stands still past its lease', () => {
  let database: TestDatabase;
  /** The one that stands still; in the next case that is the one that has taken over in this one. */
  let still: Tributary;
  let other: Tributary | null = null;
  const stopped: number[] = [];
  let graph: Driver;
  let holder: Client;

  beforeAll(async () => {
    database = await createDatabase('takeover');
    await database.query(`CREATE TABLE source AS SELECT i AS id, 'row ' || i AS name FROM generate_series(1, 5000) AS i`);
    still = await startTributary({ TRIBUTARY_SECRET_TEST: database.password });
    await connect(still, database);
    graph = neo4j.driver(servers.neo4j.uri, neo4j.auth.basic(servers.neo4j.user, servers.neo4j.password));
    holder = new Client({ connectionString: database.url });
    await holder.connect();
  }, 300_000);
  afterAll(async () => {
    goOn();
    await holder?.end();
    await graph?.close();
    await still?.stop();
    await other?.stop();
    await database?.drop();
  });

  const sessions = (condition: string) =>
    database.query<{ application_name: string }>(
      `SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'tributary%' AND ${condition}`,
    );

  /** The server and its processes. @returns the one that executes the run, which was forked before the one that waits for the next */
  const standStill = async ({ pid }: Tributary) => {
    process.kill(pid, 'SIGSTOP');
    stopped.push(pid);
    const children = (await childrenOf(pid)).map((child) => child.pid);
    for (const child of children) process.kill(child, 'SIGSTOP');
    stopped.unshift(...children);
    return Math.min(...children);
  };
  const goOn = () => {
    for (const pid of stopped.splice(0)) process.kill(pid, 'SIGCONT');
  };

  it.each([
    { mode: 'append', load: '{mode: append}', before: 0, written: 5000 },
    { mode: 'upsert', load: '{mode: upsert, key: [id]}', before: 100, written: 5000 },
    { mode: 'overwrite', load: '{mode: overwrite}', before: 100, written: 5100 },
  ])(
    'is fenced in an $mode: another one loads every row once, although the first one holds the table, and its late result is refused',
    async ({ mode, load, before, written }) => {
      await database.query(`CREATE TABLE ${mode}_target (id integer ${mode === 'upsert' ? 'PRIMARY KEY' : ''}, name text)`);
      await database.query(`INSERT INTO ${mode}_target SELECT i, 'old' FROM generate_series(1, ${before}) AS i`);
      const key = await savePipeline(
        still,
        `{version: 1, name: zombie_${mode}, namespace: ${database.name}, inputs: {rows: {connection: ${database.name}, stream: source}},
        outputs: [{from: rows, connection: ${database.name}, stream: ${mode}_target, load: ${load}}]}`,
      );
      await holder.query(`BEGIN; LOCK TABLE ${mode}_target IN ACCESS EXCLUSIVE MODE`);
      const id = await startRun(still, key);
      await eventually('the load waits for the table', async () => (await sessions("wait_event_type = 'Lock' AND application_name LIKE '%/0/%'")).length > 0);
      const executing = await standStill(still);
      // Nobody waits for the table any more: the session of the process that stands still gets it, and keeps it.
      await holder.query('ROLLBACK');
      await eventually('it holds the table', async () => (await sessions("state = 'idle in transaction' AND application_name LIKE '%/0/%'")).length > 0);
      await graph.executeQuery('MATCH (run:Run {id: $id}) SET run.leaseUntil = datetime.realtime()', { id });
      other = await startTributary({ TRIBUTARY_SECRET_TEST: database.password });
      expect(await other.finishedRun(id)).toMatchObject({ state: 'COMPLETE', attempt: 2, metrics: { rowsWritten: written } });
      // Whatever the first one still wrote would show: as an old name, or as a row too many.
      const { length: renamed } = await database.query(`UPDATE ${mode}_target SET name = 'since then' WHERE name = 'row ' || id RETURNING id`);
      expect(renamed).toBe(5000);
      goOn();
      const refused = /The lease of this run is lost|Another worker has this run/;
      const zombie = still;
      await eventually('its late result is refused', async () => refused.test(await readFile(join(zombie.stateFolder, 'server.log'), 'utf8')));
      await eventually('its process is gone', async () => !(await childrenOf(zombie.pid)).some(({ pid }) => pid === executing));
      expect(await other.finishedRun(id)).toMatchObject({ state: 'COMPLETE', attempt: 2, error: null });
      expect(
        await database.query(
          `SELECT count(*)::int AS rows, count(DISTINCT id)::int AS ids, count(*) FILTER (WHERE name = 'since then')::int AS kept FROM ${mode}_target`,
        ),
      ).toEqual([{ rows: 5000, ids: 5000, kept: 5000 }]);
      expect(await database.query(`SELECT attempt FROM _tributary_loads WHERE output LIKE '%${mode}_target'`)).toEqual([{ attempt: 2 }]);
      await zombie.stop();
      still = other;
      other = null;
    },
    120_000,
  );
});
