import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import { maskValues, textsWithin } from '../lib/mask-values.js';
import type { CompiledPipeline } from '../model/compiled-pipeline.js';
import type { RejectedRow } from '../model/dead-letter.js';
import { type ErrorRecord, toErrorRecord } from '../model/errors.js';
import { noMetrics, type RunSummary } from '../model/run.js';
import { atBinding } from '../model/run-log.js';
import type { FromRunProcess, RunRequest } from '../model/run-process.js';
import { type ChildEnd, describeEnd, heapMiBOfRun, type RunChild } from './child-process.js';
import { watchMemory } from './memory-watch.js';
import { type Progress, ProgressWriter } from './progress-writer.js';
import * as reasons from './run-errors.js';
import type { RunProcessSource } from './run-processes.js';

export interface SupervisionRequest {
  readonly request: RunRequest;
  /** Resident memory that the process may hold, in bytes. */
  readonly memoryBytes: number;
  /** From now, in milliseconds; null: no limit. */
  readonly timeLeftMs: number | null;
  /** `limits.timeout` as it was set, for the message. */
  readonly timeoutMs: number | null;
  /** `limits.attemptTimeout`, in milliseconds; null: no limit. */
  readonly attemptTimeoutMs: number | null;
}

export interface SupervisionPorts {
  store(rows: readonly RejectedRow[]): Promise<void>;
  /** Into the graph. */
  progress(progress: Progress): Promise<void>;
  /** Into the log. */
  live(progress: Progress): Promise<void>;
  readonly logger: Logger;
}

export interface SupervisionRules {
  readonly processes: RunProcessSource;
  /** Between asking a process to end and killing it, in milliseconds. */
  readonly graceMs: number;
  /** Shortest time between two writes of progress, in milliseconds. */
  readonly progressEveryMs: number;
  /** Shortest time between two entries of progress in the log, in milliseconds. */
  readonly liveEveryMs: number;
  /** Between a process's last message and its exit, in milliseconds. */
  readonly exitWithinMs: number;
}

/** How a run's process ended. `bound` is null when it ended before the pipeline was compiled; `committing` when a COMMIT may have been sent. */
export type RunEnd = { readonly type: 'done'; readonly compiled: CompiledPipeline; readonly summary: RunSummary } | UnfinishedEnd | Abandonment;
export interface UnfinishedEnd extends Pick<Progress, 'metrics' | 'steps'> {
  readonly type: 'failed' | 'cancelled';
  readonly error: ErrorRecord;
  readonly killed: boolean;
  readonly committing: boolean;
  readonly bound: CompiledPipeline | null;
}

/** Somebody else may execute the run now, or will after a restart: nothing is to be recorded. */
export type Abandonment = { readonly type: 'lost' } | { readonly type: 'stopped' };
type Cause = { readonly type: 'cancelled' | 'failed'; readonly error: ErrorRecord } | Abandonment;
type LastWord = Extract<FromRunProcess, { type: 'done' | 'failed' }>;

/** How long an end that was asked for waits for letters and progress to be stored, in milliseconds. */
const hurryAfterMs = 300;

/** One run in one process, from the fork to the exit, which always comes: nothing is left behind. */
export class RunSupervision {
  /** Resolves when the process is gone and what it sent is dealt with. */
  readonly ended: Promise<RunEnd>;
  private readonly child: RunChild;
  private readonly progress: ProgressWriter;
  private readonly live: ProgressWriter;
  private readonly finished = new AbortController();
  private readonly caused = new AbortController();
  private readonly timers: NodeJS.Timeout[] = [];
  private storing: Promise<void> = Promise.resolve();
  private latest: Progress = { metrics: noMetrics, steps: [], place: atBinding };
  private bound: CompiledPipeline | null = null;
  private lastWord: LastWord | null = null;
  private cause: Cause | null = null;
  private killed = false;
  private committing = false;

  constructor(
    private readonly run: SupervisionRequest,
    private readonly ports: SupervisionPorts,
    private readonly rules: SupervisionRules,
  ) {
    this.progress = new ProgressWriter((progress) => ports.progress(progress), rules.progressEveryMs, ports.logger);
    this.live = new ProgressWriter((progress) => ports.live(progress), rules.liveEveryMs, ports.logger);
    const needs = { heapMiB: heapMiBOfRun(run.memoryBytes), folder: run.request.folder };
    this.child = rules.processes.take(needs);
    this.child.listen((message) => this.receive(message));
    this.watch();
    this.ended = this.child.ended.then((end) => this.conclude(end));
  }

  /** Asks the process to end and kills it after the grace. What it has committed stays committed. */
  cancel(): void {
    this.endBecause({ type: 'cancelled', error: reasons.cancelled }, this.rules.graceMs);
  }

