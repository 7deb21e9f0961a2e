import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type ErrorRecord, toErrorRecord } from '../model/errors.js';
import type { PipelineSpec } from '../model/pipeline-spec.js';
import { noMetrics, replayTrigger } from '../model/run.js';
import type { ReplayPart } from '../model/run-process.js';
import { paramTexts } from '../services/run-params.js';
import type { ClaimedRun } from '../services/run-queue.js';
import { Lease, type LeaseSettings } from './lease.js';
import { outputsOfRun, type RunOutput } from './output-places.js';
import type { ConnectionSource, DeadLetterKeeper, ParseSpec, RunLog, RunQueue } from './ports.js';
import type { Progress } from './progress-writer.js';
import { recordEnd } from './record-end.js';
import { writeReplayFiles } from './replay-files.js';
import type { RetryBudget } from './retry-pause.js';
import * as reasons from './run-errors.js';
import { makeRunFolder, removeRunFolder } from './run-folder.js';
import { RunPace } from './run-pace.js';
import { type RunEnd, RunSupervision, type SupervisionRequest, type SupervisionRules, type UnfinishedEnd } from './supervise-run.js';

export interface ExecutionParts {
  readonly runs: RunQueue;
  readonly connections: ConnectionSource;
  readonly deadLetters: DeadLetterKeeper;
  readonly runLog: RunLog;
  readonly parseSpec: ParseSpec;
  readonly logger: Logger;
  readonly runsFolder: string;
  readonly rules: SupervisionRules;
  readonly lease: LeaseSettings;
}

/** A run whose workers are lost more often ends: it may be what ends them. */
const mostTakeovers = 10;
/** Of a stop, in milliseconds. Should the graph not answer by then, the run is taken up when this worker is known to have ended. */
const handBackWithinMs = 2_000;

/** A claimed run on its way to its end. */
export class RunExecution {
  /** Resolves when the end is recorded, or will be by somebody else. Never rejects. */
  readonly finished: Promise<void>;
  private readonly lease: Lease;
  private readonly logger: Logger;
  private readonly ending = new AbortController();
  private supervision: RunSupervision | null = null;
  /** What was asked for before there was a process to ask. */
  private early: 'cancelled' | 'lost' | 'stopped' | null = null;
  private folder: string | null = null;
  /** null until the document is read. */
  private budget: RetryBudget | null = null;
  private pauseMs: number | null = null;
  /** Those that it fills; null until the document is read. */
  private outputs: readonly RunOutput[] | null = null;
  private readonly preparing = new AbortController();
  private recording = false;

  /** @param claimedAtMs  `performance.now()` at the moment before the run was claimed */
  constructor(
    private readonly claimed: ClaimedRun,
    private readonly parts: ExecutionParts,
    claimedAtMs: number,
  ) {
    const { id: runId, epoch, attempt } = claimed.run;
    this.logger = parts.logger.child({ runId, attempt });
    const events = {
      renew: () => parts.runs.renew({ runId, epoch }),
      onCancel: () => this.cancel(),
      onLost: () => this.lose(),
    };
    if (claimed.cancelRequested) this.early = 'cancelled';
    this.lease = new Lease(events, claimedAtMs, parts.lease, this.logger);
    this.finished = this.execute();
  }

  get runId(): string {
    return this.claimed.run.id;
  }

  /** When it has finished: in how many milliseconds its next attempt may begin; null: there is none, or somebody else's. */
  get nextAttemptInMs(): number | null {
    return this.pauseMs;
  }

  cancel(): void {
    this.early ??= 'cancelled';
    this.preparing.abort();
    this.supervision?.cancel();
  }

  /** Ends the process and gives the run back. */
  stop(): void {
    this.early ??= 'stopped';
    this.preparing.abort();
    this.ending.abort();
    this.supervision?.stop();
  }

  private lose(): void {
    // From here on the epoch decides: a run that we have ended is not held any more either, and a report that comes too late is refused.
    if (this.recording) return;
    this.logger.warn('The lease of this run is lost; its process is stopped and nothing is recorded.');
    this.early = 'lost';
    this.preparing.abort();
    this.supervision?.lose();
  }

  private async execute(): Promise<void> {
    let end: RunEnd;
    try {
      const { spec } = this.parts.parseSpec(this.claimed.spec);
      this.outputs = outputsOfRun(spec, null);
      this.budget = this.budgetOf(spec);
      end = this.claimed.takeovers > mostTakeovers ? unstarted(reasons.takenOverTooOften(this.claimed.takeovers)) : await this.supervise(spec);
    } catch (error) {
      end = this.endedBefore() ?? unstarted(toErrorRecord(error));
    }
    this.recording = true;
    await this.record(end);
    this.lease.close();
    await this.tidy();
    if (end.type === 'stopped') await this.handBack();
  }

