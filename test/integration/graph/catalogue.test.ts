import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Drawn, draw } from './drawn-lineage.js';
import { openShop, type Row, type Shop } from './shop.js';

let shop: Shop;
let drawn: Drawn;

beforeAll(async () => {
  shop = await openShop('catalogue');
  drawn = await draw(shop, { datasets: { Orders: ['id', 'total'], customers: ['id'], visits: [] }, edges: [{ from: 'Orders.id', to: 'customers.id' }] });
  await shop.database.query('CREATE TABLE orders (id integer PRIMARY KEY)');
});
afterAll(() => shop.close());

function copyOrders(name: string): Row {
  const orders = { connection: shop.name, stream: 'public.orders' };
  return {
    version: 1,
    namespace: shop.name,
    name,
    inputs: { orders },
    steps: [],
    outputs: [{ from: 'orders', connection: shop.name, stream: 'mart.copy', load: { mode: 'append' } }],
  };
}

describe('datasets', () => {
  it('are listed by name in pages and found by a part of their name in any case', async () => {
    const request = { namespace: drawn.namespace, includeDeleted: false, first: 2, after: null };
    const first = await shop.datasets.list(request);
    expect(first).toMatchObject({ totalCount: 3, hasNextPage: true, hasPreviousPage: false });
    const second = await shop.datasets.list({ ...request, after: first.items[1]?.cursor ?? '' });
    expect(second).toMatchObject({ totalCount: 3, hasNextPage: false, hasPreviousPage: true });
    expect([...first.items, ...second.items].map(({ node }) => node.name)).toEqual(['Orders', 'customers', 'visits']);
    const found = await shop.datasets.list({ text: `${drawn.namespace}/oRd`, includeDeleted: false, first: 10, after: null });
    expect(found.items.map(({ node }) => [node.displayName, node.kind, node.owners])).toEqual([['Orders', 'DATASET', []]]);
  });

  it('leave deleted ones out unless they are asked for', async () => {
    await shop.query('MATCH (dataset:Dataset {id: $id}) SET dataset.deletedAt = datetime()', { id: drawn.id('visits') });
    const request = { namespace: drawn.namespace, first: 10, after: null };
    expect((await shop.datasets.list({ ...request, includeDeleted: false })).totalCount).toBe(2);
    expect((await shop.datasets.list({ ...request, includeDeleted: true })).items.map(({ node }) => node.deletedAt !== null)).toEqual([false, false, true]);
  });

  it('have their columns in table order, in the order in which the datasets were named', async () => {
    const columns = await shop.datasets.columnsOf([drawn.id('customers'), drawn.id('visits'), drawn.id('Orders')]);
    expect(columns.map((list) => list.map(({ displayName }) => displayName))).toEqual([['customers.id'], [], ['Orders.id', 'Orders.total']]);
  });

  it('know the pipelines that read and write them', async () => {
    const [one, two] = [await shop.save(copyOrders('one')), await shop.save(copyOrders('two'))];
    const page = { first: 1, after: null };
    const [[source], [copy]] = [(await shop.jobs.inputsOf([one.id]))[0] ?? [], (await shop.jobs.outputsOf([one.id]))[0] ?? []];
    const first = await shop.datasets.producersOf(copy?.id ?? '', page);
    expect(first).toMatchObject({ totalCount: 2, hasNextPage: true, items: [{ node: { id: one.id } }] });
    expect(await shop.datasets.producersOf(copy?.id ?? '', { first: 1, after: first.items[0]?.cursor ?? '' })).toMatchObject({
      hasNextPage: false,
      items: [{ node: { id: two.id } }],
    });
    expect((await shop.datasets.consumersOf(source?.id ?? '', { first: 9, after: null })).items.map(({ node }) => node.name)).toEqual(['one', 'two']);
    expect((await shop.datasets.consumersOf(copy?.id ?? '', page)).totalCount).toBe(0);
    expect((await shop.jobs.list({ namespace: shop.name, first: 10, after: null })).items.map(({ node }) => node.id)).toEqual([one.id, two.id]);
    expect((await shop.pipelines.list({ text: `${shop.name}/TW`, first: 10, after: null })).items.map(({ node }) => node.id)).toEqual([two.id]);
  });
});

describe('nodes', () => {
  it('are found by id in the order asked for, null where there is none', async () => {
    const pipeline = await shop.save(copyOrders('three'));
    const runId = await shop.complete(pipeline);
    const ids = [runId, 'col_nothing', drawn.id('Orders'), pipeline.id, drawn.id('Orders.total'), 'nonsense', runId];
    expect((await shop.nodes.byIds(ids)).map((node) => node && [node.kind, node.displayName.split(' ')[0]])).toEqual([
      ['RUN', 'three'],
      null,
      ['DATASET', 'Orders'],
      ['JOB', 'three'],
      ['COLUMN', 'Orders.total'],
      null,
      ['RUN', 'three'],
    ]);
  });

  it('are found by name, and refused when a ref is not exactly one of its fields', async () => {
    const { namespace } = drawn;
    const refs = [
      { dataset: { namespace, name: 'nothing' } },
      { column: { namespace, dataset: 'customers', name: 'id' } },
      { dataset: { namespace, name: 'customers' }, job: null },
    ];
    expect((await shop.nodes.resolve(refs)).map((node) => node?.id ?? null)).toEqual([null, drawn.id('customers.id'), drawn.id('customers')]);
    await expect(shop.nodes.resolve([{}])).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(shop.nodes.resolve([{ dataset: { namespace, name: 'a' }, job: { namespace, name: 'b' } }])).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });
});
