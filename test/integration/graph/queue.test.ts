import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { noMetrics, type Run } from '../../../src/model/run.js';
import type { ClaimedRun } from '../../../src/services/run-queue.js';
import { openShop, type Shop } from './shop.js';

let shop: Shop;

beforeAll(async () => {
  shop = await openShop('queueing');
});
afterAll(() => shop.close());

/** Nothing that another test left may be claimed here. */
beforeEach(async () => {
  await shop.query("MATCH (run:Run)-[:OF]->(pipeline) WHERE run.state IN ['QUEUED', 'RUNNING'] SET run.state = 'ABORT', pipeline.runningRunId = null");
});

const document = {
  version: 1,
  name: 'any',
  namespace: 'any',
  inputs: { rows: { connection: 'any', stream: 'any' } },
  outputs: [{ from: 'rows', connection: 'any', stream: 'other', load: { mode: 'append' } }],
};

/** Pipelines that are saved, as far as the queue looks at them. */
async function savePipelines(group: string, count: number): Promise<{ namespace: string; name: string }[]> {
  const keys = Array.from({ length: count }, (_, index) => ({ namespace: `${shop.name}-${group}`, name: `p${String(index).padStart(3, '0')}` }));
  await shop.query(
    `UNWIND $keys AS key
     CREATE (:Job:Pipeline {id: 'job_' + key.namespace + key.name, namespace: key.namespace, name: key.name, owners: [], spec: $spec, version: 1, epoch: 0})
       -[:HAS_VERSION]->(:PipelineVersion {pipelineId: 'job_' + key.namespace + key.name, version: 1, spec: $spec})`,
    { keys, spec: JSON.stringify(document) },
  );
  return keys;
}

async function queue(pipeline: { namespace: string; name: string }): Promise<Run> {
  const started = await shop.runs.start({ pipeline, trigger: 'test' });
  if (started.outcome !== 'queued') throw new Error(started.message);
  return started.run;
}

/** Claims with so many claimers at once, each until there is nothing left. */
async function claimAll(claimers: number, each: (claimed: ClaimedRun) => Promise<void> = async () => undefined): Promise<ClaimedRun[]> {
  const claimed: ClaimedRun[] = [];
  const claimer = async (_: unknown, index: number): Promise<void> => {
    for (;;) {
      const next = await shop.runs.claim({ worker: `worker ${index}` });
      if (next === null) return;
      claimed.push(next);
      await each(next);
    }
  };
  await Promise.all(Array.from({ length: claimers }, claimer));
  return claimed;
}

const held = ({ run }: ClaimedRun) => ({ runId: run.id, epoch: run.epoch });
const finish = (claimed: ClaimedRun): Promise<void> => shop.runs.abort({ ...held(claimed), metrics: noMetrics, steps: [] });

describe('8 claimers', () => {
  it('claim each of 300 runs of 300 pipelines once', async () => {
    const pipelines = await savePipelines('many', 300);
    const queued = await Promise.all(pipelines.map(queue));
    const claimed = await claimAll(8);
    expect(claimed.map(({ run }) => run.id).sort()).toEqual(queued.map(({ id }) => id).sort());
    expect(claimed.every(({ run }) => run.state === 'RUNNING' && run.attempt === 1 && run.epoch === 1)).toBe(true);
  });

  it('claim each of 300 runs of 5 pipelines once, never two of one pipeline at a time, each with a higher epoch', async () => {
    const pipelines = await savePipelines('few', 5);
    const queued = await Promise.all(Array.from({ length: 300 }, (_, index) => queue(pipelines[index % 5] ?? { namespace: '', name: '' })));
    const running = new Set<string>();
    const epochs = new Map<string, number>();
    const overlaps: string[] = [];
    const work = async (claimed: ClaimedRun): Promise<void> => {
      const { pipelineId, epoch } = claimed.run;
      if (running.has(pipelineId) || epoch <= (epochs.get(pipelineId) ?? 0)) overlaps.push(pipelineId);
      running.add(pipelineId);
      epochs.set(pipelineId, epoch);
      await new Promise((resolve) => setImmediate(resolve));
      running.delete(pipelineId);
      await finish(claimed);
    };
    const claimed: ClaimedRun[] = [];
    // A claimer finds nothing while the others hold all five pipelines, so they are sent again until all is done.
    while (claimed.length < 300) claimed.push(...(await claimAll(8, work)));
    expect(overlaps).toEqual([]);
    expect(claimed.map(({ run }) => run.id).sort()).toEqual(queued.map(({ id }) => id).sort());
    expect([...epochs.values()]).toEqual([60, 60, 60, 60, 60]);
  });

  it('claim in the order in which the runs were queued', async () => {
    const pipelines = await savePipelines('order', 5);
    const queued: string[] = [];
    for (const pipeline of pipelines) queued.push((await queue(pipeline)).id);
    expect((await claimAll(1)).map(({ run }) => run.id)).toEqual(queued);
  });
});

