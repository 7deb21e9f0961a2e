import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Documents } from '../../../src/documents/documents.js';
import { noMetrics } from '../../../src/model/run.js';
import type { RunEvent } from '../../../src/model/run-log.js';
import { RunLogService } from '../../../src/services/run-log.js';
import type { ClaimedRun } from '../../../src/services/run-queue.js';
import { RunService } from '../../../src/services/runs.js';
import { type Cuttable, cuttable } from '../../support/cuttable.js';
import { keptLog } from '../../unit/worker/scripted-run.js';
import { documentsUri } from '../documents/documents-uri.js';
import { openShop, type Shop } from './shop.js';

let shop: Shop;
let way: Cuttable;
let documents: Documents;
/** On a direct way, as another process has it. */
let other: Documents;
let log: RunLogService;
let otherLog: RunLogService;
/** Tells its log of every change. */
let runs: RunService;
let lines: readonly string[];

beforeAll(async () => {
  shop = await openShop('runlog');
  await shop.database.query('CREATE TABLE orders (id integer PRIMARY KEY)');
  for (const name of ['orders', 'removed']) await save(name);
  const uri = documentsUri();
  way = await cuttable(uri);
  [documents, other] = await Promise.all([Documents.open({ uri: way.url }), Documents.open({ uri })]);
  const { logger, lines: kept } = keptLog();
  lines = kept;
  const parts = { graph: shop.graph, onAppended: () => undefined, logger };
  log = new RunLogService({ ...parts, log: documents.runLog });
  otherLog = new RunLogService({ ...parts, log: other.runLog });
  runs = new RunService({ graph: shop.graph, onQueued: () => undefined, onCancel: () => undefined, onTransition: (ids) => log.changed(ids) });
}, 300_000);
afterAll(async () => {
  await Promise.all([documents?.close(), other?.close(), shop?.close()]);
  await way?.close();
});

function save(name: string) {
  return shop.save({
    version: 1,
    name,
    namespace: shop.name,
    inputs: { rows: { connection: shop.name, stream: 'public.orders' } },
    outputs: [{ from: 'rows', connection: shop.name, stream: `mart.${name}`, load: { mode: 'upsert', key: ['id'] } }],
  });
}

/** @param by  one that tells no log: as if the process died behind its commit */
async function start(by: RunService = runs, name = 'orders'): Promise<string> {
  const started = await by.start({ pipeline: { namespace: shop.name, name }, trigger: 'test' });
  if (started.outcome !== 'queued') throw new Error(started.message);
  return started.run.id;
}

async function claim(runId: string, by: RunService = runs): Promise<ClaimedRun> {
  const claimed = await by.claim({ worker: shop.name });
  if (claimed?.run.id !== runId) throw new Error(`Another run was queued: ${claimed?.run.id}`);
  return claimed;
}

function fail({ run: { id: runId, epoch } }: ClaimedRun, by: RunService = runs): Promise<void> {
  return by.fail({
    runId,
    epoch,
    metrics: { ...noMetrics, rowsRead: 3 },
    steps: [],
    error: { code: 'SOURCE_FAILED', message: 'away', retryable: true, step: null },
  });
}

function events(runId: string): Promise<RunEvent[]> {
  return other.runLog.events(runId, 0, 1_000);
}

async function states(runId: string): Promise<string[]> {
  return (await events(runId)).map(({ state }) => state);
}

/** What the graph still keeps of a run. */
async function kept(runId: string): Promise<unknown> {
  const [row] = await shop.query('MATCH (run:Run {id: $runId}) RETURN coalesce(size(run.unlogged), 0) AS kept, run.unloggedSince IS NULL AS done', { runId });
  return row;
}

/** What waits is left by others only after 2 s. */
async function age(runId: string): Promise<void> {
  await shop.query("MATCH (run:Run {id: $runId}) SET run.unloggedSince = run.unloggedSince - duration('PT1H')", { runId });
}

describe('every change of state', () => {
  it('is in the log once its transaction has been committed, in order, with its figures', async () => {
    const runId = await start();
    const claimed = await claim(runId);
    await fail(claimed);
    await log.settled();
    const found = await events(runId);
    expect(found).toMatchObject([
      { seq: 1, kind: 'state', state: 'QUEUED', attempt: 0, message: 'Queued (test).', durationMs: null, rowsPerSecond: null },
      { seq: 2, state: 'RUNNING', attempt: 1, message: 'Attempt 1 begins.' },
      { seq: 3, state: 'FAIL', attempt: 1, message: 'SOURCE_FAILED: away', metrics: { rowsRead: 3 } },
    ]);
    expect(found.every(({ at }) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(at))).toBe(true);
    expect(found.map(({ at }) => at)).toEqual(found.map(({ at }) => at).sort());
    const run = await runs.get(runId);
    const durationMs = Date.parse(run?.endedAt ?? '') - Date.parse(run?.startedAt ?? '');
    expect(Math.abs((found[2]?.durationMs ?? 0) - durationMs)).toBeLessThanOrEqual(1);
    expect(await kept(runId)).toEqual({ kept: 0, done: true });
  });

  it('is numbered by whatever makes it: cancel, deletion, a crash', async () => {
    const cancelled = await start();
    await runs.cancel(cancelled);
    const recovered = await start();
    await claim(recovered);
    expect(await runs.recover({ workers: [shop.name] })).toBe(1);
    await fail(await claim(recovered));
    await log.settled();
    expect(await states(cancelled)).toEqual(['QUEUED', 'ABORT']);
    expect(await states(recovered)).toEqual(['QUEUED', 'RUNNING', 'QUEUED', 'RUNNING', 'FAIL']);
    const removed = await start(runs, 'removed');
    await shop.pipelines.delete({ namespace: shop.name, name: 'removed' });
    await log.flush([removed]);
    expect(await events(removed)).toMatchObject([{ state: 'QUEUED' }, { state: 'ABORT', message: 'Its pipeline was deleted before it was started.' }]);
  });

  it('is numbered once when a transaction is tried again whose commit was not known', async () => {
    const id = await start();
    const again = await runs.start({ pipeline: { namespace: shop.name, name: 'orders' }, trigger: 'test', id });
    expect(again.outcome).toBe('queued');
    await fail(await claim(id));
    await log.settled();
    expect(await states(id)).toEqual(['QUEUED', 'RUNNING', 'FAIL']);
  });
});

