import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { GraphqlClient } from '../../../src/cli/graphql-client.js';
import { impactTree } from '../../../src/cli/impact-tree.js';
import { codesOf, type GraphqlAnswer, openApi, type WholeApi } from './open-api.js';

let api: WholeApi;
let namespace: string;
let table: string;

beforeAll(async () => {
  api = await openApi();
  table = `${api.database.name}.public.orders`;
  await api.database.query('CREATE TABLE orders (id integer PRIMARY KEY, status text, amount numeric(12,2) NOT NULL, note text)');
  const documents = [
    document('mart', 'public.orders', { id: 'id', total: 'amount * 2' }, "status = 'paid'"),
    document('report', 'mart.mart', { id: 'id', total: 'total' }),
    document('notes', 'public.orders', { id: 'id', note: 'note' }),
  ];
  for (const spec of documents) await save(spec);
  const { data } = await api.query('{ connections { name datasetNamespace } }');
  const connections = data?.['connections'] as { name: string; datasetNamespace: string }[];
  namespace = connections.find(({ name }) => name === api.connection)?.datasetNamespace ?? '';
}, 300_000);
afterAll(() => api?.close());

function document(name: string, stream: string, columns: Readonly<Record<string, string>>, where = 'true'): Record<string, unknown> {
  return {
    version: 1,
    namespace: api.connection,
    name,
    owners: [`${name}-team`],
    inputs: { read: { connection: api.connection, stream } },
    steps: [
      { id: 'kept', filter: { from: 'read', where } },
      { id: 'shaped', map: { from: 'kept', columns } },
    ],
    outputs: [{ from: 'shaped', connection: api.connection, stream: `mart.${name}`, load: { mode: 'upsert', key: ['id'] } }],
  };
}

const saveText = `mutation ($spec: JSON!, $acknowledge: ID, $expectedVersion: Int) { savePipeline(spec: $spec, acknowledge: $acknowledge, expectedVersion: $expectedVersion) {
  __typename ... on Pipeline { version } ... on Problem { code message } ... on InvalidSpec { issues { path message } } ... on GateBlocked { report { id verdict } } } }`;

interface Saved {
  readonly __typename: string;
  readonly version?: number;
  readonly code?: string;
  readonly message?: string;
  readonly report?: { readonly id: string; readonly verdict: string };
}

async function save(spec: unknown, options: Readonly<Record<string, unknown>> = {}): Promise<Saved> {
  const { data, errors } = await api.query(saveText, { spec, ...options });
  if (data == null) throw new Error(JSON.stringify(errors));
  return data['savePipeline'] as Saved;
}

function column(name: string): Record<string, string> {
  return { namespace, dataset: table, name };
}

const impactText = `query ($of: ChangeInput!, $maxDepth: Int) { impact(of: $of, maxDepth: $maxDepth) {
  id revision verdict truncated summary { key severity count } owners: summary(by: OWNER) { key severity count } blindSpots { id }
  items(kinds: [JOB]) { totalCount pageInfo { hasNextPage } edges { node {
    severity code reason depth owners node { kind displayName } path { kind displayName } } } } } }`;

interface Report {
  readonly id: string;
  readonly verdict: string;
  readonly revision: string;
  readonly truncated: readonly string[];
  readonly owners: readonly { readonly key: string; readonly severity: string; readonly count: number }[];
  readonly items: { readonly edges: readonly { readonly node: Item }[] };
}
interface Item {
  readonly severity: string;
  readonly code: string;
  readonly reason: string;
  readonly depth: number;
  readonly owners: readonly string[];
  readonly node: { readonly displayName: string };
  readonly path: readonly { readonly kind: string; readonly displayName: string }[];
}

function ask(of: Readonly<Record<string, unknown>>, maxDepth: number | null = null): Promise<GraphqlAnswer> {
  return api.query(impactText, { of, maxDepth });
}

async function impact(of: Readonly<Record<string, unknown>>, maxDepth: number | null = null): Promise<Report> {
  const { data, errors } = await ask(of, maxDepth);
  if (data == null) throw new Error(JSON.stringify(errors));
  return data['impact'] as Report;
}

