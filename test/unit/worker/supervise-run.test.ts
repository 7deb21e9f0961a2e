import { rmSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { RejectedRow } from '../../../src/model/dead-letter.js';
import type { Progress } from '../../../src/worker/progress-writer.js';
import { type RunEnd, RunSupervision, type SupervisionRequest } from '../../../src/worker/supervise-run.js';
import { keptLog, quickRules, scriptedRequest } from './scripted-run.js';

interface Watched {
  readonly supervision: RunSupervision;
  readonly stored: RejectedRow[];
  readonly written: Progress[];
  readonly lines: string[];
  end(): Promise<RunEnd>;
}

function supervise(name: string, changes: Partial<SupervisionRequest> = {}, store?: () => Promise<void>): Watched {
  const stored: RejectedRow[] = [];
  const written: Progress[] = [];
  const { logger, lines } = keptLog();
  const request = scriptedRequest(name);
  const keep = async (rows: readonly RejectedRow[]): Promise<void> => void stored.push(...rows);
  const ports = {
    store: store ?? keep,
    progress: async (progress: Progress): Promise<void> => void written.push(progress),
    live: async (): Promise<void> => undefined,
    logger,
  };
  const supervision = new RunSupervision(
    { request, memoryBytes: 512 * 1024 * 1024, timeLeftMs: null, timeoutMs: null, attemptTimeoutMs: null, ...changes },
    ports,
    quickRules,
  );
  const end = async (): Promise<RunEnd> => {
    const found = await supervision.ended;
    rmSync(request.folder, { recursive: true });
    return found;
  };
  return { supervision, stored, written, lines, end };
}

function later(delayMs: number, action: () => void): void {
  setTimeout(action, delayMs);
}

describe('the supervision of a run', () => {
  it('ends an attempt that takes longer than it may, so that another can be made', async () => {
    const end = await supervise('stops', { attemptTimeoutMs: 100 }).end();
    expect(end).toMatchObject({
      type: 'failed',
      error: { code: 'RUN_TIMED_OUT', retryable: true, message: expect.stringContaining('limits.attemptTimeout of 0.1 s') },
    });
  });

  it('does not wait for letters that cannot be stored when it is cancelled', async () => {
    const run = supervise('commits', {}, () => new Promise(() => undefined));
    later(100, () => run.supervision.cancel());
    expect(await run.end()).toMatchObject({ type: 'cancelled', error: { code: 'RUN_CANCELLED' } });
  });

  it('stores rejected rows before the process goes on, and returns its summary', async () => {
    const run = supervise('commits');
    expect(await run.end()).toEqual({
      type: 'done',
      compiled: { inputs: [], steps: [], outputs: [] },
      summary: { metrics: { rowsRead: 3, rowsWritten: 0, rowsRejected: 0, bytesRead: 0, bytesWritten: 0 }, steps: [], outputs: [] },
    });
    expect(run.stored.map(({ id }) => id)).toEqual(['letter-1']);
  });

  it('tells the process when rejected rows could not be stored', async () => {
    const run = supervise('commits', {}, () => Promise.reject(new Error('no room')));
    expect(await run.end()).toMatchObject({ type: 'failed', error: { code: 'INTERNAL', message: 'no room' } });
  });

  it('lets a cancelled process end by itself within the grace', async () => {
    const run = supervise('stops');
    later(300, () => run.supervision.cancel());
    expect(await run.end()).toMatchObject({ type: 'cancelled', error: { code: 'RUN_CANCELLED' }, killed: false, metrics: { rowsRead: 6 } });
  });

  it('kills a cancelled process that does not listen', async () => {
    const run = supervise('loopsForEver');
    later(400, () => run.supervision.cancel());
    expect(await run.end()).toMatchObject({ type: 'cancelled', error: { code: 'RUN_CANCELLED' }, killed: true });
  });

  it('counts a run as done when its process committed in spite of the cancel', async () => {
    const run = supervise('doneInSpiteOfCancel');
    later(300, () => run.supervision.cancel());
    expect(await run.end()).toMatchObject({ type: 'done' });
  });

  it('ends a run that takes longer than limits.timeout', async () => {
    const run = supervise('loopsForEver', { timeLeftMs: 2_000, timeoutMs: 60_000 });
    expect(await run.end()).toMatchObject({
      type: 'failed',
      killed: true,
      error: { code: 'RUN_TIMED_OUT', message: expect.stringContaining('limits.timeout of 60 s') },
    });
  });

  it('ends a run at once whose time was over before it was taken up again', async () => {
    const run = supervise('stops', { timeLeftMs: -5_000, timeoutMs: 1_000 });
    expect(await run.end()).toMatchObject({ type: 'failed', error: { code: 'RUN_TIMED_OUT' } });
  });

  it('kills a process above limits.memory and names both numbers', async () => {
    const run = supervise('fillsMemory', { memoryBytes: 150 * 1024 * 1024 });
    const end = await run.end();
    expect(end).toMatchObject({ type: 'failed', killed: true, error: { code: 'MEMORY_LIMIT' } });
    expect(end.type === 'failed' && end.error.message).toMatch(/held \d+\.\d MiB of memory; its limits\.memory is 150\.0 MiB/);
  });

  it('says how a process ended that ended by itself', async () => {
    expect(await supervise('exits').end()).toMatchObject({
      type: 'failed',
      error: { code: 'RUN_PROCESS_DIED', message: expect.stringContaining('exit code 3') },
    });
  });

  it('logs what a crashed process printed without the values of its connections', async () => {
    const run = supervise('crashes');
    expect(await run.end()).toMatchObject({ type: 'failed', error: { code: 'RUN_PROCESS_DIED', message: expect.stringContaining('SIGSEGV') } });
    expect(run.lines.join('')).toContain('connecting to *** failed');
    expect(run.lines.join('')).not.toContain('secret-word');
  });

  it('passes on what the process says about its failure', async () => {
    const end = await supervise('fails').end();
    expect(end).toMatchObject({ type: 'failed', killed: false, error: { code: 'SOURCE_FAILED', retryable: true, step: 'read' }, metrics: { rowsRead: 7 } });
  });

  it('kills a process that does not exit behind its last word', async () => {
    expect(await supervise('lingers').end()).toMatchObject({ type: 'done' });
  });

  it('writes progress at most once per interval, the newest last', async () => {
    const run = supervise('progresses');
    expect(await run.end()).toMatchObject({ type: 'done' });
    const rows = run.written.map(({ metrics }) => metrics.rowsRead);
    expect(rows.length).toBeGreaterThan(1);
    expect(rows.length).toBeLessThan(20);
    expect(rows).toEqual([...rows].sort((left, right) => left - right));
  });

  it('records nothing when the lease is lost or the server stops', async () => {
    const lost = supervise('loopsForEver');
    const stopped = supervise('stops');
    later(300, () => lost.supervision.lose());
    later(300, () => stopped.supervision.stop());
    expect(await lost.end()).toEqual({ type: 'lost' });
    expect(await stopped.end()).toEqual({ type: 'stopped' });
  });

  it('gives the process an environment without secrets and a bounded heap', async () => {
    process.env['NEO4J_PASSWORD'] = 'hidden-1';
    process.env['TRIBUTARY_SECRET_SHOP'] = 'hidden-2';
    process.env['MONGODB_URI'] = 'mongodb://user:hidden-3@localhost';
    const end = await supervise('showsEnvironment').end();
    const found = end.type === 'failed' ? JSON.parse(end.error.message) : {};
    expect(JSON.stringify(found)).not.toContain('hidden-');
    expect(found.env).toMatchObject({ TZ: 'UTC', UV_THREADPOOL_SIZE: '16' });
    expect(found.execArgv).toContain('--max-old-space-size=128');
  });
});