describe('races for one run', () => {
  it('a cancel and a claim: the run is aborted and not claimed, or claimed and asked to end', async () => {
    for (const pipeline of await savePipelines('cancel', 40)) {
      const { id } = await queue(pipeline);
      const [cancelled, claimed] = await Promise.all([shop.runs.cancel(id), shop.runs.claim({ worker: 'w' })]);
      expect(cancelled.outcome).toBe('cancelled');
      const { state } = (await shop.runs.get(id)) ?? {};
      if (claimed === null) expect(state).toBe('ABORT');
      else {
        expect(state).toBe('RUNNING');
        expect(await shop.runs.renew(held(claimed))).toBe('cancel');
        await finish(claimed);
      }
    }
  });

  it('an end and a recovery: the run has ended, or is queued again and the end is refused', async () => {
    const worker = `${shop.name} recovering`;
    for (const pipeline of await savePipelines('recover', 40)) {
      const { id } = await queue(pipeline);
      const claimed = await shop.runs.claim({ worker });
      if (claimed === null) throw new Error('Nothing was claimed.');
      const [ended, recovered] = await Promise.allSettled([finish(claimed), shop.runs.recover({ workers: [worker] })]);
      const run = await shop.runs.get(id);
      if (ended.status === 'fulfilled') expect([run?.state, recovered]).toMatchObject(['ABORT', { value: 0 }]);
      else {
        expect([run?.state, recovered]).toMatchObject(['QUEUED', { value: 1 }]);
        expect(ended.reason).toMatchObject({ code: 'LEASE_LOST' });
        expect(run?.epoch).toBeGreaterThan(claimed.run.epoch);
        // Its worker was lost: what it committed is for the next one to find out.
        expect(await shop.runs.cancel(id)).toMatchObject({ run: { state: 'QUEUED' } });
        const next = (await shop.runs.claim({ worker })) as ClaimedRun;
        expect(next).toMatchObject({ run: { id }, cancelRequested: true });
        await finish(next);
      }
      expect(await shop.query('MATCH (pipeline:Job {id: $id}) RETURN pipeline.runningRunId AS running', { id: claimed.pipeline.id })).toEqual([
        { running: null },
      ]);
    }
  });

  it('two recoveries queue a run once', async () => {
    const [pipeline] = await savePipelines('twice', 1);
    const { id } = await queue(pipeline ?? { namespace: '', name: '' });
    await shop.runs.claim({ worker: shop.name });
    const recovered = await Promise.all([shop.runs.recover({ workers: [shop.name] }), shop.runs.recover({ workers: [shop.name] })]);
    expect(recovered.sort()).toEqual([0, 1]);
    expect(await shop.runs.get(id)).toMatchObject({ state: 'QUEUED', attempt: 1, epoch: 2 });
  });

  it('a worker takes up the run whose lease has passed, and leaves alone the one that is held', async () => {
    const [first, second] = await savePipelines('expired', 2);
    const [lost, kept] = [await queue(first ?? { namespace: '', name: '' }), await queue(second ?? { namespace: '', name: '' })];
    await claimAll(1);
    await shop.query('MATCH (run:Run {id: $id}) SET run.leaseUntil = datetime.realtime() - duration({seconds: 1})', { id: lost.id });
    expect(await shop.runs.recover()).toBe(1);
    expect(await shop.runs.get(lost.id)).toMatchObject({ state: 'QUEUED', attempt: 1, epoch: 2 });
    expect(await shop.runs.get(kept.id)).toMatchObject({ state: 'RUNNING', attempt: 1, epoch: 1 });
  });
});