function verdicts({ items }: Report): string[][] {
  return items.edges.map(({ node: { node, severity } }) => [node.displayName, severity]);
}

describe('impact over GraphQL', () => {
  it('says who breaks, who is stale and who is safe when a column is dropped', async () => {
    const report = await impact({ dropColumn: column('amount') });
    expect(report.verdict).toBe('BREAKS');
    expect(verdicts(report)).toEqual([
      ['mart', 'BREAKS'],
      ['report', 'STALE'],
      ['notes', 'NONE'],
    ]);
    const [mart, stale] = report.items.edges.map(({ node }) => node);
    expect(mart).toMatchObject({ code: 'COLUMN_READ', depth: 1, owners: ['mart-team'] });
    expect(mart?.reason).toMatch(/mart.*"shaped".*amount/);
    expect(mart?.path[0]).toEqual({ kind: 'COLUMN', displayName: `${table}.amount` });
    expect(mart?.path.at(-1)).toEqual({ kind: 'JOB', displayName: 'mart' });
    expect(stale).toMatchObject({ code: 'UPSTREAM_BREAKS', depth: 2 });
    expect(report.owners).toContainEqual({ key: 'mart-team', severity: 'BREAKS', count: expect.any(Number) });
  });

  it('judges renames, retypes, dropped datasets and new documents', async () => {
    expect((await impact({ renameColumn: { column: column('status'), to: 'state' } })).verdict).toBe('BREAKS');
    expect((await impact({ retypeColumn: { column: column('amount'), to: 'text' } })).verdict).toBe('BREAKS');
    expect((await impact({ dropColumn: column('note') })).items.edges[0]?.node.node.displayName).toBe('notes');
    expect(verdicts(await impact({ dropDataset: { namespace, name: table } }))).toContainEqual(['notes', 'BREAKS']);
    const spec = JSON.stringify(document('mart', 'public.orders', { id: 'id' }));
    expect(verdicts(await impact({ pipelineSpec: spec }))).toContainEqual(['report', 'BREAKS']);
  });

  it('counts by kind, namespace and severity, also when it is found again', async () => {
    const counts = ['KIND', 'NAMESPACE', 'SEVERITY'].map((by) => `${by}: summary(by: ${by}) { key severity count }`).join(' ');
    const { data } = await api.query(`query ($of: ChangeInput!) { impact(of: $of) { id ${counts} } }`, { of: { dropColumn: column('amount') } });
    const { id, ...found } = (data?.['impact'] ?? { id: '' }) as { id: string };
    const jobs = [
      { key: api.connection, severity: 'BREAKS', count: 1 },
      { key: api.connection, severity: 'STALE', count: 1 },
      { key: api.connection, severity: 'NONE', count: 1 },
    ];
    const datasets = [{ key: namespace, severity: 'STALE', count: 2 }];
    expect(found).toEqual({
      KIND: [
        { key: 'DATASET', severity: 'STALE', count: 2 },
        { key: 'JOB', severity: 'BREAKS', count: 1 },
        { key: 'JOB', severity: 'STALE', count: 1 },
        { key: 'JOB', severity: 'NONE', count: 1 },
      ],
      NAMESPACE: api.connection < namespace ? [...jobs, ...datasets] : [...datasets, ...jobs],
      SEVERITY: [
        { key: 'BREAKS', severity: 'BREAKS', count: 1 },
        { key: 'NONE', severity: 'NONE', count: 1 },
        { key: 'STALE', severity: 'STALE', count: 3 },
      ],
    });
    expect((await api.query(`query ($id: ID!) { node(id: $id) { ... on ImpactReport { id ${counts} } } }`, { id })).data?.['node']).toEqual({ id, ...found });
  });

  it('counts by the tags that items have themselves, as they were when it was judged', async () => {
    const note = { column: { namespace, dataset: `${api.database.name}.mart.notes`, name: 'note' } };
    const whole = { dataset: { namespace, name: `${api.database.name}.mart.notes` } };
    const change = 'mutation ($of: NodeRef!, $name: String!) { tag(of: $of, name: $name) { id } }';
    for (const [of, name] of [
      [note, 'pii'],
      [note, 'free text'],
      [whole, 'pii'],
    ] as const)
      expect((await api.query(change, { of, name })).errors).toBeUndefined();
    const fields =
      'id revision tags: summary(by: TAG) { key severity count } items(minSeverity: STALE) { edges { node { node { displayName } tags { name inherited via { id } } } } }';
    const { data } = await api.query(`query ($of: ChangeInput!) { impact(of: $of) { ${fields} } }`, { of: { dropColumn: column('note') } });
    const report = data?.['impact'] as { id: string; items: { edges: { node: { node: { displayName: string }; tags: object[] } }[] } };
    const { tags } = report as unknown as { tags: object[] };
    expect(tags).toEqual([{ key: 'pii', severity: 'STALE', count: 1 }]);
    expect(report.items.edges.map(({ node }) => [node.node.displayName, node.tags])).toEqual([
      ['notes', []],
      [whole.dataset.name, [{ name: 'pii', inherited: false, via: [] }]],
    ]);
    await api.query('mutation ($of: NodeRef!) { untag(of: $of, name: "pii") { id } }', { of: whole });
    const again = await api.query(`query ($id: ID!) { node(id: $id) { ... on ImpactReport { ${fields} } } }`, { id: report.id });
    expect(again.data?.['node']).toEqual(report);

    const retyped = await api.query('query ($of: ChangeInput!) { impact(of: $of) { summary(by: TAG) { key count } } }', {
      of: { retypeColumn: { column: column('note'), to: 'varchar(5)' } },
    });
    expect(retyped.data?.['impact']).toEqual({
      summary: [
        { key: 'free text', count: 1 },
        { key: 'pii', count: 1 },
      ],
    });
  });

  it('keeps the report: node finds it again, with pages of its items', async () => {
    const { id } = await impact({ dropColumn: column('amount') });
    const text = `query ($id: ID!, $after: String) { node(id: $id) { __typename id ... on ImpactReport { verdict
      items(minSeverity: STALE, kinds: [JOB], first: 1, after: $after) { totalCount pageInfo { hasNextPage endCursor } edges { node { node { displayName } } } } } } }`;
    const first = (await api.query(text, { id })).data?.['node'] as { items: { pageInfo: { endCursor: string } } };
    expect(first).toMatchObject({
      __typename: 'ImpactReport',
      id,
      verdict: 'BREAKS',
      items: { totalCount: 2, pageInfo: { hasNextPage: true }, edges: [{ node: { node: { displayName: 'mart' } } }] },
    });
    const second = await api.query(text, { id, after: first.items.pageInfo.endCursor });
    expect(second.data?.['node']).toMatchObject({
      items: { totalCount: 2, pageInfo: { hasNextPage: false }, edges: [{ node: { node: { displayName: 'report' } } }] },
    });
  });

  it('looks no further than maxDepth and says so', async () => {
    const report = await impact({ dropColumn: column('amount') }, 1);
    expect(verdicts(report).map(([name]) => name)).not.toContain('report');
    expect(report.truncated).toEqual(['MAX_DEPTH']);
  });

  it('is drawn as a tree for a terminal', async () => {
    const client = new GraphqlClient({ url: api.api.url, token: null, signal: new AbortController().signal });
    const lines = await impactTree(client, { dropColumn: column('amount') as { namespace: string; dataset: string; name: string } });
    const words = lines.join(' ').replace(/\s+/g, ' ').replaceAll(api.connection, 'shop').replaceAll(api.database.name, 'db');
    expect(words).toBe(
      [
        'Dropping db.public.orders.amount BREAKS jobs downstream',
        'Wave 1 └─ BREAKS shop/mart COLUMN_READ (mart-team)',
        'Job shop/mart can no longer run: step "shaped" fails with column "amount" of db.public.orders, which is gone ("kept" has no column "amount").',
        '└─ db.mart.mart STALE UPSTREAM_BREAKS',
        'Wave 2 └─ STALE shop/report UPSTREAM_BREAKS (report-team)',
        'Job shop/report still runs, but db.mart.mart, which it reads, is no longer refreshed.',
        '└─ db.mart.report STALE UPSTREAM_BREAKS',
        'Safe Job shop/notes does not use column "amount" of db.public.orders.',
      ].join(' '),
    );
  });

  it('refuses what is no change', async () => {
    expect(codesOf(await ask({}))).toEqual(['BAD_USER_INPUT']);
    expect(codesOf(await ask({ dropColumn: column('amount'), dropDataset: { namespace, name: table } }))).toEqual(['BAD_USER_INPUT']);
    expect(codesOf(await ask({ dropColumn: column('nothing') }))).toEqual(['NOT_FOUND']);
    expect(codesOf(await ask({ dropDataset: { namespace, name: 'nothing' } }))).toEqual(['NOT_FOUND']);
    expect(codesOf(await ask({ renameColumn: { column: column('nothing'), to: 'x' } }))).toEqual(['NOT_FOUND']);
    expect(codesOf(await ask({ retypeColumn: { column: column('amount'), to: 'numeric(12,2)' } }))).toEqual(['BAD_USER_INPUT']);
    expect(codesOf(await ask({ renameColumn: { column: column('amount'), to: 'note' } }))).toEqual(['BAD_USER_INPUT']);
    expect(codesOf(await ask({ renameColumn: { column: column('amount'), to: 'amount' } }))).toEqual(['BAD_USER_INPUT']);
    expect(codesOf(await ask({ dropColumn: column('amount') }, -1))).toEqual(['BAD_USER_INPUT']);
    expect(codesOf(await ask({ pipelineSpec: { version: 1 } }))).toEqual(['INVALID_SPEC']);
  });
});

