import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { eventually } from '../support/eventually.js';
import { connect, type PipelineKey, saveAndRun, savePipeline, secretReference, startRun } from '../support/pipelines.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { startTributary, type Tributary } from '../support/tributary.js';

interface Saved {
  readonly __typename: string;
  readonly issues?: readonly { readonly path: string; readonly message: string }[];
}

interface Checked {
  readonly checkConnection: { readonly ok: boolean; readonly error: { readonly code: string } | null };
}

describe('what goes wrong is said', () => {
  let database: TestDatabase;
  let tributary: Tributary;
  let holder: Client;

  beforeAll(async () => {
    database = await createDatabase('failures');
    await database.query(`CREATE TABLE source AS SELECT i AS id, 'row ' || i AS name, interval '1 day' AS span FROM generate_series(1, 2000) AS i`);
    tributary = await startTributary({ TRIBUTARY_SECRET_TEST: database.password });
    await connect(tributary, database);
    holder = new Client({ connectionString: database.url });
    await holder.connect();
  });
  afterAll(async () => {
    await holder?.end();
    await tributary?.stop();
    await database?.drop();
  });
  beforeEach(async () => {
    await database.query('DROP TABLE IF EXISTS target');
    await database.query(`CREATE TABLE target AS SELECT 0 AS id, 'before' AS name`);
    await database.query('ALTER TABLE target ADD PRIMARY KEY (id)');
  });

  const document = (name: string, { columns = '{id: id, name: upper(name)}', stream = 'target', limits = '', extra = '' } = {}) =>
    `{version: 1, name: ${name}, namespace: ${database.name}, inputs: {rows: {connection: ${database.name}, stream: source}},
      steps: [{id: result, map: {from: rows, columns: ${columns}}}${extra}],
      outputs: [{from: result, connection: ${database.name}, stream: ${stream}, load: {mode: upsert, key: [id]}}]${limits}}`;
  const save = async (spec: string): Promise<Saved> =>
    (
      await tributary.ask<{ savePipeline: Saved }>(
        'mutation ($spec: JSON!) { savePipeline(spec: $spec) { __typename ... on InvalidSpec { issues { path message } } } }',
        {
          spec,
        },
      )
    ).savePipeline;
  const exists = async (name: string) =>
    (await tributary.ask<{ pipeline: unknown }>('query ($key: JobKey!) { pipeline(key: $key) { id } }', { key: { namespace: database.name, name } }))
      .pipeline !== null;
  const waiting = () =>
    database
      .query(`SELECT pid FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock' AND application_name LIKE 'tributary%'`, [database.name])
      .then((rows) => rows.length > 0);
  const noneLeft = () =>
    database
      .query(`SELECT pid FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE 'tributary%'`, [database.name])
      .then((rows) => rows.length === 0);
  const untouched = async () => expect(await database.query('SELECT * FROM target')).toEqual([{ id: 0, name: 'before' }]);

  describe('in a document, with a path and a sentence for each problem, and nothing saved', () => {
    const cases: readonly [string, () => string, string, RegExp][] = [
      ['a step of an unknown kind', () => document('bad', { extra: ', {id: more, shuffle: {from: rows}}' }), 'steps[1]', /"shuffle"/],
      ['a key that is not built yet', () => document('bad', { limits: ', schedule: {cron: "* * * * *"}' }), 'schedule', /"schedule" is not a key/],
      ['a column that does not exist', () => document('bad', { columns: '{id: id, name: nam}' }), 'steps[0].map.columns.name', /no column "nam"/],
      [
        'an expression that does not bind',
        () => document('bad', { columns: '{id: id, name: "id + name"}' }),
        'steps[0].map.columns.name',
        /\+\(INTEGER, VARCHAR\)|Could not convert|No function matches/,
      ],
      [
        'an expression that reads a file',
        () => document('bad', { columns: `{id: id, name: "(SELECT content FROM read_text('/etc/passwd'))"}` }),
        'steps[0].map.columns.name',
        /subquery/,
      ],
      [
        'a type without an exact conversion',
        () => document('bad', { columns: '{id: id, name: "span * 2"}' }),
        'steps[0].map.columns.name',
        /interval, which has no exact form/,
      ],
      ['two steps of one name', () => document('bad', { extra: ', {id: Result, filter: {from: rows, where: "true"}}' }), 'steps[1].id', /name of another/],
      [
        'a cycle',
        () => document('bad', { extra: ', {id: a, filter: {from: b, where: "true"}}, {id: b, filter: {from: a, where: "true"}}' }),
        'steps[1]',
        /reads its own result/,
      ],
      ['a destination table that does not fit', () => document('bad', { columns: '{id: id, name: name, more: id}' }), 'outputs[0].stream', /no column "more"/],
      ['a missing table', () => document('bad').replace('stream: source', 'stream: sauce'), 'inputs.rows.stream', /sauce/],
      [
        'an unknown connection',
        () => document('bad').replace(`connection: ${database.name}, stream: source`, 'connection: nowhere, stream: source'),
        'inputs.rows.connection',
        /nowhere/,
      ],
    ];
    it.each(cases)('%s', async (_title, spec, path, message) => {
      const saved = await save(spec());
      expect(saved.__typename).toBe('InvalidSpec');
      expect(saved.issues?.map((issue) => issue.path)).toContain(path);
      expect(saved.issues?.find((issue) => issue.path === path)?.message).toMatch(message);
      expect(await exists('bad')).toBe(false);
    });
  });

  it('at a source that is down: CONNECTION_FAILED, and nothing saved', async () => {
    const config = { host: '127.0.0.1', port: 1, database: 'none', user: 'none', password: secretReference('TRIBUTARY_SECRET_TEST') };
    await tributary.ask('mutation ($name: String!, $config: JSON!) { createConnection(name: $name, kind: "postgres", config: $config) { id } }', {
      name: `${database.name}_down`,
      config,
    });
    const spec = document('down').replace(`connection: ${database.name}, stream: source`, `connection: ${database.name}_down, stream: source`);
    const answer = await tributary.send('mutation ($spec: JSON!) { savePipeline(spec: $spec) { __typename } }', { spec });
    expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual(['CONNECTION_FAILED']);
    expect(await exists('down')).toBe(false);
  });

  it('at a wrong password: ACCESS_DENIED from checkConnection', async () => {
    const { checkConnection } = await tributary.ask<Checked>('mutation ($name: String!) { checkConnection(name: $name) { ok error { code message } } }', {
      name: database.name,
    });
    expect(checkConnection).toEqual({ ok: true, error: null });
    const config = {
      host: database.host,
      port: database.port,
      database: database.name,
      user: database.user,
      password: secretReference('TRIBUTARY_SECRET_WRONG'),
    };
    const wrong = await startTributary({ TRIBUTARY_SECRET_WRONG: 'not the password' });
    try {
      await wrong.ask('mutation ($name: String!, $config: JSON!) { createConnection(name: $name, kind: "postgres", config: $config) { id } }', {
        name: `${database.name}_wrong`,
        config,
      });
      const answer = await wrong.ask<Checked>('mutation ($name: String!) { checkConnection(name: $name) { ok error { code message } } }', {
        name: `${database.name}_wrong`,
      });
      expect(answer.checkConnection).toMatchObject({ ok: false, error: { code: 'ACCESS_DENIED' } });
      expect(JSON.stringify(answer)).not.toContain('not the password');
    } finally {
      await wrong.stop();
    }
  });

  const fails = async (key: PipelineKey, expected: { code: string; message: RegExp }): Promise<void> => {
    const run = await tributary.finishedRun(await startRun(tributary, key));
    expect(run).toMatchObject({ state: 'FAIL', error: { code: expected.code } });
    expect(run.error?.message).toMatch(expected.message);
  };

  it('in a run whose source table has gone: STREAM_NOT_FOUND', async () => {
    await database.query('CREATE TABLE passing AS SELECT * FROM source');
    const key = await savePipeline(tributary, document('passing').replace('stream: source', 'stream: passing'));
    await database.query('DROP TABLE passing');
    await fails(key, { code: 'STREAM_NOT_FOUND', message: /no table or view public\.passing|passing/ });
    await untouched();
  });

  it('in a run whose destination has changed: DESTINATION_MISMATCH', async () => {
    const key = await savePipeline(tributary, document('mismatch'));
    await database.query('ALTER TABLE target ALTER COLUMN name TYPE varchar(3) USING left(name, 3)');
    await fails(key, { code: 'DESTINATION_MISMATCH', message: /column "name" is character varying\(3\) and cannot hold every text/ });
    expect(await database.query('SELECT * FROM target')).toEqual([{ id: 0, name: 'bef' }]);
  });

  it('in a run with a value that cannot be computed: step, column and row', async () => {
    const key = await savePipeline(
      tributary,
      document('uncomputable', { columns: `{id: id, name: "CAST(CAST(CASE WHEN id = 1234 THEN 'x' ELSE '1' END AS INTEGER) AS VARCHAR)"}` }),
    );
    await fails(key, { code: 'EXPRESSION_FAILED', message: /Step "result", column "name", row 1234: Could not convert string 'x'/ });
    await untouched();
  });

  it('in a run whose connection is cut while it loads: DESTINATION_FAILED, the destination as before', async () => {
    const key = await savePipeline(tributary, document('cut'));
    await holder.query('BEGIN; LOCK TABLE target IN ACCESS EXCLUSIVE MODE');
    const id = await startRun(tributary, key);
    await eventually('the load waits for the table', waiting);
    await holder.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database.name}' AND wait_event_type = 'Lock'`);
    await holder.query('ROLLBACK');
    expect(await tributary.finishedRun(id)).toMatchObject({ state: 'FAIL', error: { code: 'DESTINATION_FAILED' } });
    await untouched();
  });

  it('in a run that takes too long: RUN_TIMED_OUT, and no session is left', async () => {
    const key = await savePipeline(tributary, document('slow', { limits: ', limits: {timeout: PT2S}' }));
    await holder.query('BEGIN; LOCK TABLE target IN ACCESS EXCLUSIVE MODE');
    const run = await tributary.finishedRun(await startRun(tributary, key));
    expect(run).toMatchObject({ state: 'FAIL', error: { code: 'RUN_TIMED_OUT' } });
    await eventually('its sessions are gone', noneLeft);
    await holder.query('ROLLBACK');
    await untouched();
  });

  it.each(['extract', 'transform', 'load'])('in a run that is cancelled while it is in %s: ABORT, the destination as before', async (stage) => {
    const columns = stage === 'transform' ? '{id: id, name: "CAST(list_sum(list_transform(range(30000000), lambda x: x * id)) AS VARCHAR)"}' : undefined;
    const key = await savePipeline(tributary, document(`cancelled_${stage}`, columns === undefined ? {} : { columns }));
    const locked = { extract: 'source', load: 'target', transform: null }[stage];
    if (locked) await holder.query(`BEGIN; LOCK TABLE ${locked} IN ACCESS EXCLUSIVE MODE`);
    const id = await startRun(tributary, key);
    if (locked) await eventually('the run waits for the table', waiting);
    else
      await eventually(
        'the run reads',
        async () => (await tributary.ask<{ run: { state: string } }>('query ($id: ID!) { run(id: $id) { state } }', { id })).run.state === 'RUNNING',
      );
    await tributary.ask('mutation ($id: ID!) { cancelRun(run: $id) { __typename } }', { id });
    expect(await tributary.finishedRun(id)).toMatchObject({ state: 'ABORT' });
    await eventually('its sessions are gone', noneLeft);
    if (locked) await holder.query('ROLLBACK');
    await untouched();
  });

  it('in a run that needs more memory than it may have: MEMORY_LIMIT, and the server is still there', async () => {
    const key = await savePipeline(
      tributary,
      document('hungry', { columns: '{id: id, name: "repeat(name, 20000000)"}', limits: ', limits: {memory: 192MiB}' }),
    );
    await fails(key, { code: 'MEMORY_LIMIT', message: /limits\.memory/ });
    await untouched();
    expect(await saveAndRun(tributary, document('modest'))).toMatchObject({ state: 'COMPLETE' });
  });
});
