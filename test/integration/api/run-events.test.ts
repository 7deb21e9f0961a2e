import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { noMetrics } from '../../../src/model/run.js';
import type { ClaimedRun } from '../../../src/services/run-queue.js';
import { eventually } from '../../support/eventually.js';
import { codesOfEnd, eventFields, type Subscriber, type SubscriberOptions, subscribe, subscriptionQuery } from '../../support/feed-client.js';
import { openApi, type WholeApi } from './open-api.js';

let whole: WholeApi;
let namespace: string;
const subscribers: Subscriber[] = [];

beforeAll(async () => {
  whole = await openApi();
  namespace = whole.database.name;
  await whole.database.query('CREATE TABLE orders (id integer PRIMARY KEY, amount numeric(12,2))');
  for (const name of ['first', 'other']) await save(name, 'public.orders', `mart.${name}`);
}, 300_000);
afterEach(async () => {
  await Promise.all(subscribers.splice(0).map((subscriber) => subscriber.close()));
  await eventually('every subscription ends', async () => whole.live.events.open === 0);
  expect(whole.live.tail.waiting).toBe(0);
});
afterAll(() => whole?.close());

async function save(name: string, from: string, to: string): Promise<void> {
  const { connection } = whole;
  const spec = {
    version: 1,
    name,
    namespace,
    inputs: { rows: { connection, stream: from } },
    steps: [{ id: 'shaped', map: { from: 'rows', columns: { id: 'id', amount: 'amount' } } }],
    outputs: [{ from: 'shaped', connection, stream: to, load: { mode: 'upsert', key: ['id'] } }],
  };
  const saved = await whole.services.pipelines.save({ spec });
  expect(saved.outcome).toBe('saved');
}

function watch(variables: Readonly<Record<string, unknown>>, options: SubscriberOptions = {}): Subscriber {
  const subscriber = subscribe(whole.api.url, variables, options);
  subscribers.push(subscriber);
  return subscriber;
}

async function start(name: string): Promise<string> {
  const started = await whole.services.runs.start({ pipeline: { namespace, name }, trigger: 'manual' });
  if (started.outcome !== 'queued') throw new Error(started.message);
  return started.run.id;
}

/** Takes this run; others that stand before it in the queue are ended. */
async function claim(runId: string): Promise<ClaimedRun> {
  for (;;) {
    const claimed = await whole.services.runs.claim({ worker: namespace });
    if (claimed === null) throw new Error(`Run ${runId} is not queued.`);
    if (claimed.run.id === runId) return claimed;
    await whole.services.runs.abort({ runId: claimed.run.id, epoch: claimed.run.epoch, metrics: noMetrics, steps: [] });
  }
}

const error = { code: 'SOURCE_FAILED', message: 'The source is away.', retryable: true, step: null } as const;

async function fail({ run }: ClaimedRun): Promise<void> {
  await whole.services.runs.fail({ runId: run.id, epoch: run.epoch, metrics: { ...noMetrics, rowsRead: 7 }, steps: [], error });
}

async function wholeRun(name: string): Promise<string> {
  const runId = await start(name);
  await fail(await claim(runId));
  await whole.live.log.settled();
  return runId;
}

/** Until the server has the subscription. */
async function watching(count: number): Promise<void> {
  await eventually('the subscription begins to wait', async () => whole.live.tail.waiting === count);
}