describe('the gate over GraphQL', () => {
  it('answers GateBlocked with the report, and saves with its id', async () => {
    const spec = document('mart', 'public.orders', { id: 'id' });
    const refused = await save(spec, { expectedVersion: 1 });
    expect(refused).toMatchObject({ __typename: 'GateBlocked', code: 'GATE_BLOCKED', report: { verdict: 'BREAKS' } });
    expect(refused.message).toContain(`${api.connection}/report`);
    expect(await save(spec, { acknowledge: refused.report?.id, expectedVersion: 1 })).toMatchObject({ __typename: 'Pipeline', version: 2 });
  });

  it('answers an error for an acknowledgement of nothing', async () => {
    expect(codesOf(await api.query(saveText, { spec: document('notes', 'public.orders', { id: 'id' }), acknowledge: 'imp_none' }))).toEqual(['NOT_FOUND']);
  });

  it('saves several pipelines that only work together', async () => {
    const text = `mutation ($specs: [JSON!]!, $acknowledge: ID, $expectedVersions: [Int]) {
      savePipelines(specs: $specs, acknowledge: $acknowledge, expectedVersions: $expectedVersions) {
        __typename ... on SavedPipelines { pipelines { name version } } ... on Problem { code message } ... on InvalidSpec { issues { path } } } }`;
    const together = [
      document('a_reader', 'mart.a_maker', { id: 'id', sum: 'amount + 1' }),
      document('a_maker', 'public.orders', { id: 'id', amount: 'amount' }),
    ];
    expect((await api.query(text, { specs: together, expectedVersions: [0, null] })).data?.['savePipelines']).toEqual({
      __typename: 'SavedPipelines',
      pipelines: [
        { name: 'a_reader', version: 1 },
        { name: 'a_maker', version: 1 },
      ],
    });
    expect((await api.query(text, { specs: together, expectedVersions: [0, 0] })).data?.['savePipelines']).toMatchObject({ __typename: 'Conflict' });
    expect((await api.query(text, { specs: [together[1], together[1]] })).data?.['savePipelines']).toMatchObject({
      __typename: 'InvalidSpec',
      issues: [{ path: 'specs[1].name' }],
    });
    expect(codesOf(await api.query(text, { specs: together, expectedVersions: [0] }))).toEqual(['BAD_USER_INPUT']);
    expect(codesOf(await api.query(text, { specs: together, expectedVersions: [0, -1] }))).toEqual(['BAD_USER_INPUT']);
  });
});