describe('a run whose attempt has failed', () => {
  const died = { code: 'RUN_PROCESS_DIED', message: 'It died.', retryable: true, step: null } as const;
  const retry = (claimed: ClaimedRun, delayMs: number) => shop.runs.retryAttempt({ ...held(claimed), delayMs, error: died, metrics: noMetrics, steps: [] });
  const claim = () => shop.runs.claim({ worker: shop.name });

  it('is queued again with its error, lets the runs behind it pass, and is claimed when its time has come by the clock of the graph', async () => {
    const [pipeline = { namespace: '', name: '' }, other = { namespace: '', name: '' }] = await savePipelines('again', 2);
    const { id } = await queue(pipeline);
    const behind = [await queue(pipeline), await queue(other)];
    const first = await claim();
    expect(first?.run.id).toBe(id);
    await retry(first as ClaimedRun, 60_000);
    expect(await shop.runs.get(id)).toMatchObject({ state: 'QUEUED', attempt: 1, epoch: 2, error: died, notBefore: expect.any(String), endedAt: null });
    expect((await claimAll(1)).map(({ run }) => run.id)).toEqual(behind.map((run) => run.id));
    await shop.query('MATCH (run:Run {id: $id}) SET run.state = "ABORT" WITH run MATCH (run)-[:OF]->(pipeline) SET pipeline.runningRunId = null', {
      id: behind[0]?.id,
    });
    expect(await claim()).toBeNull();
    await shop.query('MATCH (run:Run {id: $id}) SET run.notBefore = datetime.realtime()', { id });
    expect(await claim()).toMatchObject({ run: { id, state: 'RUNNING', attempt: 2, error: died, notBefore: null }, failedAttempts: 1, takeovers: 0 });
  });

  it('takes no late report of that attempt', async () => {
    const [pipeline = { namespace: '', name: '' }] = await savePipelines('late', 1);
    await queue(pipeline);
    const first = (await claim()) as ClaimedRun;
    await retry(first, 0);
    expect(await claim()).toMatchObject({ run: { attempt: 2, epoch: 3 } });
    await expect(retry(first, 0)).rejects.toMatchObject({ code: 'LEASE_LOST' });
    await expect(finish(first)).rejects.toMatchObject({ code: 'LEASE_LOST' });
    await expect(shop.runs.handBack(held(first))).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect(await shop.runs.renew(held(first))).toBe('lost');
  });

  it('does not wait when it is asked to end, before or afterwards', async () => {
    const [before = { namespace: '', name: '' }, behind = { namespace: '', name: '' }] = await savePipelines('unwanted', 2);
    await queue(before);
    const first = (await claim()) as ClaimedRun;
    await shop.runs.cancel(first.run.id);
    await retry(first, 60_000);
    expect(await claim()).toMatchObject({ run: { id: first.run.id, attempt: 2 }, cancelRequested: true });
    await queue(behind);
    const second = (await claim()) as ClaimedRun;
    await retry(second, 60_000);
    expect(await shop.runs.cancel(second.run.id)).toMatchObject({ outcome: 'cancelled', run: { state: 'ABORT', error: died } });
  });

  it('8 workers that fail and claim again: each attempt is made once', async () => {
    const pipelines = await savePipelines('failing', 10);
    await Promise.all(pipelines.map(queue));
    const attempts: string[] = [];
    const work = async (claimed: ClaimedRun): Promise<void> => {
      attempts.push(`${claimed.pipeline.name} ${claimed.run.attempt} ${claimed.failedAttempts}`);
      await (claimed.run.attempt < 4 ? retry(claimed, 0) : finish(claimed));
    };
    while (attempts.length < 40) await claimAll(8, work);
    expect(attempts.sort()).toEqual(pipelines.flatMap(({ name }) => [1, 2, 3, 4].map((attempt) => `${name} ${attempt} ${attempt - 1}`)));
  });

  it('counts a run that is given back neither as failed nor as taken over', async () => {
    const [pipeline = { namespace: '', name: '' }] = await savePipelines('back', 1);
    await queue(pipeline);
    await shop.runs.handBack(held((await claim()) as ClaimedRun));
    expect(await claim()).toMatchObject({ run: { attempt: 2, error: null }, failedAttempts: 0, takeovers: 0 });
    await shop.runs.recover({ workers: [shop.name] });
    expect(await claim()).toMatchObject({ run: { attempt: 3 }, failedAttempts: 0, takeovers: 1 });
  });
});

