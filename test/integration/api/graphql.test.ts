import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { codesOf, openApi, type WholeApi } from './open-api.js';

let whole: WholeApi;
let namespace: string;
let datasetNamespace: string;

beforeAll(async () => {
  whole = await openApi();
  namespace = whole.database.name;
  datasetNamespace = `postgres://localhost:${whole.database.port}`;
  await whole.database.query('CREATE TABLE orders (id integer PRIMARY KEY, email text, amount numeric(12,2), note xml)');
}, 300_000);
afterAll(() => whole?.close());

const savePipeline = `mutation ($spec: JSON!, $expectedVersion: Int) { savePipeline(spec: $spec, expectedVersion: $expectedVersion) { __typename
  ... on Pipeline { id namespace name version owners kind displayName } ... on Problem { code message } ... on InvalidSpec { issues { path message } } } }`;
const key = (name: string) => ({ namespace, name });

function spec(name: string, changes: object = {}): object {
  return {
    version: 1,
    name,
    namespace,
    owners: ['data-team'],
    inputs: { orders: { connection: whole.connection, stream: 'public.orders' } },
    steps: [
      { id: 'paid', filter: { from: 'orders', where: 'amount > 0' } },
      { id: 'shaped', map: { from: 'paid', columns: { id: 'id', email: 'lower(email)', amount: 'amount' } } },
    ],
    outputs: [{ from: 'shaped', connection: whole.connection, stream: `mart.${name}`, load: { mode: 'upsert', key: ['id'] } }],
    ...changes,
  };
}

async function saved(name: string): Promise<Record<string, unknown>> {
  const { data } = await whole.query(savePipeline, { spec: spec(name) });
  expect(data?.['savePipeline']).toMatchObject({ __typename: 'Pipeline', name });
  return data?.['savePipeline'] as Record<string, unknown>;
}

describe('connections', () => {
  const create =
    'mutation ($name: String!, $config: JSON!, $kind: String = "postgres") { createConnection(name: $name, kind: $kind, config: $config) { id name kind config datasetNamespace createdAt } }';

  it('are made, listed, checked and deleted, and show references instead of secrets', async () => {
    const { host, port, user, name: database } = whole.database;
    const name = `made_${randomUUID().slice(0, 8)}`;
    const config = { host, port, database, user, password: '${env:TRIBUTARY_SECRET_TEST}' };
    const made = await whole.query(create, { name, config });
    expect(made.data?.['createConnection']).toMatchObject({ name, kind: 'postgres', datasetNamespace, config: { password: '${env:TRIBUTARY_SECRET_TEST}' } });
    expect(codesOf(await whole.query(create, { name, config }))).toEqual(['CONFLICT']);
    const listed = await whole.query('{ connections { name config } }');
    expect(JSON.stringify(listed)).toContain(name);
    expect(JSON.stringify(listed)).not.toContain(whole.database.password);
    const check = 'mutation ($name: String!) { checkConnection(name: $name) { ok latencyMs error { code message retryable step } } }';
    expect((await whole.query(check, { name })).data?.['checkConnection']).toMatchObject({ ok: true, error: null });
    const remove = 'mutation ($name: String!) { deleteConnection(name: $name) }';
    expect(await whole.query(remove, { name })).toEqual({ data: { deleteConnection: true } });
    expect(await whole.query(remove, { name })).toEqual({ data: { deleteConnection: false } });
    expect(codesOf(await whole.query(check, { name }))).toEqual(['NOT_FOUND']);
  });

  it.each([
    ['a literal secret', { password: 'hidden-literal' }],
    ['a reference to any variable', { password: '${env:NEO4J_PASSWORD}' }],
    ['an unknown field', { passwort: 'hidden-literal' }],
  ])('with %s are refused without repeating it', async (_case, part) => {
    const answer = await whole.query(create, { name: 'refused', config: { host: 'localhost', port: 5432, database: 'd', user: 'u', ...part } });
    expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
    expect(JSON.stringify(answer)).not.toContain('hidden-literal');
  });

  it.each([null, 5, 'text', ['a']])('with the config %p are refused', async (config) => {
    expect(['BAD_USER_INPUT']).toEqual(codesOf(await whole.query(create, { name: 'refused', config })));
  });

  it('without a known kind are refused', async () => {
    expect(codesOf(await whole.query(create, { name: 'refused', kind: '__proto__', config: {} }))).toEqual(['BAD_USER_INPUT']);
  });

  it('say what is wrong when they cannot be used', async () => {
    const name = `down_${randomUUID().slice(0, 8)}`;
    await whole.query(create, { name, config: { host: 'localhost', port: 1, database: 'd', user: 'u', password: '${env:TRIBUTARY_SECRET_TEST}' } });
    const { data } = await whole.query('mutation ($name: String!) { checkConnection(name: $name) { ok error { code } } }', { name });
    expect(data?.['checkConnection']).toEqual({ ok: false, error: { code: 'CONNECTION_FAILED' } });
    expect(codesOf(await whole.query('query ($name: String!) { discover(connection: $name) { name } }', { name }))).toEqual(['CONNECTION_FAILED']);
  });

  it('show their streams with columns, keys and cursor candidates', async () => {
    const { data } = await whole.query('query ($name: String!) { discover(connection: $name) { name namespace columns primaryKey cursorCandidates } }', {
      name: whole.connection,
    });
    expect(data?.['discover']).toContainEqual(
      expect.objectContaining({
        name: 'public.orders',
        namespace: datasetNamespace,
        primaryKey: ['id'],
        columns: [
          { name: 'id', type: 'integer', nullable: false, ordinal: 1 },
          { name: 'email', type: 'text', nullable: true, ordinal: 2 },
          { name: 'amount', type: 'numeric(12,2)', nullable: true, ordinal: 3 },
          { name: 'note', type: 'xml', nullable: true, ordinal: 4 },
        ],
      }),
    );
  });
});

