import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MongoClient } from 'mongodb';
import neo4j, { type Driver } from 'neo4j-driver';
import { Client } from 'pg';
import { eventually } from '../support/eventually.js';
import { connect, type PipelineKey, savePipeline, startRun } from '../support/pipelines.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { servers } from '../support/servers.js';
import { makeStateFolder, startInVain, startTributary, type Tributary } from '../support/tributary.js';
import { assertWholeRuns, cursorsOf, eventsOf, follow, followUntilCut, seenEnds, untilAllFollow } from './followed-runs.js';

let database: TestDatabase;
let graph: Driver;

beforeAll(async () => {
  database = await createDatabase('processes');
  await database.query(`CREATE TABLE source AS SELECT i AS id, 'row ' || i AS name FROM generate_series(1, 1000) AS i`);
  await database.query('CREATE VIEW slow AS SELECT id, name FROM source CROSS JOIN (SELECT pg_sleep(1)) AS pause');
  await database.query('CREATE VIEW endless AS SELECT id, name FROM source CROSS JOIN (SELECT pg_sleep(3600)) AS pause');
  graph = neo4j.driver(servers.neo4j.uri, neo4j.auth.basic(servers.neo4j.user, servers.neo4j.password));
});
afterAll(async () => {
  await graph?.close();
  await database?.drop();
});

const save = (api: Tributary, name: string, stream: string): Promise<PipelineKey> =>
  savePipeline(
    api,
    `{version: 1, name: ${name}, namespace: ${database.name}, inputs: {rows: {connection: ${database.name}, stream: ${stream}}},
      steps: [{id: result, map: {from: rows, columns: {id: id, name: upper(name)}}}],
      outputs: [{from: result, connection: ${database.name}, stream: ${name}, load: {mode: append}}]}`,
  );
const ask = async (cypher: string, parameters: Record<string, unknown>) =>
  (await graph.executeQuery(cypher, parameters)).records.map((record) => record.toObject());
const reached = (api: Tributary, id: string, wanted: string) =>
  eventually(
    `run ${id} is ${wanted}`,
    async () => (await api.ask<{ run: { state: string } }>('query ($id: ID!) { run(id: $id) { state } }', { id })).run.state === wanted,
  );
const workerOf = async (id: string): Promise<string> => (await ask('MATCH (r:Run {id: $id}) RETURN r.worker AS worker', { id }))[0]?.['worker'] as string;
const nameOf = (tributary: Tributary): string => /Worker +ready in [\d.]+ s \(([^)]+)\)/.exec(tributary.output())?.[1] ?? '';

