import { expect } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { type SeenEvent, type Subscriber, subscribe, subscriptionQuery } from '../support/feed-client.js';
import type { Tributary } from '../support/tributary.js';

interface EventOfRun extends SeenEvent {
  readonly run: { readonly id: string; readonly job: { readonly name: string } };
}

const query = subscriptionQuery('cursor seq kind state attempt message run { id job { name } }');

/** All runs, seen at one API. @param after  null: from now on */
export function follow(api: Tributary, after: string | null = null, onEvent: () => void = () => undefined): Subscriber {
  return subscribe(api.url, { after }, { query, onEvent });
}

/** Hangs up without a word when so many events of these jobs have come. */
export function followUntilCut(api: Tributary, jobs: readonly string[], count: number): Subscriber {
  const subscriber: Subscriber = follow(api, null, () => {
    if (eventsOf(subscriber, jobs).length === count) subscriber.socket().terminate();
  });
  return subscriber;
}

export function eventsOf(subscriber: Subscriber, jobs: readonly string[]): EventOfRun[] {
  return (subscriber.events as readonly EventOfRun[]).filter(({ run }) => jobs.includes(run.job.name));
}

export function cursorsOf(events: readonly SeenEvent[]): string[] {
  return events.map(({ cursor }) => cursor);
}

/** A subscription says nothing when it begins: runs are made until each of these has seen one. */
export async function untilAllFollow(subscribers: readonly Subscriber[], run: () => Promise<unknown>): Promise<void> {
  await eventually('every subscription has begun', async () => {
    if (subscribers.every(({ events }) => events.length > 0)) return true;
    await run();
    return false;
  });
}

export async function seenEnds(subscriber: Subscriber, jobs: readonly string[]): Promise<EventOfRun[]> {
  const ended = (): boolean => eventsOf(subscriber, jobs).filter(({ kind, state }) => kind === 'state' && state === 'COMPLETE').length === jobs.length;
  await eventually(`the end of ${jobs.join(', ')} is seen; the subscription's is ${JSON.stringify(subscriber.end())}`, async () => ended());
  return eventsOf(subscriber, jobs);
}

/** Of each run from its queueing to its end, in one attempt. */
export function assertWholeRuns(events: readonly EventOfRun[], runIds: readonly string[]): void {
  expect([...new Set(events.map(({ run }) => run.id))].sort()).toEqual([...runIds].sort());
  for (const id of runIds) {
    const own = events.filter(({ run }) => run.id === id);
    expect(own.map(({ seq }) => seq)).toEqual(own.map((_, index) => index + 1));
    expect(own.filter(({ kind }) => kind === 'state').map(({ state, attempt }) => `${state} ${attempt}`)).toEqual(['QUEUED 0', 'RUNNING 1', 'COMPLETE 1']);
    expect(own.some(({ kind }) => kind === 'progress')).toBe(true);
  }
}
