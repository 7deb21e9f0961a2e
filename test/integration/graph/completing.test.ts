import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { noMetrics } from '../../../src/model/run.js';
import { openShop, type Row, type Shop } from './shop.js';

let shop: Shop;

beforeAll(async () => {
  shop = await openShop('completing');
  await shop.database.query('CREATE TABLE orders (id integer PRIMARY KEY, status text, amount integer)');
});
afterAll(() => shop.close());

function copyOf(name: string, columns: Row, changes: Row = {}): Row {
  return {
    version: 1,
    namespace: shop.name,
    name,
    inputs: { orders: { connection: shop.name, stream: 'public.orders' } },
    steps: [{ id: 'shaped', map: { from: 'orders', columns } }],
    outputs: [{ from: 'shaped', connection: shop.name, stream: `mart.${name}`, load: { mode: 'append' } }],
    ...changes,
  };
}

async function executedEdges(jobId: string): Promise<string[]> {
  const rows = await shop.query(
    `MATCH (from)-[edge:FEEDS|DERIVES|INFLUENCES {jobId: $jobId, source: 'EXECUTED'}]->(to) RETURN from.name + ' ' + type(edge) + ' ' + to.name AS line`,
    { jobId },
  );
  return rows.map(({ line }) => String(line).replaceAll(`${shop.database.name}.`, '')).sort();
}

