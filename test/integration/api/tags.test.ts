import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { codesOf, openApi, type WholeApi } from './open-api.js';

let api: WholeApi;
let orders: { namespace: string; name: string };

beforeAll(async () => {
  api = await openApi();
  await api.database.query('CREATE TABLE orders (id integer PRIMARY KEY, email text)');
  orders = { namespace: `postgres://localhost:${api.database.port}`, name: `${api.database.name}.public.orders` };
  const spec = {
    version: 1,
    namespace: api.connection,
    name: 'copy',
    inputs: { orders: { connection: api.connection, stream: 'public.orders' } },
    steps: [],
    outputs: [{ from: 'orders', connection: api.connection, stream: 'mart.copy', load: { mode: 'append' } }],
  };
  const saved = await api.query('mutation ($spec: JSON!) { savePipeline(spec: $spec) { __typename } }', { spec });
  expect(saved.data).toEqual({ savePipeline: { __typename: 'Pipeline' } });
}, 300_000);
afterAll(() => api?.close());

const byHand = (name: string) => ({ name, inherited: false, via: [] });
const tags = 'tags { name inherited via { id } }';

describe('tags over GraphQL', () => {
  it('are set on a dataset or column by any name of it, and answered with the node as it is then', async () => {
    const { data } = await api.query(
      `mutation ($dataset: NodeRef!, $column: NodeRef!) {
        first: tag(of: $dataset, name: "sales") { __typename kind ... on Dataset { name ${tags} } }
        second: tag(of: $dataset, name: " monthly ") { ... on Dataset { ${tags} } }
        third: untag(of: $dataset, name: "sales") { ... on Dataset { ${tags} } }
        column: tag(of: $column, name: "pii") { __typename ... on Column { ${tags} } }
      }`,
      { dataset: { dataset: orders }, column: { column: { namespace: orders.namespace, dataset: orders.name, name: 'email' } } },
    );
    expect(data).toEqual({
      first: { __typename: 'Dataset', kind: 'DATASET', name: orders.name, tags: [byHand('sales')] },
      second: { tags: [byHand('monthly'), byHand('sales')] },
      third: { tags: [byHand('monthly')] },
      column: { __typename: 'Column', tags: [byHand('pii')] },
    });
    const { data: found } = await api.query(`query ($key: DatasetKey!) { dataset(key: $key) { ${tags} columns { name ${tags} } } }`, { key: orders });
    expect(found?.['dataset']).toEqual({
      tags: [byHand('monthly')],
      columns: [
        { name: 'id', tags: [] },
        { name: 'email', tags: [byHand('pii')] },
      ],
    });
  });

  it('find their datasets', async () => {
    const name = `of ${api.database.name}`;
    await api.query('mutation ($of: NodeRef!, $name: String!) { tag(of: $of, name: $name) { id } }', { of: { dataset: orders }, name });
    const list = 'query ($tag: String, $text: String) { datasets(tag: $tag, text: $text) { totalCount edges { node { name } } } }';
    expect((await api.query(list, { tag: name })).data?.['datasets']).toEqual({ totalCount: 1, edges: [{ node: { name: orders.name } }] });
    expect((await api.query(list, { tag: name, text: 'mart.copy' })).data?.['datasets']).toEqual({ totalCount: 0, edges: [] });
    expect((await api.query(list, { tag: 'of nothing' })).data?.['datasets']).toEqual({ totalCount: 0, edges: [] });
    expect((await api.query(list, { tag: null, text: api.database.name })).data?.['datasets']).toMatchObject({ totalCount: 2 });
    expect(codesOf(await api.query(list, { tag: '' }))).toEqual(['BAD_USER_INPUT']);
  });

  it.each(['tag', 'untag'])('that cannot be are refused by %s', async (change) => {
    const mutation = `mutation ($of: NodeRef!, $name: String!) { ${change}(of: $of, name: $name) { id } }`;
    const answers = [
      { of: { dataset: orders }, name: ' ' },
      { of: { dataset: orders }, name: 'x'.repeat(101) },
      { of: { job: { namespace: api.connection, name: 'copy' } }, name: 'x' },
      { of: { dataset: orders, id: 'ds_x' }, name: 'x' },
      { of: { dataset: { ...orders, name: 'nothing' } }, name: 'x' },
    ].map((variables) => api.query(mutation, variables));
    expect((await Promise.all(answers)).map(codesOf)).toEqual([...Array(4).fill(['BAD_USER_INPUT']), ['NOT_FOUND']]);
  });
});
