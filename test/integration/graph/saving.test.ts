import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openShop, type Row, type Shop } from './shop.js';

let shop: Shop;

beforeAll(async () => {
  shop = await openShop('saving');
  await shop.database.query('CREATE TABLE orders (id integer PRIMARY KEY, status text, amount numeric(12,2) NOT NULL, note text)');
});
afterAll(() => shop.close());

function paidOrders(name: string, changes: Row = {}): Row {
  return {
    version: 1,
    namespace: shop.name,
    name,
    inputs: { orders: { connection: shop.name, stream: 'public.orders' } },
    steps: [
      { id: 'paid', filter: { from: 'orders', where: "status = 'paid'" } },
      { id: 'shaped', map: { from: 'paid', columns: { order_id: 'id', total: 'amount * 2' } } },
    ],
    outputs: [{ from: 'shaped', connection: shop.name, stream: `mart.${name}`, load: { mode: 'upsert', key: ['order_id'] } }],
    ...changes,
  };
}

async function declaredEdges(name: string): Promise<string[]> {
  const rows = await shop.query(
    `MATCH (job:Job {namespace: $namespace, name: $name})
     MATCH (from)-[edge:FEEDS|DERIVES|INFLUENCES {jobId: job.id, source: 'DECLARED'}]->(to)
     RETURN from.name + ' ' + type(edge) + ' ' + to.name AS line`,
    { namespace: shop.name, name },
  );
  return rows.map(({ line }) => String(line).replaceAll(`${shop.database.name}.`, '')).sort();
}

