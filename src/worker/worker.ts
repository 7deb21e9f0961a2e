import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { oneAtATime } from '../lib/one-at-a-time.js';
import type { ClaimedRun } from '../services/run-queue.js';
import { runProcessEntry } from './child-process.js';
import { RunExecution } from './execute-run.js';
import { type LeaseSettings, leaseSettings } from './lease.js';
import type { ConnectionSource, DeadLetterKeeper, ParseSpec, RunLog, RunQueue } from './ports.js';
import { removeRunFolder } from './run-folder.js';
import { ProcessPool } from './run-processes.js';
import { settleInterruptedLetters } from './settle-letters.js';
import type { SupervisionRules } from './supervise-run.js';
import type { WakeTasks } from './wake-tasks.js';

export interface WorkerSettings {
  /** Who holds the runs: no other process has or had this name. */
  readonly worker: string;
  /** Workers of which it is known that they have ended: what they held is taken up at start, without waiting for their leases. */
  readonly ended?: readonly string[];
  /** Where runs keep their segments: a folder in it for each worker, removed when the worker stops or is known to have ended. */
  readonly runsFolder: string;
  /** Runs at once; default: the number of cores. */
  readonly slots?: number;
  /** Between two looks for work nobody woke us for, in milliseconds. */
  readonly sweepEveryMs?: number;
  /** Program of a run's process. */
  readonly entry?: string;
  /** Processes that wait for a run with the usual `limits.memory`; default 1. */
  readonly idleProcesses?: number;
  readonly rules?: Partial<Omit<SupervisionRules, 'processes'>>;
  readonly lease?: LeaseSettings;
}

export interface WorkerParts {
  readonly runs: RunQueue;
  /** The document of one version of a pipeline. */
  readonly specOf: (pipelineId: string, version: number) => Promise<unknown>;
  readonly connections: ConnectionSource;
  readonly deadLetters: DeadLetterKeeper;
  readonly runLog: RunLog;
  readonly parseSpec: ParseSpec;
  readonly wakeTasks: Pick<WakeTasks, 'listen' | 'stop'>;
  readonly logger: Logger;
}

/** Longest delay that a timer takes, in milliseconds. */
const longestTimerMs = 2 ** 31 - 1;
const standardRules = { graceMs: 1_200, progressEveryMs: 1_000, liveEveryMs: 250, exitWithinMs: 5_000 };
const settleEverySweeps = 10;

/** Claims queued runs and executes each in a process of its own, as many at once as there are slots. */
export class Worker {
  private readonly executions = new Set<RunExecution>();
  private readonly slots: number;
  private readonly pool: ProcessPool;
  private readonly alarms = new Set<NodeJS.Timeout>();
  private sweep: NodeJS.Timeout | undefined;
  private sweeps = 0;
  private claiming: Promise<void> | null = null;
  private wanted = false;
  private stopping = false;

  constructor(
    private readonly parts: WorkerParts,
    private readonly settings: WorkerSettings,
  ) {
    this.slots = settings.slots ?? availableParallelism();
    this.pool = new ProcessPool({ entry: settings.entry ?? runProcessEntry, idle: settings.idleProcesses ?? 1, logger: parts.logger });
  }

  /** Takes up what ended workers left, then waits for work. Resolves when it does. */
  async start(): Promise<void> {
    const { runs, wakeTasks, logger } = this.parts;
    await this.removeFolders(this.settings.ended ?? []);
    const recovered = await runs.recover({ workers: this.settings.ended ?? [] });
    if (recovered > 0) logger.info({ recovered }, 'Runs that ended workers left are queued again.');
    this.settleLetters();
    await wakeTasks.listen(() => this.wake());
    this.sweep = setInterval(() => this.onSweep(), this.settings.sweepEveryMs ?? 3_000);
    this.wake();
    this.pool.fill();
  }

  /** There may be work: looks for it now. Returns at once. */
  wake(): void {
    this.wanted = true;
    if (this.claiming !== null || this.stopping) return;
    this.claiming = this.claimAll().finally(() => {
      this.claiming = null;
      if (this.wanted) this.wake();
    });
  }

