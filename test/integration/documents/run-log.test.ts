import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose, { type Connection } from 'mongoose';
import { Documents } from '../../../src/documents/documents.js';
import type { NewEntry, RunLogStore } from '../../../src/documents/run-log.js';
import { bucketModel, feedModel } from '../../../src/documents/run-log-document.js';
import { noMetrics, type RunState } from '../../../src/model/run.js';
import type { LoggedRun } from '../../../src/model/run-log.js';
import { documentsUri } from './documents-uri.js';

let one: Documents;
let other: Documents;
let raw: Connection;

beforeAll(async () => {
  const uri = documentsUri();
  one = await Documents.open({ uri });
  other = await Documents.open({ uri });
  raw = await mongoose.createConnection(uri).asPromise();
});

afterAll(async () => {
  await Promise.all([one.close(), other.close(), raw.close()]);
});

function newRun(): LoggedRun {
  return { runId: randomUUID(), pipelineId: 'job_1' };
}

function entry(transition: number | null, message: string, state: RunState = 'RUNNING'): NewEntry {
  const event = { at: '2026-01-31T12:00:00.000000Z', state, attempt: 1, message, metrics: noMetrics, durationMs: null, rowsPerSecond: null, secondsLeft: null };
  return { transition, event: { ...event, kind: transition === null ? 'progress' : 'state', stage: null, step: null } };
}

async function messages(store: RunLogStore, { runId }: LoggedRun): Promise<(string | null)[]> {
  return (await store.events(runId, 0, 100_000)).map(({ message }) => message);
}

/** Everything behind a position, in the order of the feed. */
async function follow(store: RunLogStore, after: number): Promise<{ position: number; runId: string; seq: number; message: string | null }[]> {
  const found = [];
  for (let position = after; ; ) {
    const page = await store.feed.read(position, 64);
    found.push(...page.events);
    if (page.position < position + 64) return found;
    position = page.position;
  }
}

describe('the log of a run', () => {
  it('numbers events from 1 without gaps, over several documents', async () => {
    const run = newRun();
    const all = Array.from({ length: 450 }, (_, index) => `event ${index + 1}`);
    for (let from = 0; from < all.length; ) {
      await one.runLog.append(run, ({ last }) => {
        from = last;
        return all.slice(last).map((message) => entry(null, message));
      });
      from = await one.runLog.lastSeq(run.runId);
    }
    const events = await other.runLog.events(run.runId, 0, 1_000);
    expect(events.map(({ seq }) => seq)).toEqual(all.map((_, index) => index + 1));
    expect(await messages(other.runLog, run)).toEqual(all);
    expect((await other.runLog.events(run.runId, 199, 3)).map(({ seq }) => seq)).toEqual([200, 201, 202]);
    expect(await bucketModel(raw).countDocuments({ runId: run.runId })).toBe(3);
  });

  it('takes each change of state once, whoever brings it again', async () => {
    const run = newRun();
    const changes = [entry(1, 'queued', 'QUEUED'), entry(2, 'runs'), entry(3, 'done', 'COMPLETE')];
    const bring = (store: RunLogStore, known: readonly NewEntry[]) =>
      store.append(run, ({ lastTransition }) => known.filter(({ transition }) => (transition ?? 0) > lastTransition));
    await bring(one.runLog, changes.slice(0, 2));
    expect(await bring(other.runLog, changes)).not.toBeNull();
    expect(await bring(one.runLog, changes)).toBeNull();
    expect(await bring(other.runLog, changes.slice(0, 1))).toBeNull();
    expect(await messages(one.runLog, run)).toEqual(['queued', 'runs', 'done']);
  });

  it('is in one order for eight appenders in two processes, with positions that rise with it', async () => {
    const run = newRun();
    const before = await one.runLog.feed.last();
    const appenders = Array.from({ length: 8 }, async (_, appender) => {
      const { runLog } = appender % 2 === 0 ? one : other;
      for (let number = 1; number <= 30; number += 1) await runLog.append(run, () => [entry(null, `${appender}/${number}`)]);
    });
    await Promise.all(appenders);
    const events = await one.runLog.events(run.runId, 0, 1_000);
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 240 }, (_, index) => index + 1));
    for (let appender = 0; appender < 8; appender += 1) {
      const own = events.map(({ message }) => message ?? '').filter((message) => message.startsWith(`${appender}/`));
      expect(own).toEqual(Array.from({ length: 30 }, (_, index) => `${appender}/${index + 1}`));
    }
    expect(events.every(({ position }, index) => index === 0 || position > (events[index - 1]?.position ?? 0))).toBe(true);
    expect((await follow(other.runLog, before)).map(({ seq }) => seq)).toEqual(events.map(({ seq }) => seq));
    expect(await feedModel(raw).countDocuments({ runId: run.runId, void: true })).toBeGreaterThan(0);
  });
});

describe('the feed of all logs', () => {
  it('holds its readers up at an append that is announced, until it is made', async () => {
    const [run, late] = [newRun(), newRun()];
    const before = await one.runLog.feed.last();
    await one.runLog.append(run, () => [entry(1, 'first')]);
    const announced = await one.runLog.feed.announce(late, 1, [entry(1, 'late').event]);
    await other.runLog.append(run, () => [entry(2, 'behind')]);
    const page = await other.runLog.feed.read(before, 64);
    expect(page).toMatchObject({ position: before + 1, waitingFor: announced, events: [{ message: 'first' }] });
    await other.runLog.feed.fence(announced);
    expect((await other.runLog.feed.read(before, 64)).events.map(({ message }) => message)).toEqual(['first', 'behind']);
  });

  it('lets nobody make an append that was fenced, neither in a new document nor in one that is there', async () => {
    for (const first of [0, 5]) {
      const run = newRun();
      for (let seq = 1; seq <= first; seq += 1) await one.runLog.append(run, () => [entry(null, `before ${seq}`)]);
      const before = await one.runLog.feed.last();
      let fenced = false;
      const store = one.runLog;
      const { feed } = store;
      const announce = feed.announce.bind(feed);
      feed.announce = async (...args) => {
        const position = await announce(...args);
        if (!fenced) await other.runLog.feed.fence(position);
        fenced = true;
        return position;
      };
      await store.append(run, () => [entry(null, 'late')]);
      feed.announce = announce;
      const events = await other.runLog.events(run.runId, first, 10);
      expect(events).toMatchObject([{ message: 'late', seq: first + 1, position: before + 2 }]);
      expect((await follow(other.runLog, before)).map(({ message }) => message)).toEqual(['late']);
    }
  });

  it('passes an append whose place another one took before it was marked as void', async () => {
    const run = newRun();
    const before = await one.runLog.feed.last();
    await one.runLog.feed.announce(run, 1, [entry(1, 'never').event]);
    await other.runLog.append(run, () => [entry(1, 'made')]);
    expect(await follow(one.runLog, before)).toMatchObject([{ message: 'made', position: before + 2 }]);
  });

  it('fills a position that a failover took back', async () => {
    const run = newRun();
    const before = await one.runLog.feed.last();
    await one.runLog.append(run, () => [entry(1, 'first')]);
    await one.runLog.append(run, () => [entry(2, 'second')]);
    await feedModel(raw).deleteOne({ _id: before + 1 });
    expect(await one.runLog.feed.read(before, 64)).toMatchObject({ position: before, waitingFor: before + 1 });
    await one.runLog.feed.fence(before + 1);
    expect((await one.runLog.feed.read(before, 64)).events.map(({ message }) => message)).toEqual(['second']);
  });
});
