import { describe, expect, it } from '@jest/globals';
import type { CommittedLoad, Session } from '../../../src/model/connector.js';
import { PlatformError } from '../../../src/model/errors.js';
import { noMetrics, type Run } from '../../../src/model/run.js';
import { recordEnd } from '../../../src/worker/record-end.js';
import type { RunEnd } from '../../../src/worker/supervise-run.js';
import { keptLog, scriptedSpec } from './scripted-run.js';

const run: Run = {
  id: 'run-1',
  pipelineId: 'job_1',
  pipelineVersion: 1,
  state: 'RUNNING',
  trigger: 'manual',
  attempt: 1,
  epoch: 4,
  queuedAt: '2026-01-01T00:00:00Z',
  startedAt: '2026-01-01T00:00:00Z',
  endedAt: null,
  metrics: noMetrics,
  steps: [],
  error: null,
  params: null,
  retryOf: null,
  notBefore: null,
};
const retry = { attempts: 3, initialMs: 1_000, maxMs: 60_000 };
const bound = { inputs: [], steps: [], outputs: [] };
const died = { code: 'RUN_PROCESS_DIED', message: 'It died.', retryable: true, step: null } as const;
const killed: RunEnd = { type: 'failed', error: died, killed: true, committing: false, bound, metrics: { ...noMetrics, rowsRead: 9 }, steps: [] };
const load: CommittedLoad = {
  attempt: 1,
  committedAt: '2026-01-01T00:00:01Z',
  counts: { staged: 8, inserted: 5, updated: 2, deleted: 0, unchanged: 0, stale: 1, rejected: 0 },
};
const refused = (code: 'LEASE_LOST' | 'GRAPH_UNAVAILABLE' | 'CONNECTION_FAILED') => new PlatformError(code, code, { retryable: code === 'GRAPH_UNAVAILABLE' });

interface Surroundings {
  /** By load id. */
  readonly loads?: Readonly<Record<string, CommittedLoad>>;
  readonly unreachable?: boolean;
  /** The destination answers behind this many failures. */
  readonly unreachableTimes?: number;
  /** The server is stopping. */
  readonly stopped?: boolean;
  /** Errors of the first writes, in order. */
  readonly refusals?: PlatformError[];
  readonly outputs?: number;
  /** Attempts that had failed before; default: all. */
  readonly failedAttempts?: number;
  /** By default the document has no retry. */
  readonly retries?: boolean;
  readonly untilMs?: number;
}

/** How often a destination was asked. */
let asked = 0;
let pauseMs: number | null = null;

/** What was written where, in order. */
async function record(
  end: RunEnd,
  {
    loads = {},
    unreachable = false,
    unreachableTimes = 0,
    stopped = false,
    refusals = [],
    outputs = 1,
    failedAttempts,
    retries = false,
    untilMs,
  }: Surroundings,
  ended: Run = run,
): Promise<string[]> {
  const calls: string[] = [];
  let failures = unreachableTimes;
  asked = 0;
  const write = (name: string) => async (report: object) => {
    const refusal = refusals.shift();
    if (refusal !== undefined) throw refusal;
    const { error, summary } = report as { error?: { code: string }; summary?: { metrics: { rowsRead: number; rowsWritten: number } } };
    calls.push(summary === undefined ? `${name} ${error?.code}` : `${name} ${summary.metrics.rowsRead} read ${summary.metrics.rowsWritten} written`);
  };
  const session = { findLoad: async (_stream: string, id: string) => loads[id] ?? null, close: async () => undefined } as unknown as Session;
  const spec = scriptedSpec('any');
  const [output] = spec.outputs;
  if (output === undefined) throw new Error('The scripted pipeline has an output.');
  const parts = {
    runs: { complete: write('complete'), fail: write('fail'), abort: write('abort'), retryAttempt: write('again') } as never,
    connections: {
      open: async () => {
        failures -= 1;
        asked += 1;
        if (unreachable || failures >= 0) throw refused('CONNECTION_FAILED');
        return session;
      },
    } as never,
    deadLetters: {
      open: async (loadId: string, attempt: number) => void calls.push(`open ${loadId} of attempt ${attempt}`),
      discardPending: async () => void calls.push('discard the rest'),
      resolveReplayed: async (runId: string, { stream }: { stream: string }) => void calls.push(`letters of ${runId} for ${stream} are replayed`),
      releaseReplayed: async (runId: string) => void calls.push(`release the letters of ${runId}`),
    } as never,
  };
  const filled = Array.from({ length: outputs }, (_, index) => ({ connection: output.connection, stream: output.stream, index }));
  const budget = { retry: retries ? retry : { ...retry, attempts: 1 }, failedAttempts: failedAttempts ?? ended.attempt - 1, untilMs: untilMs ?? null };
  pauseMs = await recordEnd(
    { run: ended, end, outputs: filled, budget },
    parts,
    keptLog().logger,
    stopped ? AbortSignal.abort() : new AbortController().signal,
  );
  return calls;
}