  /** The lease is gone: ends at once. */
  lose(): void {
    this.cause = { type: 'lost' };
    this.caused.abort();
    this.kill();
  }

  /** The server stops: ends at once; the run goes on after the next start. */
  stop(): void {
    this.cause ??= { type: 'stopped' };
    this.caused.abort();
    this.kill();
  }

  private watch(): void {
    const { run } = this;
    const { processId } = this.child;
    if (processId !== undefined) {
      watchMemory({ processId, limitBytes: run.memoryBytes }, this.finished.signal, (bytes) => {
        this.endBecause({ type: 'failed', error: reasons.memoryLimit(bytes, run.memoryBytes) }, 0);
      });
    }
    if (run.timeLeftMs !== null) this.endAfter(run.timeLeftMs, reasons.timedOut(run.timeoutMs ?? run.timeLeftMs));
    if (run.attemptTimeoutMs !== null) this.endAfter(run.attemptTimeoutMs, reasons.attemptTimedOut(run.attemptTimeoutMs));
  }

  private endAfter(delayMs: number, error: ErrorRecord): void {
    this.after(Math.max(0, delayMs), () => this.endBecause({ type: 'failed', error }, this.rules.graceMs));
  }

  /** The first cause counts; after the process's last word there is nothing to end. */
  private endBecause(cause: Cause, graceMs: number): void {
    if (this.cause !== null || this.lastWord !== null) return;
    this.cause = cause;
    this.caused.abort();
    if (graceMs > 0) this.child.send({ type: 'cancel' });
    this.after(graceMs, () => this.kill());
  }

  private kill(): void {
    this.killed = true;
    this.child.kill();
  }

  private receive(message: FromRunProcess): void {
    switch (message.type) {
      case 'ready':
        this.child.send({ type: 'run', request: this.run.request });
        return;
      case 'bound':
        this.bound = message.compiled;
        return;
      case 'committing':
        this.committing = true;
        return;
      case 'progress':
        this.latest = { metrics: message.metrics, steps: message.steps, place: message.place };
        this.progress.offer(this.latest);
        this.live.offer(this.latest);
        return;
      case 'rejected':
        this.storing = this.storing.then(() => this.store(message.batch, message.rows));
        return;
      case 'done':
      case 'failed':
        this.lastWord = message;
        this.after(this.rules.exitWithinMs, () => this.child.kill());
        return;
      case 'compiled':
      case 'compiledOne':
      case 'compiledAll':
        return;
    }
  }

  private async hurry(): Promise<void> {
    if (this.cause === null) await new Promise<void>((resolve) => this.caused.signal.addEventListener('abort', () => resolve(), { once: true }));
    await wait(hurryAfterMs, undefined, { ref: false });
  }

  private async store(batch: number, rows: readonly RejectedRow[]): Promise<void> {
    try {
      await this.ports.store(rows);
      this.child.send({ type: 'stored', batch, error: null });
    } catch (error) {
      this.child.send({ type: 'stored', batch, error: toErrorRecord(error) });
    }
  }

  private async conclude(end: ChildEnd): Promise<RunEnd> {
    this.finished.abort();
    for (const timer of this.timers) clearTimeout(timer);
    // Not waited for: the log takes no progress of a run that has ended.
    void this.live.close();
    // A store that does not answer must not hold up an end that was asked for; what it still stores is found by the next sweep.
    await Promise.race([Promise.all([this.storing, this.progress.close()]), this.hurry()]);
    return this.verdict(end);
  }

  private verdict(end: ChildEnd): RunEnd {
    const { cause, lastWord, bound, killed, committing, latest } = this;
    if (cause?.type === 'lost') return { type: 'lost' };
    if (lastWord?.type === 'done' && bound !== null) return { type: 'done', compiled: bound, summary: lastWord.summary };
    if (cause?.type === 'stopped') return { type: 'stopped' };
    const { metrics, steps } = lastWord?.type === 'failed' ? lastWord : latest;
    const counts = { metrics, steps };
    if (cause !== null) return { ...cause, ...counts, killed, committing, bound };
    if (lastWord?.type === 'failed') return { type: 'failed', error: lastWord.error, ...counts, killed, committing, bound };
    this.logDeath(end);
    return { type: 'failed', error: reasons.processDied(describeEnd(end)), ...counts, killed: true, committing, bound };
  }

  /** Every value of the connections is masked: what a process prints when it dies may quote them. */
  private logDeath(end: ChildEnd): void {
    const output = maskValues(this.child.errorOutput, textsWithin(Object.values(this.run.request.connections).map(({ config }) => config)));
    this.ports.logger.error({ ...end, output }, "A run's process ended by itself.");
  }

  private after(delayMs: number, action: () => void): void {
    this.timers.push(setTimeout(action, Math.min(delayMs, 2 ** 31 - 1)));
  }
}
