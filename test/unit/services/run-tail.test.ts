import { afterEach, describe, expect, it } from '@jest/globals';
import { noMetrics } from '../../../src/model/run.js';
import type { RunEvent } from '../../../src/model/run-log.js';
import { ManyRuns, OneRun } from '../../../src/services/run-event-sources.js';
import { RunEventStream } from '../../../src/services/run-event-stream.js';
import { RunTail } from '../../../src/services/run-tail.js';
import { eventually } from '../../support/eventually.js';
import { keptLog } from '../worker/scripted-run.js';

/** A log in memory: one event for each append; `null` is announced and not made. */
class Log {
  readonly appends: (RunEvent | null)[] = [];
  readonly fenced: number[] = [];
  reads = 0;
  failing = false;
  /** Told of what this process appends. */
  made: (position: number, events: readonly RunEvent[]) => void = () => undefined;
  readonly feed = {
    follow: (listener: Log['made']): void => {
      this.made = listener;
    },
    last: async (): Promise<number> => this.appends.length,
    fence: async (position: number): Promise<void> => {
      this.fenced.push(position);
    },
    read: async (after: number, limit: number, wanted: (event: RunEvent) => boolean = () => true) => {
      this.reads += 1;
      if (this.failing) throw new Error('away');
      const events: RunEvent[] = [];
      for (let position = after + 1; position <= after + limit; position += 1) {
        const event = this.appends[position - 1];
        if (event === undefined) return { position: position - 1, events, waitingFor: null };
        if (event === null && !this.fenced.includes(position)) return { position: position - 1, events, waitingFor: position };
        if (event !== null && wanted(event)) events.push(event);
      }
      return { position: after + limit, events, waitingFor: null };
    },
  };

  append(runId: string, state: RunEvent['state'] = 'RUNNING', pipelineId = 'job_1'): RunEvent {
    const seq = this.appends.filter((event) => event?.runId === runId).length + 1;
    const event: RunEvent = {
      runId,
      pipelineId,
      seq,
      position: this.appends.length + 1,
      kind: 'state',
      at: '2026-01-31T12:00:00Z',
      state,
      attempt: 1,
      message: null,
      metrics: noMetrics,
      durationMs: null,
      rowsPerSecond: null,
      stage: null,
      step: null,
      secondsLeft: null,
    };
    this.appends.push(event);
    return event;
  }

  async events(runId: string, afterSeq: number, limit: number): Promise<RunEvent[]> {
    return this.appends.filter((event) => event !== null && event.runId === runId && event.seq > afterSeq).slice(0, limit) as RunEvent[];
  }
}

const tails: RunTail[] = [];
afterEach(() => Promise.all(tails.splice(0).map((tail) => tail.stop())));

async function follow(log: Log, times = {}): Promise<RunTail> {
  const tail = new RunTail({ feed: log.feed, logger: keptLog().logger, times: { lookEveryMs: 20, retryEveryMs: 5, ...times } });
  tails.push(tail);
  await tail.start();
  return tail;
}

const everything = async () => null;

function all(tail: RunTail, log: Log): RunEventStream {
  return new RunEventStream(tail, new ManyRuns(tail, log, 'all', everything, null));
}

async function take(stream: RunEventStream, count: number): Promise<number[]> {
  const positions: number[] = [];
  while (positions.length < count) {
    const { value } = await stream.next();
    if (value === undefined) break;
    positions.push(value.position);
  }
  return positions;
}

describe('the tail of the feed', () => {
  it('finds by itself what nobody told it of', async () => {
    const log = new Log();
    const tail = await follow(log);
    log.append('a');
    await eventually('it is read', async () => tail.position === 1);
  });

  it('takes what its own process appends without reading it, when it comes next', async () => {
    const log = new Log();
    const tail = await follow(log, { lookEveryMs: 60_000 });
    const { reads } = log;
    const stream = all(tail, log);
    const first = take(stream, 1);
    log.made(1, [log.append('a')]);
    expect(await first).toEqual([1]);
    log.append('another process');
    log.made(3, [log.append('a')]);
    expect([tail.position, log.reads]).toEqual([1, reads]);
    tail.wake();
    expect(await take(stream, 2)).toEqual([2, 3]);
    log.made(3, [log.appends[2] as RunEvent]);
    expect(tail.position).toBe(3);
  });

  it('waits for an append that is announced, and fences it when it is not made in time', async () => {
    const log = new Log();
    const tail = await follow(log, { patienceMs: 100 });
    log.appends.push(null);
    log.append('a');
    const beganAtMs = performance.now();
    tail.wake();
    await eventually('it goes on', async () => tail.position === 2);
    expect(performance.now() - beganAtMs).toBeGreaterThanOrEqual(100);
    expect(log.fenced).toEqual([1]);
  });

  it('does not fence what is made in time', async () => {
    const log = new Log();
    const tail = await follow(log, { patienceMs: 60_000 });
    log.appends.push(null);
    tail.wake();
    const { reads } = log;
    await eventually('it looks again and again', async () => log.reads > reads + 3);
    log.appends.pop();
    log.append('a');
    await eventually('it is read', async () => tail.position === 1);
    expect(log.fenced).toEqual([]);
  });

  it('goes on when the log was away', async () => {
    const log = new Log();
    const tail = await follow(log);
    log.failing = true;
    log.append('a');
    const { reads } = log;
    await eventually('it tries again', async () => log.reads > reads + 2);
    log.failing = false;
    await eventually('it is read', async () => tail.position === 1);
  });

  it('keeps a bounded part of what it has read, and says so when more is asked for', async () => {
    const log = new Log();
    const tail = await follow(log);
    for (let number = 0; number < 5_000; number += 1) log.append('a');
    tail.wake();
    await eventually('all is read', async () => tail.position === 5_000);
    expect(tail.since(0)).toBeNull();
    expect(tail.since(4_500)?.events).toHaveLength(200);
    expect(tail.since(4_900)).toMatchObject({ position: 5_000, events: { length: 100 } });
    expect(tail.since(5_000)).toEqual({ position: 5_000, events: [] });
  });
});