describe('a start with an idempotency key', () => {
  const start = (pipeline: { namespace: string; name: string }, idempotencyKey: string, params: unknown = null) =>
    shop.runs.start({ pipeline, trigger: 'test', params, idempotencyKey });
  const idOf = (started: Awaited<ReturnType<typeof start>>): string => (started.outcome === 'queued' ? started.run.id : started.message);

  it('asked for 20 times at once is one run', async () => {
    const [pipeline = { namespace: '', name: '' }] = await savePipelines('keyed', 1);
    const started = await Promise.all(Array.from({ length: 20 }, () => start(pipeline, 'order 1')));
    expect(new Set(started.map(idOf)).size).toBe(1);
    expect((await shop.runs.list({ job: pipeline, first: 10, after: null })).totalCount).toBe(1);
    const id = (await claimAll(1))[0]?.run.id;
    expect(idOf(await start(pipeline, 'order 1', {}))).toBe(id);
    expect(idOf(await start(pipeline, 'order 2'))).not.toBe(id);
  });

  it('is another run for another pipeline, and a conflict with other params', async () => {
    const [one = { namespace: '', name: '' }, two = { namespace: '', name: '' }] = await savePipelines('scoped', 2);
    const first = await start(one, 'same');
    expect(idOf(await start(two, 'same'))).not.toBe(idOf(first));
    expect(await start(one, 'same', { day: 1 })).toEqual({
      outcome: 'conflict',
      message: `Run ${idOf(first)} of ${one.namespace}/${one.name} was started with this idempotencyKey and other params. Use another key for another run.`,
    });
  });

  it.each(['', 'x'.repeat(256)])('is refused with a key of %#', async (key) => {
    const [pipeline = { namespace: '', name: '' }] = await savePipelines(`keys${key.length}`, 1);
    await expect(start(pipeline, key)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(start(pipeline, 'x'.repeat(255))).resolves.toMatchObject({ outcome: 'queued' });
  });
});

describe('retrying a run', () => {
  it('queues a new one that says what it does again, once at a time', async () => {
    const [pipeline = { namespace: '', name: '' }] = await savePipelines('retried', 1);
    const { id } = await queue(pipeline);
    expect(await shop.runs.retry(id)).toMatchObject({ outcome: 'conflict', message: expect.stringContaining('is QUEUED; only a run that is FAIL or ABORT') });
    const [claimed] = await claimAll(1);
    await finish(claimed as ClaimedRun);
    const retries = await Promise.all(Array.from({ length: 8 }, () => shop.runs.retry(id)));
    const [made, ...others] = retries.filter(({ outcome }) => outcome === 'queued');
    expect(others).toEqual([]);
    expect(made).toMatchObject({ run: { state: 'QUEUED', retryOf: id, trigger: 'retry', attempt: 0 } });
    const again = made?.outcome === 'queued' ? made.run.id : '';
    expect(retries.find(({ outcome }) => outcome === 'conflict')).toMatchObject({
      message: `Run ${again} is doing run ${id} again already; wait until it has ended.`,
    });
    await shop.runs.cancel(again);
    expect(await shop.runs.retry(id)).toMatchObject({ outcome: 'queued', run: { retryOf: id } });
  });

  it('is refused for one that is not there, one that took dead letters again, and one whose pipeline is deleted', async () => {
    const [pipeline = { namespace: '', name: '' }] = await savePipelines('refused', 1);
    expect(await shop.runs.retry('nothing')).toMatchObject({ outcome: 'notFound' });
    const replay = await shop.runs.start({ pipeline, trigger: 'replay' });
    const id = replay.outcome === 'queued' ? replay.run.id : '';
    await shop.runs.cancel(id);
    expect(await shop.runs.retry(id)).toMatchObject({ outcome: 'conflict', message: expect.stringContaining('call replayDeadLetters') });
    const other = await queue(pipeline);
    await shop.runs.cancel(other.id);
    await shop.query('MATCH (pipeline:Job {namespace: $namespace, name: $name}) SET pipeline.deletedAt = datetime()', pipeline);
    expect(await shop.runs.retry(other.id)).toMatchObject({ outcome: 'notFound' });
  });
});

describe('cancelling', () => {
  it('is refused for a run that has ended, and for one that is not there', async () => {
    const [pipeline] = await savePipelines('ended', 1);
    const { id } = await queue(pipeline ?? { namespace: '', name: '' });
    expect(await shop.runs.cancel(id)).toMatchObject({ outcome: 'cancelled', run: { state: 'ABORT', endedAt: expect.any(String), startedAt: null } });
    expect(await shop.runs.cancel(id)).toEqual({ outcome: 'conflict', message: `Run ${id} is ABORT already; only a queued or running run can be cancelled.` });
    expect(await shop.runs.cancel('nothing')).toMatchObject({ outcome: 'notFound' });
  });

  it('is remembered by a run that is queued again', async () => {
    const [pipeline] = await savePipelines('remembered', 1);
    await queue(pipeline ?? { namespace: '', name: '' });
    const claimed = await shop.runs.claim({ worker: shop.name });
    expect(claimed?.cancelRequested).toBe(false);
    await shop.runs.cancel(claimed?.run.id ?? '');
    expect(shop.cancelled).toContain(claimed?.run.id);
    await shop.runs.recover({ workers: [shop.name] });
    expect(await shop.runs.claim({ worker: 'w' })).toMatchObject({ cancelRequested: true });
  });
});

describe('listing runs', () => {
  it('gives pages, newest first, of one pipeline, of some states, since a time', async () => {
    const [pipeline = { namespace: '', name: '' }] = await savePipelines('listed', 1);
    const queued: string[] = [];
    for (let count = 0; count < 5; count += 1) queued.unshift((await queue(pipeline)).id);
    const first = await shop.runs.list({ job: pipeline, first: 2, after: null });
    expect(first).toMatchObject({ totalCount: 5, hasNextPage: true, hasPreviousPage: false });
    const second = await shop.runs.list({ job: pipeline, first: 3, after: first.items[1]?.cursor ?? '' });
    expect(second).toMatchObject({ totalCount: 5, hasNextPage: false, hasPreviousPage: true });
    expect([...first.items, ...second.items].map(({ node }) => node.id)).toEqual(queued);
    await shop.runs.cancel(queued[0] ?? '');
    expect((await shop.runs.list({ job: pipeline, state: ['ABORT'], first: 10, after: null })).items.map(({ node }) => node.id)).toEqual(queued.slice(0, 1));
    const since = first.items[1]?.node.queuedAt ?? '';
    expect((await shop.runs.list({ job: pipeline, since, first: 10, after: null })).totalCount).toBe(2);
    expect((await shop.runs.list({ since, first: 10, after: null })).items.map(({ node }) => node.id)).toEqual(queued.slice(0, 2));
    expect(await shop.runs.list({ job: { namespace: 'no', name: 'where' }, first: 10, after: null })).toMatchObject({ totalCount: 0, items: [] });
  });

  it.each([
    [{ first: 0, after: null }],
    [{ first: 1001, after: null }],
    [{ first: 1.5, after: null }],
    [{ first: 1, after: 'garbage' }],
    [{ first: 1, after: null, since: 'yesterday' }],
  ])('refuses %j', async (request) => {
    await expect(shop.runs.list(request)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });
});