  private async supervise(spec: PipelineSpec): Promise<RunEnd> {
    const request = await this.prepare(spec);
    const before = this.endedBefore();
    if (before !== null) return before;
    const { run } = this.claimed;
    const pace = new RunPace(run.startedAt);
    const ports = {
      store: (rows: Parameters<DeadLetterKeeper['store']>[2]) => this.parts.deadLetters.store(run, run.attempt, rows, spec.outputs),
      progress: ({ metrics, steps }: Progress) => this.parts.runs.progress({ runId: run.id, epoch: run.epoch, metrics, steps }),
      live: (progress: Progress) => this.parts.runLog.progress({ runId: run.id, pipelineId: run.pipelineId }, run.attempt, pace.seen(progress)),
      logger: this.logger,
    };
    this.supervision = new RunSupervision(request, ports, this.parts.rules);
    return this.supervision.ended;
  }

  private async prepare(spec: PipelineSpec): Promise<SupervisionRequest> {
    const { run } = this.claimed;
    const names = [...new Set([...Object.values(spec.inputs), ...spec.outputs].map(({ connection }) => connection))];
    const connections = await this.parts.connections.resolve(names);
    this.folder = await makeRunFolder(this.parts.runsFolder, run.id, run.attempt);
    const startedAt = run.startedAt ?? new Date().toISOString();
    const { timeoutMs, attemptTimeoutMs, memoryBytes } = spec.limits;
    const replay = run.trigger === replayTrigger ? await this.writeReplayed(spec, this.folder) : null;
    const params = paramTexts(spec.params, run.params);
    const { id: runId, pipelineId, attempt, epoch } = run;
    return {
      request: { runId, pipelineId, attempt, epoch, spec, connections, folder: this.folder, startedAt, params, replay },
      memoryBytes,
      timeoutMs,
      timeLeftMs: timeoutMs === null ? null : Date.parse(startedAt) + timeoutMs - Date.now(),
      attemptTimeoutMs,
    };
  }

  private async writeReplayed(spec: PipelineSpec, folder: string): Promise<ReplayPart[]> {
    const letters = this.parts.deadLetters.replayed(this.runId);
    const parts = await writeReplayFiles(letters, spec, folder, this.preparing.signal);
    this.outputs = outputsOfRun(spec, parts);
    return parts;
  }

  private endedBefore(): RunEnd | null {
    if (this.early === null) return null;
    if (this.early !== 'cancelled') return this.early === 'lost' ? { type: 'lost' } : { type: 'stopped' };
    return { ...unstarted(reasons.cancelled), type: 'cancelled' };
  }

  private async record(end: RunEnd): Promise<void> {
    try {
      const ended = { run: this.claimed.run, end, outputs: this.outputs, budget: this.budget };
      this.pauseMs = await recordEnd(ended, this.parts, this.logger, this.ending.signal);
    } catch (error) {
      if (this.ending.signal.aborted) return this.handBack();
      this.logger.error({ err: error }, 'The end of this run could not be recorded.');
      await this.recordFailure(error);
    }
  }

  /** A run must not stay RUNNING for ever because of what its end is made of. */
  private async recordFailure(cause: unknown): Promise<void> {
    const { id: runId, epoch, metrics, steps } = this.claimed.run;
    const message = `The end of this run could not be recorded: ${toErrorRecord(cause).message} Its rows may have been committed: look into _tributary_loads for loads of this run before it is started again.`;
    const error = { code: 'INTERNAL' as const, message, retryable: false, step: null };
    await this.parts.runs.fail({ runId, epoch, error, metrics, steps }).catch((failure: unknown) => {
      this.logger.error({ err: failure }, 'Nor could its failure; the run is taken up again when its lease has passed.');
    });
  }

  /** Another worker, or the next start of this one, goes on with it at once. */
  private async handBack(): Promise<void> {
    const { id: runId, epoch } = this.claimed.run;
    const given = this.parts.runs.handBack({ runId, epoch }).catch((error: unknown) => {
      this.logger.warn({ err: error }, 'This run could not be given back; it is taken up when its lease has passed, or at the next start.');
    });
    await Promise.race([given, wait(handBackWithinMs, undefined, { ref: false })]);
  }

  private budgetOf({ retry, limits: { timeoutMs } }: PipelineSpec): RetryBudget {
    const { run, failedAttempts } = this.claimed;
    const startedMs = run.startedAt === null ? Date.now() : Date.parse(run.startedAt);
    return { retry, failedAttempts, untilMs: timeoutMs === null ? null : startedMs + timeoutMs };
  }

  private async tidy(): Promise<void> {
    if (this.folder === null) return;
    try {
      await removeRunFolder(this.folder);
    } catch (error) {
      this.logger.warn({ err: error }, "A run's folder could not be removed; it goes at the next start.");
    }
  }
}

/** The end of an attempt that had no process. */
function unstarted(error: ErrorRecord): UnfinishedEnd {
  return { type: 'failed', error, metrics: noMetrics, steps: [], killed: false, committing: false, bound: null };
}