describe('the subscription of one run', () => {
  it('begins with its first event, shows progress, and ends behind its last one', async () => {
    const runId = await start('first');
    const subscriber = watch({ run: runId });
    expect(await subscriber.seen(1)).toMatchObject([{ seq: 1, kind: 'state', state: 'QUEUED', message: 'Queued (manual).' }]);
    const claimed = await claim(runId);
    await whole.live.log.settled();
    const progress = { at: new Date().toISOString(), stage: 'reading', step: null, durationMs: 500, rowsPerSecond: 10, secondsLeft: 2.5 } as const;
    await whole.live.log.progress({ runId, pipelineId: claimed.run.pipelineId }, 1, { ...progress, metrics: { ...noMetrics, rowsRead: 5 } });
    await fail(claimed);
    expect(await subscriber.ended()).toBe('complete');
    expect(subscriber.events).toMatchObject([
      { seq: 1, state: 'QUEUED', attempt: 0 },
      { seq: 2, state: 'RUNNING', attempt: 1, message: 'Attempt 1 begins.' },
      { seq: 3, state: 'RUNNING', kind: 'progress', stage: 'reading', estimatedSecondsLeft: 2.5, metrics: { rowsRead: 5, rowsPerSecond: 10, durationMs: 500 } },
      { seq: 4, state: 'FAIL', kind: 'state', message: 'SOURCE_FAILED: The source is away.', metrics: { rowsRead: 7, durationMs: expect.any(Number) } },
    ]);
    const { data } = await whole.query(
      `query ($id: ID!) { run(id: $id) { log(first: 3) { totalCount pageInfo { hasNextPage endCursor } edges { node { ${eventFields} } } } } }`,
      {
        id: runId,
      },
    );
    expect(data).toMatchObject({
      run: { log: { totalCount: 4, pageInfo: { hasNextPage: true }, edges: subscriber.events.slice(0, 3).map((node) => ({ node })) } },
    });
    await whole.live.log.progress({ runId, pipelineId: claimed.run.pipelineId }, 1, { ...progress, metrics: noMetrics });
    expect((await whole.live.events.page(runId, { first: 10, after: null })).totalCount).toBe(4);
  });

  it('of a run that has ended replays what `after` leaves of it and completes', async () => {
    const runId = await wholeRun('first');
    const all = watch({ run: runId });
    expect(await all.ended()).toBe('complete');
    expect(all.events.map(({ seq, state }) => [seq, state])).toEqual([
      [1, 'QUEUED'],
      [2, 'RUNNING'],
      [3, 'FAIL'],
    ]);
    const rest = watch({ run: runId, after: all.events[1]?.cursor });
    expect(await rest.ended()).toBe('complete');
    expect(rest.events.map(({ seq }) => seq)).toEqual([3]);
    const none = watch({ run: runId, after: all.events[2]?.cursor });
    expect(await none.ended()).toBe('complete');
    expect(none.events).toEqual([]);
  });

  it('answers every event with what is true then', async () => {
    const runId = await start('first');
    const subscriber = watch({ run: runId }, { query: subscriptionQuery('seq run { state displayName job { name } }') });
    expect(await subscriber.seen(1)).toMatchObject([{ run: { state: 'QUEUED', job: { name: 'first' } } }]);
    const claimed = await claim(runId);
    expect(await subscriber.seen(2)).toMatchObject([{}, { run: { state: 'RUNNING' } }]);
    await fail(claimed);
    await subscriber.ended();
    expect(subscriber.events[2]).toMatchObject({ run: { state: 'FAIL' } });
  });
});

describe('the subscription of many runs', () => {
  it('shows one job from now on, and goes on behind a cursor', async () => {
    await wholeRun('first');
    const subscriber = watch({ job: { namespace, name: 'first' } });
    await watching(1);
    await wholeRun('other');
    const runId = await wholeRun('first');
    const events = await subscriber.seen(3);
    expect(events.map(({ seq, state }) => [seq, state])).toEqual([
      [1, 'QUEUED'],
      [2, 'RUNNING'],
      [3, 'FAIL'],
    ]);
    const again = watch({ job: { namespace, name: 'first' }, after: events[0]?.cursor });
    expect((await again.seen(2)).map(({ seq }) => seq)).toEqual([2, 3]);
    expect((await whole.live.events.page(runId, { first: 10, after: null })).items.map(({ cursor }) => cursor)).toEqual(events.map(({ cursor }) => cursor));
  });

  it('shows everything when nothing is chosen', async () => {
    const subscriber = watch({}, { query: subscriptionQuery('seq run { id }') });
    await watching(1);
    const ids = [await wholeRun('first'), await wholeRun('other')];
    const events = await subscriber.seen(6);
    expect(events.map(({ run }) => (run as { id: string }).id)).toEqual(ids.flatMap((id) => [id, id, id]));
  });

  it('shows the jobs downstream of a dataset, also those saved later', async () => {
    const dataset = { namespace: `postgres://localhost:${whole.database.port}`, name: `${whole.database.name}.mart.first` };
    const subscriber = watch({ downstreamOf: [{ dataset }] }, { query: subscriptionQuery('state run { job { name } }') });
    await watching(1);
    await wholeRun('first');
    await save('second', 'mart.first', 'mart.second');
    await save('third', 'mart.second', 'mart.third');
    await wholeRun('third');
    await wholeRun('other');
    await wholeRun('second');
    const events = await subscriber.seen(6);
    expect(events.map(({ run }) => (run as { job: { name: string } }).job.name)).toEqual(['third', 'third', 'third', 'second', 'second', 'second']);
  });

  it('shows the jobs downstream of a column and of a job, which is not downstream of itself', async () => {
    await save('second', 'mart.first', 'mart.second');
    await save('third', 'mart.second', 'mart.third');
    const store = `postgres://localhost:${whole.database.port}`;
    const column = (dataset: string) => ({ column: { namespace: store, dataset: `${whole.database.name}.${dataset}`, name: 'amount' } });
    const wanted: [Readonly<Record<string, unknown>>[], string[]][] = [
      [[column('mart.first')], ['second', 'third']],
      [[column('public.orders')], ['first', 'other', 'second', 'third']],
      [[{ job: { namespace, name: 'first' } }], ['second', 'third']],
      [[{ job: { namespace, name: 'second' } }], ['third']],
      [
        [{ job: { namespace, name: 'second' } }, column('mart.first')],
        ['second', 'third'],
      ],
    ];
    const query = subscriptionQuery('seq run { job { name } }');
    const all = wanted.map(([downstreamOf]) => watch({ downstreamOf }, { query }));
    await watching(all.length);
    // The last one is downstream of everything: nothing unwanted can still be on its way when it has come.
    for (const name of ['first', 'other', 'second', 'third']) await wholeRun(name);
    for (const [index, [, names]] of wanted.entries()) {
      const events = (await all[index]?.seen(3 * names.length)) ?? [];
      expect(events.map(({ seq, run }) => [(run as { job: { name: string } }).job.name, seq])).toEqual(
        names.flatMap((name) => [1, 2, 3].map((seq) => [name, seq])),
      );
    }
  });
});