describe('what a crash leaves', () => {
  it('between the graph and the log is brought into the log by another process', async () => {
    const runId = await start(shop.runs);
    await fail(await claim(runId, shop.runs), shop.runs);
    expect(await states(runId)).toEqual([]);
    expect(await kept(runId)).toEqual({ kept: 3, done: false });
    await age(runId);
    expect(await otherLog.flushLeft()).toBeGreaterThan(0);
    expect(await states(runId)).toEqual(['QUEUED', 'RUNNING', 'FAIL']);
    expect(await kept(runId)).toEqual({ kept: 0, done: true });
  });

  it('between the log and the graph changes nothing when it is brought again', async () => {
    const runId = await start(shop.runs);
    await log.flush([runId]);
    const claimed = await claim(runId, shop.runs);
    // As it was before the first change was taken from the run.
    const [{ unlogged } = { unlogged: [] }] = await shop.query('MATCH (run:Run {id: $runId}) RETURN run.unlogged AS unlogged', { runId });
    await shop.query('MATCH (run:Run {id: $runId}) SET run.unlogged = [$first] + $unlogged', {
      runId,
      unlogged,
      first: '{"transition":1,"state":"QUEUED","attempt":0,"atMicros":1,"startedMicros":null,"endedMicros":null,"message":null,"metrics":{}}',
    });
    await fail(claimed, shop.runs);
    await Promise.all([log.flush([runId]), otherLog.flush([runId]), log.flush([runId])]);
    expect(await states(runId)).toEqual(['QUEUED', 'RUNNING', 'FAIL']);
    expect(await kept(runId)).toEqual({ kept: 0, done: true });
  });

  it('is shared by eight who find it at once', async () => {
    const ids: string[] = [];
    for (let number = 0; number < 5; number += 1) {
      const runId = await start(shop.runs);
      await fail(await claim(runId, shop.runs), shop.runs);
      ids.push(runId);
    }
    await Promise.all(Array.from({ length: 8 }, (_, index) => (index % 2 === 0 ? log : otherLog).flush(ids)));
    for (const id of ids) expect(await states(id)).toEqual(['QUEUED', 'RUNNING', 'FAIL']);
  });
});

describe('progress', () => {
  const progress = {
    at: '2026-01-31T12:00:00.000Z',
    stage: 'reading',
    step: null,
    metrics: noMetrics,
    durationMs: 1,
    rowsPerSecond: null,
    secondsLeft: null,
  } as const;

  it('is only taken from the attempt that runs', async () => {
    const runId = await start();
    const run = { runId, pipelineId: (await runs.get(runId))?.pipelineId ?? '' };
    await log.settled();
    await log.progress(run, 1, progress);
    await claim(runId);
    await runs.recover({ workers: [shop.name] });
    const second = await claim(runId);
    await log.settled();
    await otherLog.progress(run, 1, progress);
    await otherLog.progress(run, 2, progress);
    await fail(second);
    await log.settled();
    await otherLog.progress(run, 2, progress);
    expect((await events(runId)).map(({ kind, state, attempt }) => [kind, state, attempt])).toEqual([
      ['state', 'QUEUED', 0],
      ['state', 'RUNNING', 1],
      ['state', 'QUEUED', 1],
      ['state', 'RUNNING', 2],
      ['progress', 'RUNNING', 2],
      ['state', 'FAIL', 2],
    ]);
  });
});

describe('a MongoDB that is away', () => {
  it('costs no change of state, and keeps nobody who makes one waiting', async () => {
    way.cut();
    const beganAtMs = performance.now();
    const runId = await start();
    await fail(await claim(runId));
    expect(performance.now() - beganAtMs).toBeLessThan(4_000);
    await log.settled();
    expect(lines.join('')).toContain('Changes of state could not be logged now');
    expect(await states(runId)).toEqual([]);
    way.mend();
    await age(runId);
    await log.flushLeft();
    expect(await states(runId)).toEqual(['QUEUED', 'RUNNING', 'FAIL']);
    expect(await kept(runId)).toEqual({ kept: 0, done: true });
  });
});
