import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { eventually } from '../../support/eventually.js';
import { type Subscriber, subscribe, subscriptionQuery } from '../../support/feed-client.js';
import { type ApiProcess, publishInProcess, startApiProcess } from '../../support/live-processes.js';
import { documentsUri } from '../documents/documents-uri.js';

let uri: string;
let one: ApiProcess;
let other: ApiProcess;

beforeAll(async () => {
  uri = documentsUri();
  one = await startApiProcess(uri);
  other = await startApiProcess(uri);
}, 60_000);
afterAll(() => Promise.all([one?.stop(), other?.stop()]));

const query = subscriptionQuery('cursor seq message');

function follow(api: ApiProcess, after?: string): Subscriber {
  return subscribe(api.url, after === undefined ? {} : { after }, { query });
}

async function waiting(api: ApiProcess, count: number): Promise<void> {
  await eventually(`${count} wait`, async () => (await api.figures()).waiting === count);
}

/** Which run an event is of: a cursor is opaque to everyone but this test. */
function runOf(cursor: string): string {
  return JSON.parse(Buffer.from(cursor, 'base64url').toString())[1];
}

function assertWhole(subscriber: Pick<Subscriber, 'events'>, runs: number, eventsOfEach: number): void {
  const seqs = new Map<string, number[]>();
  for (const { cursor, seq } of subscriber.events) seqs.set(runOf(cursor), [...(seqs.get(runOf(cursor)) ?? []), seq]);
  expect(seqs.size).toBe(runs);
  const all = Array.from({ length: eventsOfEach }, (_, index) => index + 1);
  for (const found of seqs.values()) expect(found).toEqual(all);
}

describe('two API processes and two that publish', () => {
  it('give 10,000 events to subscribers on both, in order, none missing and none twice', async () => {
    const subscribers = [follow(one), follow(one), follow(other), follow(other)];
    await Promise.all([waiting(one, 2), waiting(other, 2)]);
    await Promise.all([publishInProcess(uri, 25, 200), publishInProcess(uri, 25, 200)]);
    for (const subscriber of subscribers) await subscriber.seen(10_000);
    for (const subscriber of subscribers) {
      assertWhole(subscriber, 50, 200);
      await subscriber.close();
    }
    const [cursors, others] = [subscribers[0], subscribers[2]].map((subscriber) => subscriber?.events.map(({ cursor }) => cursor));
    expect(cursors).toEqual(others);

    const first = subscribers[0]?.events ?? [];
    const resumed = follow(other, first[2_999]?.cursor);
    await resumed.seen(7_000);
    await resumed.close();
    expect(resumed.events.map(({ cursor }) => cursor)).toEqual(cursors?.slice(3_000));
  }, 180_000);

  it('read no more for a client that takes nothing, and give it everything afterwards', async () => {
    const subscriber = follow(one);
    const quick = follow(one);
    await waiting(one, 2);
    const before = await one.figures();
    const { _socket: socket } = subscriber.socket() as unknown as { _socket: { pause(): void; resume(): void } };
    socket.pause();
    await publishInProcess(uri, 20, 200, 10_000);
    await quick.seen(4_000);
    // 40 MB have gone to the other one. This one does not even ask for more: its last message has not left.
    await waiting(one, 1);
    const paused = await one.figures();
    expect(subscriber.events).toEqual([]);
    expect(paused.heapBytes - before.heapBytes).toBeLessThan(50 * 2 ** 20);
    socket.resume();
    await subscriber.seen(4_000);
    assertWhole(subscriber, 20, 200);
    await Promise.all([subscriber.close(), quick.close()]);
  }, 120_000);

  it('forget 1,000 subscribers that come and go, however they go, and keep none of their memory', async () => {
    const comeAndGo = async (): Promise<number> => {
      const clients = Array.from({ length: 20 }, () =>
        createClient({
          url: `${one.url.replace('http', 'ws').replace('localhost', '127.0.0.1')}/graphql`,
          webSocketImpl: WebSocket,
          retryAttempts: 0,
          lazy: false,
          onNonLazyError: () => undefined,
        }),
      );
      const sink = { next: () => undefined, error: () => undefined, complete: () => undefined };
      const ends = clients.flatMap((client) => Array.from({ length: 50 }, () => client.subscribe({ query }, sink)));
      await waiting(one, 1_000);
      for (const [index, end] of ends.entries()) if (index % 3 === 0) end();
      for (const [index, client] of clients.entries()) {
        if (index % 2 === 0) client.terminate();
        else await client.dispose();
      }
      await waiting(one, 0);
      const { open, heapBytes } = await one.figures();
      expect(open).toBe(0);
      return heapBytes;
    };
    // What the first round leaves is compiled code and the like; a second one leaves nothing more. 1,000 that wait hold half of this.
    const [first, second] = [await comeAndGo(), await comeAndGo()];
    expect(second - first).toBeLessThan(0.05 * first);
  }, 120_000);

  it('tell their clients when they go', async () => {
    const api = await startApiProcess(uri);
    const subscriber = follow(api);
    await waiting(api, 1);
    await api.stop();
    expect(await subscriber.ended()).toMatchObject({ code: 1001, reason: expect.stringContaining('Connect again') });
  });
});