describe('completing a run', () => {
  it('records state, metrics, what was read and written, the edge set and EXECUTED edges in one revision', async () => {
    const pipeline = await shop.save(copyOf('first', { id: 'id', kind: 'status' }));
    const before = await shop.revision();
    const runId = await shop.complete(pipeline);
    expect(await shop.runs.get(runId)).toMatchObject({
      state: 'COMPLETE',
      attempt: 1,
      metrics: { rowsRead: 10, rowsWritten: 10 },
      startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      endedAt: expect.any(String),
      error: null,
    });
    expect(await executedEdges(pipeline.id)).toEqual(['id DERIVES id', 'public.orders FEEDS mart.first', 'status DERIVES kind']);
    expect(await shop.revision()).toBe(before + 1);
    const [[read], [written]] = [(await shop.runs.readsOf([runId]))[0] ?? [], (await shop.runs.writesOf([runId]))[0] ?? []];
    expect(read).toMatchObject({ producedByRunId: null, rowCount: null, columns: [{ name: 'id' }, { name: 'status' }, { name: 'amount' }] });
    expect(written).toMatchObject({
      producedByRunId: runId,
      rowCount: 10,
      columns: [
        { name: 'id', type: 'integer' },
        { name: 'kind', type: 'text' },
      ],
    });
    const [columns = []] = await shop.datasets.columnsOf([written?.datasetId ?? '']);
    expect(written?.columns.map(({ columnId }) => columnId)).toEqual(columns.map(({ id }) => id));
    expect(
      await shop.query(
        `MATCH (run:Run {id: $runId})-[wrote:WROTE]->(), (run)-[read:READ]->(), (run)-[seen:OBSERVED]->()
         RETURN wrote.rows AS wrote, wrote.bytes AS bytes, read.rows AS read, size(seen.edgeSetHash) AS hash, seen.at = run.endedAt AS atItsEnd`,
        { runId },
      ),
    ).toEqual([{ wrote: 10, bytes: 1000, read: 10, hash: 64, atItsEnd: true }]);
  });

  it('writes no edge, no schema and no revision when nothing has changed, but a version and the last run', async () => {
    const pipeline = await shop.save(copyOf('steady', { id: 'id' }));
    await shop.complete(pipeline);
    const edges = `MATCH ()-[edge:FEEDS|DERIVES|INFLUENCES {jobId: $jobId, source: 'EXECUTED'}]->() RETURN edge.id AS id, edge.validFrom AS since ORDER BY id`;
    const before = { revision: await shop.revision(), edges: await shop.query(edges, { jobId: pipeline.id }) };
    const last = await shop.complete(pipeline);
    expect({ revision: await shop.revision(), edges: await shop.query(edges, { jobId: pipeline.id }) }).toEqual(before);
    const output = { namespace: shop.namespace, name: `${shop.database.name}.mart.steady` };
    const id = (await shop.datasets.get(output))?.id ?? '';
    const versions = await shop.datasets.versionsOf(id, { first: 10, after: null });
    expect(versions).toMatchObject({ totalCount: 2, hasNextPage: false });
    expect(versions.items[0]?.node.producedByRunId).toBe(last);
    expect(await shop.query('MATCH (:Dataset {id: $id})-[:HAS_VERSION]->()-[:WITH]->(schema) RETURN count(DISTINCT schema) AS schemas', { id })).toEqual([
      { schemas: 1 },
    ]);
    const answer = await shop.lineage.graph({ of: [{ id }], direction: 'UPSTREAM', level: 'COLUMN', maxDepth: null, maxNodes: 100, filter: null });
    expect(answer.edges.map(({ lastRunId, evidence }) => [lastRunId, evidence])).toEqual([[last, 'EXECUTED']]);
  });

  it('moves what is gone into the past, with its interval, and keeps what stays', async () => {
    const pipeline = await shop.save(copyOf('moving', { id: 'id', kind: 'status' }));
    await shop.complete(pipeline);
    const [kept] = await shop.query("MATCH (:Column {name: 'id'})-[edge:DERIVES {jobId: $jobId, source: 'EXECUTED'}]->() RETURN edge.id AS id", {
      jobId: pipeline.id,
    });
    await shop.save(copyOf('moving', { id: 'id', kind: 'upper(status)' }));
    expect(await executedEdges(pipeline.id)).toHaveLength(3);
    await shop.complete(pipeline);
    expect(await executedEdges(pipeline.id)).toHaveLength(3);
    expect(
      await shop.query("MATCH (:Column {name: 'id'})-[edge:DERIVES {jobId: $jobId, source: 'EXECUTED'}]->() RETURN edge.id AS id", { jobId: pipeline.id }),
    ).toEqual([kept]);
    expect(
      await shop.query(
        `MATCH (from)-[past:DERIVED {jobId: $jobId, source: 'EXECUTED'}]->(to), (from)-[now:DERIVES {jobId: $jobId, source: 'EXECUTED'}]->(to)
         RETURN from.name AS from, to.name AS to, past.validTo = now.validFrom AS seamless, past.id <> now.id AS other`,
        { jobId: pipeline.id },
      ),
    ).toEqual([{ from: 'status', to: 'kind', seamless: true, other: true }]);
  });

  it('closes the edges of an output that the new version no longer has', async () => {
    const twoOutputs = {
      outputs: ['a', 'b'].map((suffix) => ({ from: 'shaped', connection: shop.name, stream: `mart.two_${suffix}`, load: { mode: 'append' } })),
    };
    const pipeline = await shop.save(copyOf('two', { id: 'id' }, twoOutputs));
    await shop.complete(pipeline);
    expect(await executedEdges(pipeline.id)).toEqual(['id DERIVES id', 'id DERIVES id', 'public.orders FEEDS mart.two_a', 'public.orders FEEDS mart.two_b']);
    await shop.save(copyOf('two', { id: 'id' }, { outputs: twoOutputs.outputs.slice(1) }));
    await shop.complete(pipeline);
    expect(await executedEdges(pipeline.id)).toEqual(['id DERIVES id', 'public.orders FEEDS mart.two_b']);
    const revision = await shop.revision();
    await shop.complete(pipeline);
    expect(await shop.revision()).toBe(revision);
  });

  it('ends the interval of a column that vanishes and begins a new one with the same id when it returns', async () => {
    await shop.database.query('CREATE TABLE shifting (id integer, extra text)');
    const spec = { ...copyOf('shifting', { id: 'id' }), inputs: { orders: { connection: shop.name, stream: 'public.shifting' } } };
    const pipeline = await shop.save(spec);
    await shop.complete(pipeline);
    const key = { namespace: shop.namespace, dataset: `${shop.database.name}.public.shifting`, name: 'extra' };
    const column = await shop.datasets.column(key);
    await shop.database.query('ALTER TABLE shifting DROP COLUMN extra');
    const revision = await shop.revision();
    await shop.complete(pipeline);
    expect(await shop.revision()).toBe(revision + 1);
    expect(await shop.datasets.column(key)).toMatchObject({ id: column?.id, deletedAt: expect.any(String) });
    expect((await shop.datasets.columnsOf([column?.datasetId ?? '']))[0]?.map(({ name }) => name)).toEqual(['id']);
    await shop.database.query('ALTER TABLE shifting ADD COLUMN extra varchar(9)');
    await shop.complete(pipeline);
    expect(await shop.datasets.column(key)).toMatchObject({ id: column?.id, deletedAt: null, type: 'character varying(9)' });
    expect(await shop.query('MATCH ()-[has:HAS_COLUMN]->(:Column {id: $id}) RETURN has.validTo IS NULL AS open ORDER BY open', { id: column?.id })).toEqual([
      { open: false },
      { open: true },
    ]);
    expect((await shop.datasets.versionsOf(column?.datasetId ?? '', { first: 10, after: null })).totalCount).toBe(3);
  });

  it('is refused from a holder of an older epoch and repeated without effect by the same holder', async () => {
    const pipeline = await shop.save(copyOf('fenced', { id: 'id' }));
    await shop.runs.start({ pipeline, trigger: 'test' });
    const first = await shop.runs.claim({ worker: `${shop.name}-a` });
    expect(await shop.runs.recover({ workers: [`${shop.name}-a`] })).toBe(1);
    const second = await shop.runs.claim({ worker: `${shop.name}-b` });
    expect(second?.run).toMatchObject({ id: first?.run.id, attempt: 2, startedAt: first?.run.startedAt });
    expect(second?.run.epoch).toBeGreaterThan(first?.run.epoch ?? 0);
    const compiled = await shop.compiled(second?.spec);
    const summary = { metrics: noMetrics, steps: [], outputs: [{ loadId: 'l', committedAttempt: 2, rowsWritten: 0, bytesWritten: 0 }] };
    const runId = first?.run.id ?? '';
    const old = { runId, epoch: first?.run.epoch ?? 0 };
    const held = { runId, epoch: second?.run.epoch ?? 0 };
    await expect(shop.runs.complete({ ...old, compiled, summary })).rejects.toMatchObject({ code: 'LEASE_LOST' });
    await expect(shop.runs.progress({ ...old, metrics: noMetrics, steps: [] })).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect(await shop.runs.renew(old)).toBe('lost');
    expect(await shop.runs.renew(held)).toBe('held');
    await shop.runs.progress({ ...held, metrics: { ...noMetrics, rowsRead: 7 }, steps: [] });
    expect(await shop.runs.get(runId)).toMatchObject({ state: 'RUNNING', metrics: { rowsRead: 7 } });
    await shop.runs.complete({ ...held, compiled, summary });
    await shop.runs.complete({ ...held, compiled, summary });
    await expect(
      shop.runs.fail({ ...held, error: { code: 'INTERNAL', message: 'x', retryable: false, step: null }, metrics: noMetrics, steps: [] }),
    ).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect(await shop.runs.get(runId)).toMatchObject({ state: 'COMPLETE', attempt: 2 });
    expect((await shop.runs.writesOf([runId]))[0]).toHaveLength(1);
  });

  it('closes nothing when a run fails or is aborted', async () => {
    const pipeline = await shop.save(copyOf('failing', { id: 'id' }));
    await shop.complete(pipeline);
    const edges = await executedEdges(pipeline.id);
    const revision = await shop.revision();
    const error = { code: 'SOURCE_FAILED', message: 'The source is gone.', retryable: true, step: null } as const;
    for (const to of ['fail', 'abort'] as const) {
      await shop.runs.start({ pipeline, trigger: 'test' });
      const claimed = await shop.runs.claim({ worker: 'w' });
      const held = { runId: claimed?.run.id ?? '', epoch: claimed?.run.epoch ?? 0 };
      await shop.runs[to]({ ...held, error, metrics: noMetrics, steps: [{ step: 'shaped', rowsIn: 3, rowsOut: 3, rowsRejected: 0, durationMs: 1 }] });
      expect(await shop.runs.get(held.runId)).toMatchObject({ state: to.toUpperCase(), error, steps: [{ step: 'shaped', rowsIn: 3 }] });
    }
    expect(await executedEdges(pipeline.id)).toEqual(edges);
    expect(await shop.revision()).toBe(revision);
  });

  it('of pipelines that share their datasets can happen at the same moment, beside saves, and every edge is there once', async () => {
    const shared = (index: number, id: string): Row => ({
      ...copyOf(`shared_${index}`, { id }),
      outputs: [{ from: 'shaped', connection: shop.name, stream: 'mart.shared', load: { mode: 'append' } }],
    });
    const pipelines = await Promise.all(Array.from({ length: 6 }, (_, index) => shop.save(shared(index, 'id'))));
    for (const id of ['id', 'id + 1']) {
      const saves = Promise.all(pipelines.map((_, index) => shop.save(shared(index, id))));
      await Promise.all(pipelines.map((pipeline) => shop.runs.start({ pipeline, trigger: 'test' })));
      const claimed = await Promise.all(pipelines.map(() => shop.runs.claim({ worker: 'w' })));
      const compiled = await shop.compiled(shared(0, id));
      const summary = { metrics: noMetrics, steps: [], outputs: [{ loadId: 'l', committedAttempt: 1, rowsWritten: 1, bytesWritten: 1 }] };
      await Promise.all(claimed.map((one) => shop.runs.complete({ runId: one?.run.id ?? '', epoch: one?.run.epoch ?? 0, compiled, summary })));
      await saves;
    }
    const edges = await Promise.all(pipelines.map(({ id }) => executedEdges(id)));
    expect(edges).toEqual(Array(6).fill(['id DERIVES id', 'public.orders FEEDS mart.shared']));
    const output = (await shop.jobs.outputsOf([pipelines[0]?.id ?? '']))[0]?.[0];
    expect((await shop.datasets.versionsOf(output?.id ?? '', { first: 100, after: null })).totalCount).toBe(12);
    expect((await shop.datasets.columnsOf([output?.id ?? '']))[0]?.map(({ name }) => name)).toEqual(['id']);
  });

  it('records a pipeline that writes into the table it reads', async () => {
    await shop.database.query('CREATE TABLE growing (id integer, status text)');
    const spec = {
      ...copyOf('growing', { id: 'id + 1', status: 'status' }),
      inputs: { orders: { connection: shop.name, stream: 'public.growing' } },
      outputs: [{ from: 'shaped', connection: shop.name, stream: 'public.growing', load: { mode: 'append' } }],
    };
    const pipeline = await shop.save(spec);
    await shop.complete(pipeline);
    const growing = { namespace: shop.namespace, name: `${shop.database.name}.public.growing` };
    const answer = await shop.lineage.graph({ of: [{ dataset: growing }], direction: 'BOTH', level: 'DATASET', maxDepth: null, maxNodes: 10, filter: null });
    expect(answer).toMatchObject({ totalNodes: 0, hits: [], cycles: [answer.start] });
    expect(answer.edges).toHaveLength(1);
  });
});