describe('pipelines', () => {
  it('are saved, got, listed with their versions, and deleted', async () => {
    await saved('whole');
    const changed = await whole.query(savePipeline, { spec: JSON.stringify(spec('whole', { description: 'changed' })), expectedVersion: 1 });
    expect(changed.data?.['savePipeline']).toMatchObject({ version: 2, owners: ['data-team'], kind: 'JOB' });
    const { data } = await whole.query(
      `query ($key: JobKey!) { pipeline(key: $key) { description version spec versions { version createdAt createdBy } inputs { name } outputs { name producers { totalCount edges { node { name } } } } runs { totalCount } } }`,
      { key: key('whole') },
    );
    expect(data?.['pipeline']).toMatchObject({
      description: 'changed',
      version: 2,
      inputs: [{ name: `${namespace}.public.orders` }],
      outputs: [{ name: `${namespace}.mart.whole`, producers: { totalCount: 1, edges: [{ node: { name: 'whole' } }] } }],
      runs: { totalCount: 0 },
    });
    expect((data as { pipeline: { versions: { version: number }[] } }).pipeline.versions.map(({ version }) => version).sort()).toEqual([1, 2]);
    const listed = await whole.query(
      'query ($text: String) { pipelines(text: $text) { totalCount edges { cursor node { name } } pageInfo { hasNextPage endCursor } } }',
      { text: `${namespace}/whole` },
    );
    expect(listed.data?.['pipelines']).toMatchObject({ totalCount: 1, edges: [{ node: { name: 'whole' } }], pageInfo: { hasNextPage: false } });
    const remove = 'mutation ($key: JobKey!) { deletePipeline(key: $key) }';
    expect(await whole.query(remove, { key: key('whole') })).toEqual({ data: { deletePipeline: true } });
    expect(await whole.query(remove, { key: key('whole') })).toEqual({ data: { deletePipeline: false } });
    expect((await whole.query('query ($key: JobKey!) { pipeline(key: $key) { id } }', { key: key('whole') })).data).toEqual({ pipeline: null });
  });

  it('that are wrong come back with path and sentence of every problem', async () => {
    const steps = [
      { id: 'shaped', map: { from: 'orders', columns: { id: 'id', total: 'amuont * 2' } }, more: 1 },
      { id: 'other', sort: {} },
    ];
    const { data } = await whole.query(savePipeline, { spec: spec('wrong', { steps, schedule: { cron: '* * * * *' } }) });
    const found = data?.['savePipeline'] as { __typename: string; code: string; issues: { path: string; message: string }[] };
    expect(found).toMatchObject({ __typename: 'InvalidSpec', code: 'INVALID_SPEC' });
    expect(found.issues.length).toBeGreaterThanOrEqual(3);
    for (const issue of found.issues) expect(issue.message).toMatch(/\w.{10}/);
  });

  it.each([null, 5, [], '', '{', 'a: [', { version: 2 }])('that are no documents (%p) are InvalidSpec', async (document) => {
    const answer = await whole.query(savePipeline, { spec: document });
    if (document === null) expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
    else expect(answer.data?.['savePipeline']).toMatchObject({ __typename: 'InvalidSpec' });
  });

  it('that are saved over another version than expected are a Conflict', async () => {
    await saved('conflicting');
    const answer = await whole.query(savePipeline, { spec: spec('conflicting', { description: 'x' }), expectedVersion: 0 });
    expect(answer.data?.['savePipeline']).toMatchObject({ __typename: 'Conflict', code: 'CONFLICT' });
    expect(codesOf(await whole.query(savePipeline, { spec: spec('conflicting'), expectedVersion: -1 }))).toEqual(['BAD_USER_INPUT']);
  });
});