  /** Ends a run of this worker; one of another worker ends when that one polls. */
  cancel(runId: string): void {
    for (const execution of this.executions) if (execution.runId === runId) execution.cancel();
  }

  /** Kills the processes of running runs, which are queued again, and resolves when none is left. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearInterval(this.sweep);
    for (const alarm of this.alarms) clearTimeout(alarm);
    for (const execution of this.executions) execution.stop();
    await this.claiming;
    await Promise.all([...this.executions].map((execution) => execution.finished));
    await this.pool.close();
    await this.parts.wakeTasks.stop();
    await this.removeFolders([this.settings.worker]);
  }

  private async removeFolders(workers: readonly string[]): Promise<void> {
    await Promise.all(workers.map((worker) => removeRunFolder(join(this.settings.runsFolder, worker))));
  }

  private async claimAll(): Promise<void> {
    while (this.wanted && !this.stopping) {
      this.wanted = false;
      try {
        while (this.executions.size < this.slots && !this.stopping) {
          const claimedAtMs = performance.now();
          const claimed = await this.parts.runs.claim({ worker: this.settings.worker });
          if (claimed === null) break;
          this.execute(claimed, claimedAtMs);
        }
      } catch (error) {
        this.parts.logger.warn({ err: error }, 'Runs could not be claimed; it is tried again.');
      }
    }
  }

  private execute(claimed: ClaimedRun, claimedAtMs: number): void {
    const { settings } = this;
    const rules = { ...standardRules, ...settings.rules, processes: this.pool };
    const parts = { ...this.parts, runsFolder: join(settings.runsFolder, settings.worker), rules, lease: settings.lease ?? leaseSettings };
    const execution = new RunExecution(claimed, parts, claimedAtMs);
    this.executions.add(execution);
    // A run claimed while we stop is given back as those that were being executed.
    if (this.stopping) execution.stop();
    void execution.finished.then(() => {
      this.executions.delete(execution);
      this.wake();
      if (execution.nextAttemptInMs !== null) this.wakeIn(execution.nextAttemptInMs);
    });
  }

  /** Other workers, and this one after a restart, find the run by their sweep. */
  private wakeIn(delayMs: number): void {
    if (this.stopping) return;
    const alarm = setTimeout(
      () => {
        this.alarms.delete(alarm);
        this.wake();
      },
      Math.min(delayMs, longestTimerMs),
    );
    this.alarms.add(alarm);
  }

  private onSweep(): void {
    this.sweeps += 1;
    this.logLeft();
    if (this.sweeps % settleEverySweeps === 0) this.settleLetters();
    this.wake();
    this.takeUpExpired();
  }

  /** Runs of any worker that has ended, is cut off or stands still, that could not record an end, or whose claim got no answer. */
  private readonly takeUpExpired = oneAtATime(async () => {
    try {
      const recovered = await this.parts.runs.recover();
      if (recovered === 0) return;
      this.parts.logger.warn({ recovered }, 'Runs whose lease had passed are queued again.');
      this.wake();
    } catch (error) {
      this.parts.logger.warn({ err: error }, 'Runs with a passed lease could not be looked for; it is tried again.');
    }
  });

  /** Changes of state that crashed processes, or a MongoDB that was away, have kept from the log. */
  private readonly logLeft = oneAtATime(async () => {
    try {
      const runs = await this.parts.runLog.flushLeft();
      if (runs > 0) this.parts.logger.info({ runs }, 'Changes of state that were left have been logged.');
    } catch (error) {
      this.parts.logger.warn({ err: error }, 'Changes of state that were left could not be logged; it is tried again.');
    }
  });

  private readonly settleLetters = oneAtATime(async () => {
    try {
      await settleInterruptedLetters(this.parts, (runId) => [...this.executions].some((execution) => execution.runId === runId));
    } catch (error) {
      this.parts.logger.warn({ err: error }, 'Dead letters could not be looked through; it is tried again.');
    }
  });
}