const committing: RunEnd = { ...killed, committing: true };
const second = { ...run, attempt: 2 };

describe('recording the end of a run', () => {
  it('opens the letters of what was committed before the run is COMPLETE', async () => {
    const outputs = [{ loadId: 'run-1/0/1', committedAttempt: 1, rowsWritten: 7, bytesWritten: 70 }];
    const end: RunEnd = { type: 'done', compiled: bound, summary: { metrics: { ...noMetrics, rowsRead: 9, rowsWritten: 7 }, steps: [], outputs } };
    expect(await record(end, {})).toEqual(['open run-1/0/1 of attempt 1', 'complete 9 read 7 written', 'discard the rest']);
  });

  it('fails a run that died before any commit without asking the destination, and then removes its letters', async () => {
    expect(await record(killed, { unreachable: true })).toEqual(['fail RUN_PROCESS_DIED', 'discard the rest']);
    expect(asked).toBe(0);
  });

  it('completes a run that died after its commit', async () => {
    expect(await record(committing, { loads: { 'run-1/0/1': load } })).toEqual([
      'open run-1/0/1 of attempt 1',
      'complete 9 read 7 written',
      'discard the rest',
    ]);
  });

  it('completes a cancelled run that had committed already', async () => {
    const cancelled: RunEnd = { ...committing, type: 'cancelled', error: { ...died, code: 'RUN_CANCELLED' } };
    expect(await record(cancelled, { loads: { 'run-1/0/1': load } })).toContain('complete 9 read 7 written');
  });

  it('fails a run of which only one output has committed, and opens that one’s letters', async () => {
    const calls = await record(committing, { outputs: 2, loads: { 'run-1/1/1': load } });
    expect(calls).toEqual(['open run-1/1/1 of attempt 1', 'fail RUN_PROCESS_DIED', 'discard the rest']);
  });

  it('touches no letters when a destination does not say what it holds', async () => {
    const cancelled: RunEnd = { ...killed, type: 'cancelled' };
    expect(await record(cancelled, { unreachable: true, failedAttempts: 0 }, second)).toEqual(['abort RUN_PROCESS_DIED']);
    expect(asked).toBe(1);
  });

  it('asks for what an earlier attempt may have committed until it is told, also when this one has committed nothing', async () => {
    const lost = { failedAttempts: 0, loads: { 'run-1/0/1': load } };
    expect(await record(killed, { ...lost, unreachableTimes: 1 }, second)).toContain('complete 0 read 7 written');
    await expect(record(killed, { failedAttempts: 0, unreachable: true, stopped: true }, second)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
  });

  it('asks nothing before a retry that may begin, since the next attempt does', async () => {
    expect(await record(killed, { failedAttempts: 0, unreachable: true, retries: true }, second)).toEqual(['again RUN_PROCESS_DIED']);
    expect(asked).toBe(0);
  });

  it('gives up writing an end that takes the graph too long again and again', async () => {
    const slow = Array.from({ length: 5 }, () => new PlatformError('GRAPH_TIMEOUT', 'It took too long.', { retryable: true }));
    await expect(record(killed, { refusals: slow })).rejects.toMatchObject({ code: 'GRAPH_TIMEOUT' });
  });

  it('does not record a failure while it is not known whether a commit took place: it asks until it is told, or the server stops', async () => {
    await expect(record(committing, { unreachable: true, stopped: true })).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    expect(await record(committing, { unreachableTimes: 1, loads: { 'run-1/0/1': load } })).toContain('complete 9 read 7 written');
  });

  it('keeps what an earlier attempt had counted when this one found everything committed', async () => {
    const summary = {
      metrics: { ...noMetrics, rowsWritten: 7 },
      steps: [],
      outputs: [{ loadId: 'run-1/0/1', committedAttempt: 1, rowsWritten: 7, bytesWritten: 0 }],
    };
    const counted = { ...second, metrics: { ...noMetrics, rowsRead: 9 } };
    expect(await record({ type: 'done', compiled: bound, summary }, {}, counted)).toContain('complete 9 read 7 written');
  });

  it('records nothing of a run that somebody else may execute', async () => {
    expect(await record({ type: 'lost' }, {})).toEqual([]);
    expect(await record({ type: 'stopped' }, {})).toEqual([]);
  });

  it('tries again while the graph is away', async () => {
    expect(await record(killed, { refusals: [refused('GRAPH_UNAVAILABLE'), refused('GRAPH_UNAVAILABLE')] })).toContain('fail RUN_PROCESS_DIED');
  });

  it('says of the letters that a replay was given which are in their tables, and releases the others only when the run is final', async () => {
    const replay = { ...run, trigger: 'replay' };
    expect(await record(committing, { loads: { 'run-1/0/1': load } }, replay)).toEqual([
      'open run-1/0/1 of attempt 1',
      'letters of run-1 for mart.orders are replayed',
      'complete 9 read 7 written',
      'discard the rest',
    ]);
    expect(await record(killed, {}, replay)).toEqual(['fail RUN_PROCESS_DIED', 'discard the rest', 'release the letters of run-1']);
    expect(await record(killed, { retries: true }, replay)).toEqual(['again RUN_PROCESS_DIED']);
  });

  it('gives way to the attempt that has the run now, and leaves it its letters', async () => {
    expect(await record(killed, { refusals: [refused('LEASE_LOST')] })).toEqual([]);
    expect(await record(killed, { retries: true, refusals: [refused('LEASE_LOST')] })).toEqual([]);
    expect(pauseMs).toBeNull();
  });

  it('says that the rows are there when an earlier attempt had committed and this one did not get to compile', async () => {
    const end: RunEnd = { ...killed, killed: false, bound: null, error: { ...died, code: 'CONNECTION_FAILED' } };
    expect(await record(end, { loads: { 'run-1/0/1': load }, failedAttempts: 0 }, second)).toEqual([
      'open run-1/0/1 of attempt 1',
      'fail CONNECTION_FAILED',
      'discard the rest',
    ]);
  });
});

describe('an attempt that fails with an error that may pass by itself', () => {
  it('is followed by another one while there are attempts left', async () => {
    expect(await record(killed, { retries: true })).toEqual(['again RUN_PROCESS_DIED']);
    expect(pauseMs).toBeGreaterThanOrEqual(0);
    expect(pauseMs).toBeLessThan(1_000);
    expect(await record(killed, { retries: true }, { ...run, attempt: 3 })).toEqual(['fail RUN_PROCESS_DIED']);
    expect(pauseMs).toBeNull();
  });

  it('is not counted when its worker was lost', async () => {
    expect(await record(killed, { retries: true, failedAttempts: 1 }, { ...run, attempt: 7 })).toEqual(['again RUN_PROCESS_DIED']);
  });

  it('is the last one when the error stays, when the run is cancelled, or when limits.timeout leaves no time', async () => {
    expect(await record({ ...killed, error: { ...died, retryable: false } }, { retries: true })).toContain('fail RUN_PROCESS_DIED');
    expect(await record({ ...killed, type: 'cancelled' }, { retries: true })).toContain('abort RUN_PROCESS_DIED');
    expect(await record(killed, { retries: true, untilMs: Date.now() })).toContain('fail RUN_PROCESS_DIED');
  });

  it('is followed by another one only when it is known what was committed', async () => {
    expect(await record(committing, { retries: true, unreachableTimes: 1 })).toEqual(['again RUN_PROCESS_DIED']);
    expect(asked).toBe(2);
    expect(await record(committing, { retries: true, loads: { 'run-1/0/1': load } })).toContain('complete 9 read 7 written');
    expect(await record(committing, { retries: true, outputs: 2, loads: { 'run-1/1/1': load } })).toEqual([
      'open run-1/1/1 of attempt 1',
      'again RUN_PROCESS_DIED',
    ]);
  });
});