describe('two APIs and two workers on one state folder', () => {
  let folder: string;
  let apis: Tributary[];
  let workers: Tributary[];
  const start = (only: 'api' | 'worker') =>
    startTributary({ TRIBUTARY_SECRET_TEST: database.password, TRIBUTARY_RUNS_AT_ONCE: '1' }, { only, stateFolder: folder });

  beforeAll(async () => {
    folder = await makeStateFolder();
    // At once: which of them owns the folder is not given.
    [apis, workers] = await Promise.all([Promise.all([start('api'), start('api')]), Promise.all([start('worker'), start('worker')])]);
    await connect(apis[0] as Tributary, database);
  }, 120_000);
  afterAll(async () => {
    await Promise.all([...(apis ?? []), ...(workers ?? [])].map((each) => each.stop()));
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  it('executes the runs that both APIs take, each once, in both workers, and shows them live at both APIs', async () => {
    const [one, other] = apis as [Tributary, Tributary];
    const names = ['one', 'two', 'three', 'four', 'five', 'six'];
    const [atOne, atOther, cut] = [follow(one), follow(other), followUntilCut(one, names, 12)];
    const sign = await save(one, 'sign', 'source');
    await untilAllFollow([atOne, atOther, cut], async () => one.finishedRun(await startRun(one, sign)));
    const started = await Promise.all(
      names.map(async (name, index) => {
        const api = apis[index % 2] as Tributary;
        return { name, api, id: await startRun(api, await save(api, name, 'slow')) };
      }),
    );
    const ids = started.map(({ id }) => id);
    expect(await cut.ended()).toMatchObject({ code: 1006 });
    const resumed = follow(other, cut.events.at(-1)?.cursor);
    for (const { name, api, id } of started) {
      expect(await api.finishedRun(id)).toMatchObject({ state: 'COMPLETE', attempt: 1, metrics: { rowsWritten: 1000 } });
      expect(await database.query(`SELECT count(*)::int AS rows FROM ${name}`)).toEqual([{ rows: 1000 }]);
    }
    const [loads] = await database.query<{ runs: string[] }>('SELECT array_agg(run_id) AS runs FROM _tributary_loads WHERE run_id = ANY($1)', [ids]);
    expect(loads?.runs.sort()).toEqual([...ids].sort());
    expect([...new Set(await Promise.all(ids.map(workerOf)))].sort()).toEqual(workers.map(nameOf).sort());

    const events = await seenEnds(atOne, names);
    assertWholeRuns(events, ids);
    expect(cursorsOf(await seenEnds(atOther, names))).toEqual(cursorsOf(events));
    await eventually('the last event comes to the one that was cut', async () => eventsOf(resumed, names).at(-1)?.cursor === events.at(-1)?.cursor);
    expect(eventsOf(resumed, names).length).toBeGreaterThan(6);
    expect([...eventsOf(cut, names), ...eventsOf(resumed, names)].map(({ cursor }) => cursor)).toEqual(cursorsOf(events));
    await Promise.all([atOne, atOther, resumed].map((subscriber) => subscriber.close()));
  });

  it('ends a run in a worker that is asked to end at an API', async () => {
    const [first, second] = apis as [Tributary, Tributary];
    const id = await startRun(first, await save(first, 'cancelled', 'endless'));
    await reached(first, id, 'RUNNING');
    await second.ask('mutation ($id: ID!) { cancelRun(run: $id) { __typename } }', { id });
    await eventually('it has ended', async () => (await first.finishedRun(id)).state === 'ABORT', 10_000);
  });

  it('leaves running runs and their folders alone when a further worker starts and stops', async () => {
    const [api] = apis as [Tributary, Tributary];
    const id = await startRun(api, await save(api, 'undisturbed', 'endless'));
    await reached(api, id, 'RUNNING');
    const worker = await workerOf(id);
    const runFolders = async () => (await readdir(join(folder, 'runs'), { recursive: true })).filter((path) => path.endsWith(join(worker, `${id}-1`)));
    await eventually('the run has a folder', async () => (await runFolders()).length === 1);
    const further = await start('worker');
    expect(await runFolders()).toHaveLength(1);
    await further.kill('SIGTERM');
    expect(await further.ended).toBe(0);
    expect(await ask('MATCH (r:Run {id: $id}) RETURN r.state AS state, toInteger(r.attempt) = 1 AS first', { id })).toEqual([
      { state: 'RUNNING', first: true },
    ]);
    await api.ask('mutation ($id: ID!) { cancelRun(run: $id) { __typename } }', { id });
    expect(await api.finishedRun(id)).toMatchObject({ state: 'ABORT', attempt: 1 });
  });

  it('takes over the run of a worker that is killed, once its lease has passed', async () => {
    const [api] = apis as [Tributary, Tributary];
    await database.query('CREATE TABLE taken_over (id integer PRIMARY KEY, name text)');
    const holder = new Client({ connectionString: database.url });
    holder.on('error', () => undefined);
    await holder.connect();
    await holder.query('BEGIN; LOCK TABLE taken_over IN ACCESS EXCLUSIVE MODE');
    const id = await startRun(api, await save(api, 'taken_over', 'source'));
    await reached(api, id, 'RUNNING');
    const name = await workerOf(id);
    const victim = workers.find((each) => nameOf(each) === name) as Tributary;
    await victim.kill('SIGKILL');
    await holder.query('ROLLBACK');
    await holder.end();
    // As if a minute had gone by.
    await ask("MATCH (r:Run {id: $id}) SET r.leaseUntil = datetime.realtime() - duration('PT1S')", { id });
    expect(await api.finishedRun(id)).toMatchObject({ state: 'COMPLETE', attempt: 2, metrics: { rowsWritten: 1000 } });
    expect(await workerOf(id)).toBe(nameOf(workers.find((each) => each !== victim) as Tributary));
    expect(await database.query('SELECT count(*)::int AS rows FROM taken_over')).toEqual([{ rows: 1000 }]);
    workers = [...workers.filter((each) => each !== victim), await start('worker')];
    expect((await readdir(join(folder, 'runs'), { recursive: true })).filter((path) => path.includes(name))).toEqual([]);
  }, 90_000);

  it('queues a run and a wake-up task without any worker, and executes it when one comes', async () => {
    const [api] = apis as [Tributary, Tributary];
    await Promise.all(workers.map((worker) => worker.kill('SIGTERM')));
    expect(await Promise.all(workers.map((worker) => worker.ended))).toEqual([0, 0]);
    const id = await startRun(api, await save(api, 'waiting', 'source'));
    expect(await ask('MATCH (r:Run {id: $id}) RETURN r.state AS state', { id })).toEqual([{ state: 'QUEUED' }]);
    const documents = await MongoClient.connect(servers.mongodb.uri);
    const tasks = () => documents.db().collection('tasks').countDocuments({ name: 'runs.wake' });
    await eventually('the API has stored a task, and takes none itself', async () => (await tasks()) > 0);
    workers = [await start('worker')];
    expect(await api.finishedRun(id)).toMatchObject({ state: 'COMPLETE', attempt: 1 });
    await eventually('the worker has taken the task', async () => (await tasks()) === 0);
    await documents.close();
  });

  it('refuses a second API on one port, and a whole server beside them', async () => {
    const [api] = apis as [Tributary, Tributary];
    const port = new URL(api.url).port;
    const second = await startInVain({ TRIBUTARY_STATE: folder, PORT: port }, ['--only', 'api']);
    expect(second).toEqual({
      status: 1,
      output: expect.stringContaining(`Port ${port} is in use by another program. Stop that program, or set PORT to another port.`),
    });
    const whole = await startInVain({ TRIBUTARY_STATE: folder });
    expect(whole).toEqual({
      status: 1,
      output: expect.stringMatching(/process \d+, started with --only (api|worker), owns this state folder\. Stop that one first/),
    });
  });

  it('stops every process cleanly and leaves no member and no folder of runs', async () => {
    await Promise.all([...apis, ...workers].map((each) => each.kill('SIGTERM')));
    expect(await Promise.all([...apis, ...workers].map((each) => each.ended))).toEqual([0, 0, 0]);
    for (const each of [...apis, ...workers]) expect(each.output()).not.toContain('did not stop');
    expect(await readdir(join(folder, 'members'))).toEqual([]);
    expect(await readdir(join(folder, 'runs'))).toEqual([]);
    expect(await readdir(folder)).not.toContain('lock.json');
  });
});

describe('processes that join the servers of the first', () => {
  let folder: string;
  const started: Tributary[] = [];
  const own = { MONGODB_URI: '', TRIBUTARY_MONGODB: 'emulator' };
  const start = async (only: 'api' | 'worker') => {
    const process = await startTributary({ ...own, TRIBUTARY_SECRET_TEST: database.password }, { only, stateFolder: folder });
    started.push(process);
    return process;
  };

  beforeAll(async () => {
    folder = await makeStateFolder();
  });
  afterAll(async () => {
    await Promise.all(started.map((each) => each.kill('SIGKILL')));
    // Stops what a killed owner left.
    const last = await startTributary(own, { only: 'worker', stateFolder: folder });
    await last.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('wait for it, use its MongoDB, and end with it before it stops its servers', async () => {
    const [one, other] = await Promise.all([start('api'), start('worker')]);
    const [owner, joined] = one?.output().includes('emulator') ? [one, other] : [other, one];
    expect(joined?.output()).toContain(`those of process ${owner?.pid}`);
    const api = one;
    await connectOnce(api);
    expect(await api.finishedRun(await startRun(api, await save(api, 'joined', 'source')))).toMatchObject({ state: 'COMPLETE', attempt: 1 });
    await owner?.kill('SIGTERM');
    expect([await owner?.ended, await joined?.ended]).toEqual([0, 1]);
    expect(joined?.output()).toContain(`process ${owner?.pid}, whose servers this one uses, has stopped. Start that one first, then this one again.`);
    for (const each of [owner, joined]) expect(each?.output()).not.toMatch(/did not stop|MongoDB was ended/);
  });

  it('end by themselves when it is killed, and the next start takes the folder over', async () => {
    const owner = await start('api');
    const joined = await start('worker');
    await owner.kill('SIGKILL');
    expect(await joined.ended).toBe(1);
    const next = await start('api');
    expect(next.output()).toMatch(/MongoDB +ready in/);
    await next.kill('SIGTERM');
    expect(await next.ended).toBe(0);
  });

  it('are refused when it was given a server that they were not given', async () => {
    const other = await makeStateFolder();
    const owner = await startTributary({}, { only: 'worker', stateFolder: other });
    const refused = await startInVain({ ...own, TRIBUTARY_STATE: other }, ['--only', 'worker']);
    expect(refused).toEqual({
      status: 1,
      output: expect.stringContaining(`process ${owner.pid}, which owns this state folder, was given MONGODB_URI. Set it for this process too`),
    });
    await owner.stop();
    await rm(other, { recursive: true, force: true });
  });

  const connectOnce = async (api: Tributary): Promise<void> => {
    const { connections } = await api.ask<{ connections: { name: string }[] }>('{ connections { name } }');
    if (!connections.some(({ name }) => name === database.name)) await connect(api, database);
  };
});

describe('the program', () => {
  it('refuses an argument that it does not know, with its usage and exit status 2', async () => {
    expect(await startInVain({}, ['--only', 'scheduler'])).toEqual({
      status: 2,
      output: expect.stringMatching(/^--only must be followed by api or worker, not "scheduler"\.\n\nUsage: npm start/),
    });
  });
});