describe('what cannot be subscribed to', () => {
  it.each([
    ['more than one choice', () => ({ run: randomUUID(), job: { namespace, name: 'first' } }), 'BAD_USER_INPUT'],
    ['no run of that id', () => ({ run: randomUUID() }), 'NOT_FOUND'],
    ['no job of that name', () => ({ job: { namespace, name: 'nothing' } }), 'NOT_FOUND'],
    ['no such node', () => ({ downstreamOf: [{ dataset: { namespace, name: 'nothing' } }] }), 'NOT_FOUND'],
    ['no node at all', () => ({ downstreamOf: [] }), 'BAD_USER_INPUT'],
    ['a node that is two', () => ({ downstreamOf: [{ id: 'ds_1', run: 'r' }] }), 'BAD_USER_INPUT'],
    ['no cursor', () => ({ after: 'abc' }), 'BAD_USER_INPUT'],
    ['a cursor from the future', () => ({ after: Buffer.from(JSON.stringify([10 ** 12, randomUUID(), 1])).toString('base64url') }), 'BAD_USER_INPUT'],
    ['a value of another type', () => ({ job: 'first' }), 'BAD_USER_INPUT'],
  ])('%s is refused with a code', async (_case, variables, code) => {
    const subscriber = watch(variables());
    expect(codesOfEnd(await subscriber.ended())).toEqual([code]);
  });

  it('a cursor of another run is refused by name', async () => {
    const [one, other] = [await wholeRun('first'), await wholeRun('first')];
    const seen = watch({ run: one });
    await seen.ended();
    const subscriber = watch({ run: other, after: seen.events[0]?.cursor });
    expect(await subscriber.ended()).toMatchObject([{ message: expect.stringContaining(`is a cursor of run ${one}`), extensions: { code: 'BAD_USER_INPUT' } }]);
  });

  it.each([
    ['a query', '{ connections { name } }', 'BAD_REQUEST'],
    ['a mutation', 'mutation { cancelRun(run: "1") { __typename } }', 'BAD_REQUEST'],
    ['no GraphQL', 'subscription {', 'GRAPHQL_PARSE_FAILED'],
    ['an unknown field', 'subscription { runUpdated { nothing } }', 'GRAPHQL_VALIDATION_FAILED'],
    ['deep nesting', `subscription ${'{ a '.repeat(70)}${'}'.repeat(70)}`, 'QUERY_TOO_LARGE'],
    ['many tokens', `subscription { runUpdated { ${'seq '.repeat(11_000)} } }`, 'GRAPHQL_PARSE_FAILED'],
    [
      'costly lists',
      'subscription { runUpdated { run { job { runs(first: 1000) { edges { node { job { runs(first: 1000) { edges { node { log(first: 1000) { edges { node { seq } } } } } } } } } } } } } }',
      'QUERY_TOO_LARGE',
    ],
  ])('%s is refused over a WebSocket', async (_case, query, code) => {
    expect(codesOfEnd(await watch({}, { query }).ended())).toEqual([code]);
  });
});