describe('saving a pipeline', () => {
  it('records version 1, what it reads and writes, the schemas found and planned, and its DECLARED edges', async () => {
    const pipeline = await shop.save(paidOrders('first', { owners: ['data-team'], description: 'Paid orders' }));
    expect(pipeline).toMatchObject({
      kind: 'JOB',
      version: 1,
      namespace: shop.name,
      name: 'first',
      owners: ['data-team'],
      description: 'Paid orders',
      deletedAt: null,
    });
    const [inputs, outputs] = await Promise.all([shop.jobs.inputsOf([pipeline.id]), shop.jobs.outputsOf([pipeline.id])]);
    expect(inputs[0]).toMatchObject([{ namespace: shop.namespace, name: `${shop.database.name}.public.orders` }]);
    expect(outputs[0]).toMatchObject([{ namespace: shop.namespace, name: `${shop.database.name}.mart.first` }]);
    const columns = await shop.datasets.columnsOf([inputs[0]?.[0]?.id ?? '', outputs[0]?.[0]?.id ?? '']);
    expect(columns[0]?.map(({ name, type, nullable }) => [name, type, nullable])).toEqual([
      ['id', 'integer', false],
      ['status', 'text', true],
      ['amount', 'numeric(12,2)', false],
      ['note', 'text', true],
    ]);
    expect(columns[1]?.map(({ name, type, nullable }) => [name, type, nullable])).toEqual([
      ['order_id', 'integer', false],
      ['total', expect.stringMatching(/^numeric/), true],
    ]);
    expect(await declaredEdges('first')).toEqual([
      'amount DERIVES total',
      'id DERIVES order_id',
      'public.orders FEEDS mart.first',
      'status INFLUENCES mart.first',
    ]);
  });

  it('makes no new version of an equal spec and touches nothing', async () => {
    const before = await shop.save(paidOrders('equal'));
    const revision = await shop.revision();
    const again = await shop.save(paidOrders('equal', { owners: [] }));
    expect(again).toEqual(before);
    expect(await shop.revision()).toBe(revision);
    expect(await shop.pipelines.versions(before.id)).toHaveLength(1);
  });

  it('makes a version of a changed spec and closes the DECLARED edges that are gone', async () => {
    await shop.save(paidOrders('changing'));
    const steps = [{ id: 'shaped', map: { from: 'orders', columns: { order_id: 'id', total: 'amount * 3' } } }];
    const saved = await shop.pipelines.save({ spec: paidOrders('changing', { steps }), expectedVersion: 1, actor: 'ada' });
    expect(saved).toMatchObject({ outcome: 'saved', pipeline: { version: 2 } });
    expect(await declaredEdges('changing')).toEqual(['amount DERIVES total', 'id DERIVES order_id', 'public.orders FEEDS mart.changing']);
    const id = saved.outcome === 'saved' ? saved.pipeline.id : '';
    expect((await shop.pipelines.versions(id)).map(({ version, createdBy }) => [version, createdBy])).toEqual([
      [2, 'ada'],
      [1, null],
    ]);
    const closed = await shop.query(
      `MATCH ()-[edge:DERIVED|INFLUENCED|FED {jobId: $id}]->() RETURN type(edge) AS type, edge.id IS NOT NULL AND edge.validFrom < edge.validTo AS whole ORDER BY type`,
      { id },
    );
    expect(closed).toEqual([
      { type: 'DERIVED', whole: true },
      { type: 'FED', whole: true },
      { type: 'INFLUENCED', whole: true },
    ]);
  });

  it('answers a conflict when the version is not the expected one', async () => {
    expect(await shop.pipelines.save({ spec: paidOrders('expected'), expectedVersion: 1 })).toEqual({
      outcome: 'conflict',
      message: `Pipeline ${shop.name}/expected does not exist, but version 1 was expected; look at what is saved and try again.`,
    });
    expect(await shop.pipelines.save({ spec: paidOrders('expected'), expectedVersion: 0 })).toMatchObject({ outcome: 'saved' });
    expect(await shop.pipelines.save({ spec: paidOrders('expected'), expectedVersion: 0 })).toMatchObject({
      outcome: 'conflict',
      message: `Pipeline ${shop.name}/expected is at version 1, but it was expected not to exist yet; look at what is saved and try again.`,
    });
    expect(await shop.pipelines.get({ namespace: shop.name, name: 'expected' })).toMatchObject({ version: 1 });
  });

  it('lets one of eight concurrent first saves win and numbers concurrent versions without a gap', async () => {
    const first = await Promise.all(Array.from({ length: 8 }, () => shop.pipelines.save({ spec: paidOrders('race'), expectedVersion: 0 })));
    expect(first.map(({ outcome }) => outcome).sort()).toEqual([...Array(7).fill('conflict'), 'saved']);
    const changed = await Promise.all(
      Array.from({ length: 8 }, (_, index) => shop.pipelines.save({ spec: paidOrders('race', { description: `change ${index}` }) })),
    );
    expect(changed.map(({ outcome }) => outcome)).toEqual(Array(8).fill('saved'));
    const pipeline = await shop.pipelines.get({ namespace: shop.name, name: 'race' });
    expect((await shop.pipelines.versions(pipeline?.id ?? '')).map(({ version }) => version)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect(await declaredEdges('race')).toHaveLength(4);
  });

  it('names every problem of the document with its place and saves nothing', async () => {
    const spec = paidOrders('wrong', {
      inputs: { orders: { connection: 'nowhere', stream: 'public.orders' }, others: { connection: shop.name, stream: 'public.nothing' } },
      outputs: [
        { from: 'shaped', connection: shop.name, stream: 'mart.wrong', load: { mode: 'append' } },
        { from: 'others', connection: shop.name, stream: 'mart.others', load: { mode: 'append' } },
      ],
    });
    const saved = await shop.pipelines.save({ spec });
    expect(saved).toEqual({
      outcome: 'invalid',
      issues: [
        { path: 'inputs.orders.connection', message: 'There is no connection nowhere; make it first, or name one that is listed.' },
        {
          path: 'inputs.others.stream',
          message: `There is no public.nothing in connection ${shop.name}, and no saved pipeline makes it; check the name, or make it first.`,
        },
      ],
    });
    expect(await shop.pipelines.get({ namespace: shop.name, name: 'wrong' })).toBeNull();
  });

  it('lets a pipeline read what another saved one will make, with its planned types', async () => {
    await shop.save(paidOrders('maker'));
    const reader = {
      ...paidOrders('reader'),
      inputs: { made: { connection: shop.name, stream: 'mart.maker' } },
      steps: [{ id: 'more', map: { from: 'made', columns: { order_id: 'order_id', more: 'total + 1' } } }],
      outputs: [{ from: 'more', connection: shop.name, stream: 'mart.reader', load: { mode: 'append' } }],
    };
    await shop.save(reader);
    expect(await declaredEdges('reader')).toEqual(['mart.maker FEEDS mart.reader', 'order_id DERIVES order_id', 'total DERIVES more']);
  });

  it('refuses a version that is not a whole number', async () => {
    await expect(shop.pipelines.save({ spec: paidOrders('x'), expectedVersion: -1 })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });
});

describe('deleting a pipeline', () => {
  it('closes all its edges, aborts its queued runs, asks a running one to end, and keeps its id for its return', async () => {
    const pipeline = await shop.save(paidOrders('leaving'));
    await shop.complete(pipeline);
    const running = await shop.runs.start({ pipeline, trigger: 'test' });
    const claimed = await shop.runs.claim({ worker: 'w' });
    const queued = await shop.runs.start({ pipeline, trigger: 'test' });
    const revision = await shop.revision();
    expect(await shop.pipelines.delete(pipeline)).toBe(true);
    expect(await shop.pipelines.delete(pipeline)).toBe(false);
    expect(await shop.revision()).toBe(revision + 1);
    expect(await shop.pipelines.get(pipeline)).toBeNull();
    expect(await shop.query('MATCH ()-[edge:FEEDS|DERIVES|INFLUENCES {jobId: $id}]->() RETURN edge', { id: pipeline.id })).toEqual([]);
    expect(await shop.query('MATCH ()-[edge:FED|DERIVED|INFLUENCED {jobId: $id}]->() RETURN count(*) AS closed', { id: pipeline.id })).toEqual([{ closed: 8 }]);
    expect(queued.outcome === 'queued' && (await shop.runs.get(queued.run.id))).toMatchObject({ state: 'ABORT', endedAt: expect.any(String) });
    const held = { runId: claimed?.run.id ?? '', epoch: claimed?.run.epoch ?? 0 };
    expect(running.outcome === 'queued' && running.run.id).toBe(held.runId);
    expect(shop.cancelled).toContain(held.runId);
    expect(await shop.runs.renew(held)).toBe('cancel');
    expect(await shop.runs.start({ pipeline, trigger: 'test' })).toMatchObject({ outcome: 'notFound' });

    const compiled = await shop.compiled(paidOrders('leaving'));
    const metrics = { rowsRead: 1, rowsWritten: 1, rowsRejected: 0, bytesRead: 1, bytesWritten: 1 };
    const outputs = [{ loadId: 'l', committedAttempt: 1, rowsWritten: 1, bytesWritten: 1 }];
    await shop.runs.complete({ ...held, compiled, summary: { metrics, steps: [], outputs } });
    expect(await shop.runs.writesOf([held.runId])).toMatchObject([[{ producedByRunId: held.runId }]]);
    expect(await shop.query("MATCH ()-[edge:FEEDS|DERIVES|INFLUENCES {jobId: $id, source: 'EXECUTED'}]->() RETURN edge", { id: pipeline.id })).toEqual([]);

    const revived = await shop.pipelines.save({ spec: paidOrders('leaving'), expectedVersion: 0 });
    expect(revived).toMatchObject({ outcome: 'saved', pipeline: { id: pipeline.id, version: 1, deletedAt: null } });
    expect(await declaredEdges('leaving')).toHaveLength(4);
    await shop.complete(pipeline);
    expect(
      await shop.query("MATCH ()-[edge:FEEDS|DERIVES|INFLUENCES {jobId: $id, source: 'EXECUTED'}]->() RETURN count(*) AS open", { id: pipeline.id }),
    ).toEqual([{ open: 4 }]);
  });
});