describe('runs', () => {
  const run = `... on Run { id state trigger attempt kind displayName deletedAt queuedAt startedAt endedAt job { __typename name } metrics { rowsRead durationMs rowsPerSecond } steps { step } error { code } reads { id } writes { id } }
    ... on Problem { __typename code message }`;

  it('are queued, listed and cancelled', async () => {
    await saved('running');
    const started = (await whole.query(`mutation ($key: JobKey!) { startRun(pipeline: $key) { ${run} } }`, { key: key('running') })).data?.['startRun'] as {
      id: string;
      queuedAt: string;
    };
    expect(started).toMatchObject({
      state: 'QUEUED',
      trigger: 'manual',
      attempt: 0,
      kind: 'RUN',
      deletedAt: null,
      job: { __typename: 'Pipeline', name: 'running' },
      metrics: { rowsRead: 0, durationMs: null, rowsPerSecond: null },
      reads: [],
      writes: [],
    });
    const list =
      'query ($job: JobKey, $state: [RunState!], $since: DateTime) { runs(job: $job, state: $state, since: $since) { totalCount edges { node { id kind displayName } } } }';
    expect((await whole.query(list, { job: key('running'), state: ['QUEUED'], since: started.queuedAt })).data?.['runs']).toMatchObject({
      totalCount: 1,
      edges: [{ node: { id: started.id, kind: 'RUN' } }],
    });
    expect((await whole.query(list, { job: key('running'), state: ['FAIL', 'SKIPPED'] })).data?.['runs']).toMatchObject({ totalCount: 0 });
    expect((await whole.query(list, { job: key('running'), since: '2100-01-01T00:00:00Z' })).data?.['runs']).toMatchObject({ totalCount: 0 });
    const cancel = `mutation ($run: ID!) { cancelRun(run: $run) { ${run} } }`;
    expect((await whole.query(cancel, { run: started.id })).data?.['cancelRun']).toMatchObject({ id: started.id, state: 'ABORT' });
    expect((await whole.query(cancel, { run: started.id })).data?.['cancelRun']).toMatchObject({ __typename: 'Conflict', code: 'CONFLICT' });
    expect((await whole.query(cancel, { run: randomUUID() })).data?.['cancelRun']).toMatchObject({ __typename: 'NotFound', code: 'NOT_FOUND' });
    const node = await whole.query('query ($id: ID!) { node(id: $id) { __typename id ... on Run { state displayName } } run(id: $id) { displayName } }', {
      id: started.id,
    });
    expect(node.data).toMatchObject({ node: { __typename: 'Run', id: started.id, state: 'ABORT' } });
    expect((node.data as { run: object; node: object }).run).toEqual({ displayName: (node.data as { node: { displayName: string } }).node.displayName });
  });

  it('are one for one idempotency key, and can be done again when they are FAIL or ABORT', async () => {
    await saved('again');
    const start = 'mutation ($key: JobKey!, $once: String) { startRun(pipeline: $key, idempotencyKey: $once) { ... on Run { id } } }';
    const startOnce = async () => {
      const started = (await whole.query(start, { key: key('again'), once: 'monday' })).data?.['startRun'] as { id: string };
      return started.id;
    };
    const id = await startOnce();
    expect(await startOnce()).toBe(id);
    expect(codesOf(await whole.query(start, { key: key('again'), once: 'x'.repeat(256) }))).toEqual(['BAD_USER_INPUT']);
    const retry = `mutation ($run: ID!) { retryRun(run: $run) { ... on Run { id state trigger notBefore retryOf { id state displayName retryOf { id } } } ... on Problem { __typename code message } } }`;
    expect((await whole.query(retry, { run: id })).data?.['retryRun']).toMatchObject({ __typename: 'Conflict' });
    await whole.query('mutation ($run: ID!) { cancelRun(run: $run) { __typename } }', { run: id });
    const retried = (await whole.query(retry, { run: id })).data?.['retryRun'] as { id: string };
    expect(retried).toMatchObject({ state: 'QUEUED', trigger: 'retry', notBefore: null, retryOf: { id, state: 'ABORT', retryOf: null } });
    expect((await whole.query(retry, { run: randomUUID() })).data?.['retryRun']).toMatchObject({ __typename: 'NotFound' });
    await whole.query('mutation ($run: ID!) { cancelRun(run: $run) { __typename } }', { run: retried.id });
  });

  it('of a pipeline that is not there are NotFound', async () => {
    expect((await whole.query(`mutation ($key: JobKey!) { startRun(pipeline: $key) { ${run} } }`, { key: key('nothing') })).data?.['startRun']).toMatchObject({
      __typename: 'NotFound',
    });
  });
});