describe('a stream of many runs', () => {
  it('gives everything in order, though it is far behind the tail', async () => {
    const log = new Log();
    const tail = await follow(log);
    const stream = all(tail, log);
    for (let number = 0; number < 6_000; number += 1) log.append(`run ${number % 7}`);
    tail.wake();
    await eventually('all is read', async () => tail.position === 6_000);
    expect(await take(stream, 6_000)).toEqual(Array.from({ length: 6_000 }, (_, index) => index + 1));
    await stream.return();
  });

  it('wakes only for its own job, and then need not look at what came before', async () => {
    const log = new Log();
    const tail = await follow(log);
    const stream = new RunEventStream(tail, new ManyRuns(tail, log, 'job:job_2', async () => new Set(['job_2']), null));
    const waiting = stream.next();
    await eventually('it waits', async () => tail.waiting === 1);
    for (let number = 0; number < 5_000; number += 1) log.append('a');
    tail.wake();
    await eventually('all is read', async () => tail.position === 5_000);
    expect(tail.waiting).toBe(1);
    const { reads } = log;
    log.append('b', 'QUEUED', 'job_2');
    tail.wake();
    expect((await waiting).value).toMatchObject({ runId: 'b', position: 5_001 });
    expect(log.reads - reads).toBeLessThanOrEqual(2);
    await stream.return();
  });
});

describe('a stream of one run', () => {
  it('ends behind its last event, whether it is read from the log or from the tail', async () => {
    for (const early of [true, false]) {
      const log = new Log();
      const tail = await follow(log);
      log.append('a', 'QUEUED');
      if (early) log.append('a', 'COMPLETE');
      const stream = new RunEventStream(tail, new OneRun(tail, log, 'a', 0, false));
      expect(await take(stream, 1)).toEqual([1]);
      const rest = take(stream, 5);
      if (!early) {
        await eventually('it waits', async () => tail.waiting === 1);
        log.append('b');
        log.append('a', 'COMPLETE');
        tail.wake();
      }
      expect(await rest).toEqual([early ? 2 : 3]);
      expect(tail.waiting).toBe(0);
    }
  });

  it('of a run whose log is whole ends though no event says so', async () => {
    const log = new Log();
    const tail = await follow(log);
    log.append('a', 'QUEUED');
    expect(await take(new RunEventStream(tail, new OneRun(tail, log, 'a', 0, true)), 5)).toEqual([1]);
  });
});

describe('a stream that nobody reads any more', () => {
  it('ends at once while it waits, and leaves nothing behind', async () => {
    const log = new Log();
    const tail = await follow(log);
    let closed = 0;
    const stream = new RunEventStream(tail, new ManyRuns(tail, log, 'all', everything, null), () => {
      closed += 1;
    });
    const waiting = stream.next();
    await eventually('it waits', async () => tail.waiting === 1);
    expect(await stream.return()).toEqual({ done: true, value: undefined });
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(tail.waiting).toBe(0);
    await stream.return();
    expect(closed).toBe(1);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('ends also when it is about to wait', async () => {
    const log = new Log();
    const tail = await follow(log);
    let answer = (): void => undefined;
    const asked = new Promise<null>((resolve) => {
      answer = () => resolve(null);
    });
    log.append('a');
    const stream = new RunEventStream(tail, new ManyRuns(tail, log, 'all', () => asked, { position: 1, seq: 1 }));
    tail.wake();
    await eventually('it is read', async () => tail.position === 1);
    const waiting = stream.next();
    await stream.return();
    answer();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(tail.waiting).toBe(0);
  });

  it('fails once, and then is over', async () => {
    const log = new Log();
    const tail = await follow(log);
    log.append('a');
    await eventually('it is read', async () => tail.position === 1);
    const stream = new RunEventStream(tail, new ManyRuns(tail, log, 'all', () => Promise.reject(new Error('away')), { position: 1, seq: 0 }));
    await expect(stream.next()).rejects.toThrow('away');
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });
});
