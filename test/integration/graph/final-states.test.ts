import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { claimRun } from '../../../src/graph/run-queue.js';
import { noMetrics, statesBefore } from '../../../src/model/run.js';
import type { ClaimedRun, Holder } from '../../../src/services/run-queue.js';
import { openShop, type Row, type Shop } from './shop.js';

let shop: Shop;

beforeAll(async () => {
  shop = await openShop('finalstates');
  await shop.database.query('CREATE TABLE orders (id integer PRIMARY KEY)');
});
afterAll(() => shop?.close());

async function claimedRun(name: string): Promise<ClaimedRun> {
  const pipeline = await shop.save({
    version: 1,
    name,
    namespace: shop.name,
    inputs: { orders: { connection: shop.name, stream: 'public.orders' } },
    outputs: [{ from: 'orders', connection: shop.name, stream: `mart.${name}`, load: { mode: 'append' } }],
  });
  const started = await shop.runs.start({ pipeline, trigger: 'test' });
  const claimed = await shop.runs.claim({ worker: shop.name });
  if (started.outcome !== 'queued' || claimed?.run.id !== started.run.id) throw new Error(`Another run was queued: ${claimed?.run.id}`);
  return claimed;
}

/** Everything but the mark that a lock leaves. */
async function nodeOf(id: string): Promise<Row | undefined> {
  const [found] = await shop.query('MATCH (run:Run {id: $id}) RETURN run {.*, lock: null} AS run', { id });
  return found;
}

const report = { metrics: { ...noMetrics, rowsRead: 9 }, steps: [] };
const error = { code: 'INTERNAL', message: 'Late.', retryable: false, step: null } as const;
const nothingRun = { compiled: { inputs: [], steps: [], outputs: [] }, summary: { ...report, outputs: [] } };
const changes: Readonly<Record<string, (held: Holder) => Promise<void>>> = {
  COMPLETE: (held) => shop.runs.complete({ ...held, ...nothingRun }),
  FAIL: (held) => shop.runs.fail({ ...held, ...report, error }),
  ABORT: (held) => shop.runs.abort({ ...held, ...report }),
  'another attempt': (held) => shop.runs.retryAttempt({ ...held, ...report, delayMs: 0, error }),
  'giving back': (held) => shop.runs.handBack(held),
  progress: (held) => shop.runs.progress({ ...held, ...report }),
};

describe('a run that is in a final state', () => {
  it.each(['COMPLETE', 'FAIL', 'ABORT', 'SKIPPED'])('%s is changed by nothing, not even by the epoch that holds it', async (state) => {
    const { id, epoch, pipelineId } = (await claimedRun(state.toLowerCase())).run;
    await shop.query(
      `MATCH (run:Run {id: $id})-[:OF]->(pipeline) SET pipeline.runningRunId = null
       SET run.state = $state, run.numberedState = $state, run.endedAt = datetime(), run.leaseUntil = datetime() - duration({hours: 1})`,
      { id, state },
    );
    const ended = await nodeOf(id);

    expect(await shop.runs.claim({ worker: shop.name })).toBeNull();
    const claim = { runId: id, pipelineId, claim: 'late', from: statesBefore('RUNNING'), worker: shop.name, leaseSeconds: 60, lock: 'late' };
    expect(await shop.graph.write(claimRun, claim)).toEqual([]);
    for (const [change, make] of Object.entries(changes)) {
      // The same end once more is the same report, sent again because its answer was lost.
      if (change === state) await make({ runId: id, epoch });
      else await expect(make({ runId: id, epoch })).rejects.toMatchObject({ code: 'LEASE_LOST' });
    }
    expect(await shop.runs.renew({ runId: id, epoch })).toBe('lost');
    expect(await shop.runs.recover({ workers: [shop.name] })).toBe(0);
    expect(await shop.runs.cancel(id)).toMatchObject({ outcome: 'conflict', message: expect.stringContaining(`is ${state} already`) });
    expect(await nodeOf(id)).toEqual(ended);
  });
});
