import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import neo4j, { type Driver } from 'neo4j-driver';
import { Client } from 'pg';
import { eventually } from '../support/eventually.js';
import { connect, savePipeline, startRun } from '../support/pipelines.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { childrenOf, processes } from '../support/processes.js';
import { servers } from '../support/servers.js';
import { startTributary, type Tributary } from '../support/tributary.js';

describe('a server that is killed', () => {
  let database: TestDatabase;
  let tributary: Tributary;
  let graph: Driver;
  let holder: Client;

  beforeAll(async () => {
    database = await createDatabase('crash');
    await database.query(`CREATE TABLE source AS SELECT i AS id, 'row ' || i AS name FROM generate_series(1, 5000) AS i`);
    await database.query('CREATE TABLE target (id integer PRIMARY KEY, name text)');
    tributary = await startTributary({ TRIBUTARY_SECRET_TEST: database.password });
    await connect(tributary, database);
    graph = neo4j.driver(servers.neo4j.uri, neo4j.auth.basic(servers.neo4j.user, servers.neo4j.password));
    holder = new Client({ connectionString: database.url });
    await holder.connect();
  });
  afterAll(async () => {
    await holder?.end();
    await graph?.close();
    await tributary?.stop();
    await database?.drop();
  });

  const pipeline = (name: string, mode: string) =>
    savePipeline(
      tributary,
      `{version: 1, name: ${name}, namespace: ${database.name}, inputs: {rows: {connection: ${database.name}, stream: source}},
        steps: [{id: result, map: {from: rows, columns: {id: id, name: upper(name)}}}],
        outputs: [{from: result, connection: ${database.name}, stream: target, load: ${mode}}]}`,
    );
  const waiting = () =>
    database
      .query<{ pid: number }>(`SELECT pid FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock' AND application_name LIKE 'tributary%'`, [
        database.name,
      ])
      .then((rows) => rows[0]?.pid ?? null);
  const loads = () => database.query<{ attempt: number; inserted: number }>('SELECT attempt, inserted::int FROM _tributary_loads ORDER BY committed_at');

  it('in the middle of a load: the run is taken up again at the next start and loads every row once', async () => {
    const key = await pipeline('in_the_middle', '{mode: append}');
    await holder.query('BEGIN; LOCK TABLE target IN ACCESS EXCLUSIVE MODE');
    const id = await startRun(tributary, key);
    await eventually('the load waits for the table', waiting);
    await tributary.kill('SIGKILL');
    await eventually('the killed run lets go of the table', async () => (await waiting()) === null);
    await holder.query('ROLLBACK');
    expect(await database.query('SELECT count(*)::int AS rows FROM target')).toEqual([{ rows: 0 }]);
    tributary = await tributary.restart();
    expect(await tributary.finishedRun(id)).toMatchObject({ state: 'COMPLETE', attempt: 2, metrics: { rowsWritten: 5000 } });
    expect(await database.query('SELECT count(*)::int AS rows, count(DISTINCT id)::int AS ids, min(name) AS first FROM target')).toEqual([
      { rows: 5000, ids: 5000, first: 'ROW 1' },
    ]);
    expect(await loads()).toEqual([{ attempt: 2, inserted: 5000 }]);
  });

  it('between the commit and its record in the graph: the second attempt finds the load and changes nothing', async () => {
    await database.query('TRUNCATE target, _tributary_loads');
    const key = await pipeline('behind_the_commit', '{mode: append}');
    // Hold the table until the run is claimed, then its node: the run can commit its rows, and cannot say so.
    await holder.query('BEGIN; LOCK TABLE target IN ACCESS EXCLUSIVE MODE');
    const id = await startRun(tributary, key);
    await eventually('the load waits for the table', waiting);
    const session = graph.session();
    const lock = session.beginTransaction();
    await lock.run('MATCH (r:Run {id: $id}) SET r._heldByTest = true', { id });
    await holder.query('ROLLBACK');
    await eventually('the rows are committed', async () => (await loads()).length === 1);
    await tributary.kill('SIGKILL');
    await lock.rollback();
    await session.close();
    tributary = await tributary.restart();
    expect(await tributary.finishedRun(id)).toMatchObject({ state: 'COMPLETE', attempt: 2, metrics: { rowsWritten: 5000 } });
    expect(await database.query('SELECT count(*)::int AS rows FROM target')).toEqual([{ rows: 5000 }]);
    expect(await loads()).toEqual([{ attempt: 1, inserted: 5000 }]);
  });

  it('while a step computes: the process of the run is gone at once, too', async () => {
    await database.query('CREATE TABLE few AS SELECT 1 AS id');
    const key = await savePipeline(
      tributary,
      `{version: 1, name: computing, namespace: ${database.name}, inputs: {rows: {connection: ${database.name}, stream: few}},
        steps: [{id: result, map: {from: rows, columns: {id: id, sum: "CAST(list_sum(list_transform(range(300000000), lambda x: x * id)) AS VARCHAR)"}}}],
        outputs: [{from: result, connection: ${database.name}, stream: sums, load: {mode: append}}], limits: {memory: 16GiB}}`,
    );
    const id = await startRun(tributary, key);
    const child = await eventually('the process of the run computes', async () => {
      // Others wait for a run; loading takes them a second at most.
      const found = (await childrenOf(tributary.pid)).find(({ cpuSeconds }) => cpuSeconds >= 3);
      return found?.pid ?? null;
    });
    await tributary.kill('SIGKILL');
    await eventually('it is gone', async () => !(await processes()).some(({ pid }) => pid === child), 3_000);
    tributary = await tributary.restart();
    await tributary.ask('mutation ($id: ID!) { cancelRun(run: $id) { __typename } }', { id });
    expect(await tributary.finishedRun(id)).toMatchObject({ state: 'ABORT' });
  });

  it('keeps the dead letters of the attempt that committed, and of no other', async () => {
    await database.query(`CREATE TABLE dirty AS SELECT i AS id, CASE WHEN i % 10 = 0 THEN 'x' ELSE i::text END AS amount FROM generate_series(1, 100) AS i`);
    const key = await savePipeline(
      tributary,
      `{version: 1, name: letters, namespace: ${database.name}, inputs: {rows: {connection: ${database.name}, stream: dirty}},
        steps: [{id: typed, cast: {from: rows, columns: {amount: INTEGER}, onError: reject}}],
        outputs: [{from: typed, connection: ${database.name}, stream: clean, load: {mode: upsert, key: [id]}}]}`,
    );
    await database.query('CREATE TABLE clean (id integer PRIMARY KEY, amount integer)');
    await holder.query('BEGIN; LOCK TABLE clean IN ACCESS EXCLUSIVE MODE');
    const id = await startRun(tributary, key);
    await eventually('the load waits for the table', waiting);
    await tributary.kill('SIGKILL');
    await holder.query('ROLLBACK');
    tributary = await tributary.restart();
    expect(await tributary.finishedRun(id)).toMatchObject({ state: 'COMPLETE', attempt: 2, metrics: { rowsWritten: 90, rowsRejected: 10 } });
    const { deadLetters } = await tributary.ask<{
      deadLetters: { totalCount: number; edges: { node: { step: string; code: string; row: unknown; status: string } }[] };
    }>('query ($run: ID!) { deadLetters(run: $run) { totalCount edges { node { step code row status } } } }', { run: id });
    expect(deadLetters.totalCount).toBe(10);
    expect(deadLetters.edges.map(({ node }) => node)).toContainEqual({
      step: 'typed',
      code: 'VALUE_UNCONVERTIBLE',
      row: { id: '10', amount: 'x' },
      status: 'OPEN',
    });
  });
});
