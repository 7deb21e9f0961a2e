import type { Pipeline } from '../model/catalogue.js';
import type { Run, RunState } from '../model/run.js';
import { boolean, type Fields, integer, json, text, time } from './decode.js';
import { pipeline } from './pipelines.js';
import { run } from './runs.js';
import { statement } from './statement.js';
import type { Locking } from './transaction.js';

/** A claim of a run: what its holder must name in everything it reports. */
export interface Held {
  readonly id: string;
  readonly epoch: number;
}

export interface Claimed {
  readonly run: Run;
  readonly pipeline: Pipeline;
  /** The document of the version to run. */
  readonly spec: unknown;
  readonly cancelRequested: boolean;
  /** Attempts that ended with an error that may pass by itself. */
  readonly failedAttempts: number;
  /** How often its worker was lost: it ended or did not renew its lease. */
  readonly takeovers: number;
}

export interface Ended {
  readonly pipelineId: string;
  readonly startedAt: string;
  readonly endedAt: string;
  /** True when the pipeline has been deleted meanwhile. */
  readonly deleted: boolean;
}

function claimed(record: Fields): Claimed {
  return {
    run: run(record),
    pipeline: pipeline(record),
    spec: json(record, 'spec'),
    cancelRequested: boolean(record, 'cancelRequested'),
    failedAttempts: integer(record, 'failedAttempts'),
    takeovers: integer(record, 'takeovers'),
  };
}

export const nextQueuedRun = statement<Locking, { runId: string; pipelineId: string }>('runs/next-queued', ['lock'], (record) => ({
  runId: text(record, 'runId'),
  pipelineId: text(record, 'pipelineId'),
}));

export interface Claim extends Locking {
  readonly runId: string;
  readonly pipelineId: string;
  readonly claim: string;
  readonly from: readonly RunState[];
  readonly worker: string;
  readonly leaseSeconds: number;
}

export const claimRun = statement<Claim, Claimed>('runs/claim', ['runId', 'pipelineId', 'claim', 'from', 'worker', 'leaseSeconds', 'lock'], claimed);
export const findClaimedRun = statement<{ claim: string }, Claimed>('runs/find-claimed', ['claim'], claimed);
/** Result: whether the run is asked to end. */
export const renewLease = statement<Held & { leaseSeconds: number } & Locking, boolean>('runs/renew', ['id', 'epoch', 'leaseSeconds', 'lock'], (record) =>
  boolean(record, 'cancelRequested'),
);
export const recordProgress = statement<Held & { metrics: string; steps: string } & Locking, string>(
  'runs/progress',
  ['id', 'epoch', 'metrics', 'steps', 'lock'],
  (record) => text(record, 'id'),
);

export interface Ending extends Held, Locking {
  readonly from: readonly RunState[];
  readonly to: RunState;
  /** JSON */
  readonly metrics: string;
  /** JSON */
  readonly steps: string;
  /** JSON */
  readonly error: string | null;
}

export const endRun = statement<Ending, Ended>('runs/end', ['id', 'epoch', 'from', 'to', 'metrics', 'steps', 'error', 'lock'], (record) => ({
  pipelineId: text(record, 'pipelineId'),
  startedAt: time(record, 'startedAt'),
  endedAt: time(record, 'endedAt'),
  deleted: boolean(record, 'deleted'),
}));

export interface Requeueing extends Held, Locking {
  readonly from: readonly RunState[];
  readonly delayMs: number;
  readonly failed: boolean;
  /** JSON */
  readonly metrics: string | null;
  /** JSON */
  readonly steps: string | null;
  /** JSON */
  readonly error: string | null;
}

export const requeueRun = statement<Requeueing, string>(
  'runs/requeue',
  ['id', 'epoch', 'from', 'delayMs', 'failed', 'metrics', 'steps', 'error', 'lock'],
  (record) => text(record, 'id'),
);
/** Result: the ids of the runs. */
export const recoverRuns = statement<{ from: readonly RunState[]; workers: readonly string[] } & Locking, string>(
  'runs/recover',
  ['from', 'workers', 'lock'],
  (record) => text(record, 'id'),
);
