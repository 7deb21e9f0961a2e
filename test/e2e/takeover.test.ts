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
  let still: Tributary;
  let other: Tributary;
  let graph: Driver;
  let holder: Client;

  beforeAll(async () => {
    database = await createDatabase('takeover');
    await database.query(`CREATE TABLE source AS SELECT i AS id, 'row ' || i AS name FROM generate_series(1, 5000) AS i`);
    await database.query('CREATE TABLE target (id integer, name text)');
    still = await startTributary({ TRIBUTARY_SECRET_TEST: database.password });
    await connect(still, database);
    graph = neo4j.driver(servers.neo4j.uri, neo4j.auth.basic(servers.neo4j.user, servers.neo4j.password));
    holder = new Client({ connectionString: database.url });
    await holder.connect();
  }, 300_000);
  afterAll(async () => {
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

  it('is fenced: another one loads every row once, although the first one holds the table, and its late result is refused', async () => {
    const key = await savePipeline(
      still,
      `{version: 1, name: zombie, namespace: ${database.name}, inputs: {rows: {connection: ${database.name}, stream: source}},
        outputs: [{from: rows, connection: ${database.name}, stream: target, load: {mode: append}}]}`,
    );
    await holder.query('BEGIN; LOCK TABLE target IN ACCESS EXCLUSIVE MODE');
    const id = await startRun(still, key);
    await eventually('the load waits for the table', async () => (await sessions("wait_event_type = 'Lock'")).length > 0);
    const children = (await childrenOf(still.pid)).map(({ pid }) => pid);
    for (const pid of [still.pid, ...children]) process.kill(pid, 'SIGSTOP');
    // Nobody waits for the table any more: the session of the process that stands still gets it, and keeps it.
    await holder.query('ROLLBACK');
    await eventually('it holds the table', async () => (await sessions("state = 'idle in transaction' AND application_name LIKE '%/0/%'")).length > 0);
    await graph.executeQuery('MATCH (run:Run {id: $id}) SET run.leaseUntil = datetime.realtime()', { id });
    other = await startTributary({ TRIBUTARY_SECRET_TEST: database.password });
    expect(await other.finishedRun(id)).toMatchObject({ state: 'COMPLETE', attempt: 2, metrics: { rowsWritten: 5000 } });
    for (const pid of [...children, still.pid]) process.kill(pid, 'SIGCONT');
    const refused = /The lease of this run is lost|Another worker has this run/;
    await eventually('its late result is refused', async () => refused.test(await readFile(join(still.stateFolder, 'server.log'), 'utf8')));
    await eventually('its processes are gone', async () => !(await childrenOf(still.pid)).some(({ pid }) => children.includes(pid)));
    expect(await other.finishedRun(id)).toMatchObject({ state: 'COMPLETE', attempt: 2, error: null });
    expect(await database.query('SELECT count(*)::int AS rows, count(DISTINCT id)::int AS ids FROM target')).toEqual([{ rows: 5000, ids: 5000 }]);
    expect(await database.query('SELECT attempt FROM _tributary_loads')).toEqual([{ attempt: 2 }]);
  });
});