describe('datasets, nodes and lineage', () => {
  const orders = () => ({ namespace: datasetNamespace, name: `${namespace}.public.orders` });

  it('of a saved pipeline are there before it has run', async () => {
    await saved('planned');
    const { data } = await whole.query(
      `query ($key: DatasetKey!, $column: ColumnKey!) { dataset(key: $key) { id kind displayName name columns { name type nullable ordinal dataset { name } } versions { totalCount } consumers { edges { node { __typename name } } } }
        column(key: $column) { id name type dataset { name } } }`,
      { key: orders(), column: { namespace: datasetNamespace, dataset: orders().name, name: 'email' } },
    );
    expect(data).toMatchObject({
      dataset: { kind: 'DATASET', name: orders().name },
      column: { name: 'email', type: 'text', dataset: { name: orders().name } },
    });
    expect((data as { dataset: { columns: object[] } }).dataset.columns[1]).toEqual({
      name: 'email',
      type: 'text',
      nullable: true,
      ordinal: 2,
      dataset: { name: orders().name },
    });
    const listed = await whole.query('query ($namespace: String, $text: String) { datasets(namespace: $namespace, text: $text) { totalCount } }', {
      namespace: datasetNamespace,
      text: `${namespace}.mart.planned`,
    });
    expect(listed.data).toEqual({ datasets: { totalCount: 1 } });
  });

  it('are declared until a run says that they are executed', async () => {
    await saved('planned');
    const lineage = `query ($of: [NodeRef!]!, $evidence: [Evidence!], $level: LineageLevel!) { lineage(of: $of, level: $level, filter: {evidence: $evidence}) {
      start { id } revision asOf totalNodes truncated cycles nodes { depth node { __typename displayName ... on Column { name dataset { name } } } } edges { evidence validFrom validTo from { __typename } to { __typename } job { name } lastRun { id } transformations { type subtype expression masking step } } } }`;
    const of = [{ column: { namespace: datasetNamespace, dataset: orders().name, name: 'email' } }];
    expect((await whole.query(lineage, { of, level: 'COLUMN' })).data?.['lineage']).toMatchObject({ totalNodes: 0, edges: [] });
    const declared = (await whole.query(lineage, { of, level: 'COLUMN', evidence: ['DECLARED'] })).data?.['lineage'] as { nodes: object[]; edges: object[] };
    expect(declared.nodes).toContainEqual({
      depth: 1,
      node: { __typename: 'Column', displayName: expect.any(String), name: 'email', dataset: { name: `${namespace}.mart.planned` } },
    });
    expect(declared.edges).toContainEqual(
      expect.objectContaining({
        evidence: 'DECLARED',
        job: { name: 'planned' },
        transformations: [{ type: 'DIRECT', subtype: 'TRANSFORMATION', expression: 'lower(email)', masking: false, step: 'shaped' }],
      }),
    );
  });

  it.each([
    ['two fields in one ref', { of: [{ id: 'ds_1', run: 'x' }] }, 'BAD_USER_INPUT'],
    ['no field in a ref', { of: [{}] }, 'BAD_USER_INPUT'],
    ['a negative maxDepth', { of: [{ id: 'ds_1' }], maxDepth: -1 }, 'BAD_USER_INPUT'],
    ['a maxNodes above 200,000', { of: [{ id: 'ds_1' }], maxNodes: 200_001 }, 'BAD_USER_INPUT'],
    ['a start that is not there', { of: [{ id: 'ds_nothing' }] }, 'NOT_FOUND'],
  ])('refuse %s', async (_case, variables, code) => {
    expect(
      codesOf(
        await whole.query(
          'query ($of: [NodeRef!]!, $maxDepth: Int, $maxNodes: Int) { lineage(of: $of, maxDepth: $maxDepth, maxNodes: $maxNodes) { totalNodes } }',
          variables,
        ),
      ),
    ).toEqual([code]);
  });

  it('take an explicit null for the default', async () => {
    const answer = await whole.query(
      'query ($of: [NodeRef!]!) { lineage(of: $of, maxDepth: null, maxNodes: null, filter: null) { totalNodes } datasets(text: null, first: null, after: null, includeDeleted: null) { pageInfo { hasPreviousPage } } runs(job: null, state: null, since: null, first: null) { pageInfo { hasPreviousPage } } deadLetters(pipeline: null, run: null, status: null, first: null) { totalCount } }',
      { of: [{ dataset: orders() }] },
    );
    expect(answer.errors).toBeUndefined();
  });

  it('are found by every kind of name, and null where there is nothing', async () => {
    const refs = [
      { dataset: orders() },
      { job: key('planned') },
      { run: randomUUID() },
      { id: 'col_nothing' },
      { column: { namespace: 'a', dataset: 'b', name: 'c' } },
    ];
    const { data } = await whole.query('query ($refs: [NodeRef!]!) { resolve(refs: $refs) { __typename id kind } }', { refs });
    expect(data?.['resolve']).toMatchObject([{ __typename: 'Dataset', kind: 'DATASET' }, { __typename: 'Pipeline', kind: 'JOB' }, null, null, null]);
    expect(codesOf(await whole.query('query ($refs: [NodeRef!]!) { resolve(refs: $refs) { id } }', { refs: [{}] }))).toEqual(['BAD_USER_INPUT']);
    expect(
      codesOf(await whole.query('query ($refs: [NodeRef!]!) { resolve(refs: $refs) { id } }', { refs: Array.from({ length: 1001 }, () => ({ id: 'x' })) })),
    ).toEqual(['BAD_USER_INPUT']);
  });
});

describe('dead letters and nodes', () => {
  it('are listed with their run, by pipeline, and found by id', async () => {
    const { id: pipelineId } = await saved('lettered');
    const started = (await whole.query('mutation ($key: JobKey!) { startRun(pipeline: $key) { ... on Run { id } } }', { key: key('lettered') })).data?.[
      'startRun'
    ] as { id: string };
    await whole.query('mutation ($run: ID!) { cancelRun(run: $run) { __typename } }', { run: started.id });
    const loadId = `${started.id}/0/1`;
    const letter = { id: started.id, loadId, stage: 'load', step: 'load', code: 'NULL_KEY', message: 'id is null.', row: { id: null } } as const;
    await whole.services.deadLetters.store({ id: started.id, pipelineId: String(pipelineId) }, 1, [letter], [{ connection: 'any', stream: 'any' }]);
    await whole.services.deadLetters.open(loadId, 1);
    const { data } = await whole.query(
      'query ($pipeline: JobKey) { deadLetters(pipeline: $pipeline, status: OPEN) { totalCount edges { node { id step stage code message row status createdAt run { id state } } } } }',
      { pipeline: key('lettered') },
    );
    expect(data?.['deadLetters']).toMatchObject({
      totalCount: 1,
      edges: [{ node: { stage: 'load', code: 'NULL_KEY', row: { id: null }, status: 'OPEN', run: { id: started.id, state: 'ABORT' } } }],
    });
    const replay =
      'mutation ($pipeline: JobKey!, $ids: [ID!]) { replayDeadLetters(pipeline: $pipeline, ids: $ids) { __typename ... on Problem { code message } } }';
    expect((await whole.query(replay, { pipeline: key('lettered') })).data?.['replayDeadLetters']).toMatchObject({
      __typename: 'Conflict',
      message: expect.stringContaining('does not write any of connection "any"'),
    });
    expect((await whole.query(replay, { pipeline: key('nowhere') })).data?.['replayDeadLetters']).toMatchObject({ __typename: 'NotFound' });
    const discard = 'mutation ($ids: [ID!]!) { discardDeadLetters(ids: $ids) }';
    expect((await whole.query(discard, { ids: [`dl_${started.id}`, 'dl_unknown'] })).data).toEqual({ discardDeadLetters: 1 });
    const tooMany = await whole.query(discard, { ids: Array.from({ length: 1_001 }, String) });
    expect(tooMany.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT' });
    const params = await whole.query('mutation ($key: JobKey!) { startRun(pipeline: $key, params: {since: "x"}) { __typename } }', { key: key('lettered') });
    expect(params.errors?.[0]).toMatchObject({ message: expect.stringContaining('no param "since"'), extensions: { code: 'BAD_USER_INPUT' } });
    await whole.services.deadLetters.store({ id: started.id, pipelineId: String(pipelineId) }, 2, [letter], [{ connection: 'any', stream: 'any' }]);
    await whole.services.deadLetters.open(loadId, 2);
    const none = await whole.query('query ($pipeline: JobKey) { deadLetters(pipeline: $pipeline) { totalCount pageInfo { hasNextPage endCursor } } }', {
      pipeline: key('nothing'),
    });
    expect(none.data).toEqual({ deadLetters: { totalCount: 0, pageInfo: { hasNextPage: false, endCursor: null } } });
    const node = await whole.query('query ($id: ID!) { node(id: $id) { __typename ... on DeadLetter { code } } }', { id: `dl_${started.id}` });
    expect(node.data).toEqual({ node: { __typename: 'DeadLetter', code: 'NULL_KEY' } });
  });

  it('of every type are found by id, and nothing is null', async () => {
    const connections = (await whole.query('{ connections { id name } }')).data?.['connections'] as { id: string; name: string }[];
    const mine = connections.find(({ name }) => name === whole.connection);
    expect((await whole.query('query ($id: ID!) { node(id: $id) { __typename ... on Connection { name } } }', { id: mine?.id })).data).toEqual({
      node: { __typename: 'Connection', name: whole.connection },
    });
    for (const id of ['', 'nothing', 'ds_x', 'dl_x', 'dv_x', '%', randomUUID()]) {
      expect(await whole.query('query ($id: ID!) { node(id: $id) { id } }', { id })).toEqual({ data: { node: null } });
    }
  });
});

describe('pages', () => {
  const lists = ['datasets', 'pipelines', 'jobs', 'runs', 'deadLetters'];

  it.each(lists)('of %s take `first` from 1 to 1,000', async (list) => {
    for (const first of [0, -1, 1001, 2_000_000_000]) {
      expect(codesOf(await whole.query(`query ($first: Int) { ${list}(first: $first) { totalCount } }`, { first }))).toEqual(['BAD_USER_INPUT']);
    }
    expect((await whole.query(`{ ${list}(first: 1000) { totalCount } }`)).errors).toBeUndefined();
  });

  it.each(lists)('of %s refuse a cursor that is garbage', async (list) => {
    for (const after of ['', 'garbage', 'WyJhIl0', 'bnVsbA', '%00']) {
      expect(codesOf(await whole.query(`query ($after: String) { ${list}(after: $after) { totalCount } }`, { after }))).toEqual(['BAD_USER_INPUT']);
    }
  });
});

describe('the whole', () => {
  it('says that its parts are ready', async () => {
    const answer = await fetch(`${whole.api.url.replace('localhost', '127.0.0.1')}/readyz`);
    expect([answer.status, await answer.json()]).toEqual([
      200,
      { ready: true, parts: { neo4j: { ready: true, problem: null }, mongodb: { ready: true, problem: null } } },
    ]);
  });

  it('has logged no secret', () => {
    expect(whole.lines.join('')).not.toContain(whole.database.password);
  });
});
