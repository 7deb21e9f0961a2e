import { v7 as uuidv7 } from 'uuid';
import type { Graph } from '../graph/graph.js';
import { lockMark } from '../graph/ids.js';
import { findPipelines } from '../graph/pipelines.js';
import {
  countRuns,
  countRunsOfPipeline,
  findRunsByIds,
  listRuns,
  listRunsOfPipeline,
  lockRun,
  readsOfRuns,
  requestCancel,
  writesOfRuns,
} from '../graph/runs.js';
import { groupedBy } from '../lib/grouped-by.js';
import { normalizeTime } from '../lib/rfc3339.js';
import type { DatasetVersion, Page, PageRequest } from '../model/catalogue.js';
import { PlatformError } from '../model/errors.js';
import type { JobRef } from '../model/lineage-query.js';
import { isFinal, type Run, type RunState } from '../model/run.js';
import { type Completion, completeRun } from './complete-run.js';
import { longestList, positionByTime, rowLimit, timeCursor, toPage, wholeList } from './pages.js';
import { type Claimant, type ClaimedRun, type FailedAttempt, type Holder, RunQueue, type RunReport } from './run-queue.js';
import { abortQueued } from './run-transitions.js';
import { retryRun, type StartedRun, type StartRequest, startRun } from './start-run.js';

export interface RunServiceParts {
  readonly graph: Graph;
  /** Called when a run has been queued: there may be work. */
  readonly onQueued: () => void;
  /** Called when a running run has been asked to end. */
  readonly onCancel: (runId: string) => void;
  /** Called when changes of state of these runs have been committed: they are to be logged. */
  readonly onTransition?: (runIds: readonly string[]) => void;
}

export type CancelledRun = { readonly outcome: 'cancelled'; readonly run: Run } | { readonly outcome: 'notFound' | 'conflict'; readonly message: string };

export interface RunListRequest extends PageRequest {
  readonly job?: JobRef | null | undefined;
  readonly pipelineId?: string | null | undefined;
  readonly state?: readonly RunState[] | null | undefined;
  /** RFC 3339: not queued before. */
  readonly since?: string | null | undefined;
}

const beginningOfTime = '0001-01-01T00:00:00Z';

/** Runs: asked for, looked at and cancelled by anyone; claimed, reported on and ended by a worker. */
export class RunService {
  readonly #queue: RunQueue;

  constructor(private readonly parts: RunServiceParts) {
    this.#queue = new RunQueue(parts.graph);
  }

  /**
   * Queues a run of the pipeline's latest version, or gives the one queued under the same key.
   *
   * @throws PlatformError BAD_USER_INPUT when `params` are not those of its document, or the key is none
   */
  async start(request: StartRequest): Promise<StartedRun> {
    const asked = { ...request, id: request.id ?? uuidv7() };
    return this.#queued(await this.parts.graph.transaction((transaction) => startRun(transaction, asked)));
  }

  /** Queues a run that does one again that is FAIL or ABORT. @throws PlatformError BAD_USER_INPUT when the document has other params by now */
  async retry(runId: string): Promise<StartedRun> {
    const id = uuidv7();
    return this.#queued(await this.parts.graph.transaction((transaction) => retryRun(transaction, runId, id)));
  }

  /** A queued run ends at once, unless a worker was lost with it; any other is asked to end, which a worker does. */
  async cancel(runId: string): Promise<CancelledRun> {
    const cancelled = await this.parts.graph.transaction(async (transaction): Promise<CancelledRun> => {
      const [run] = await transaction.run(lockRun, { id: runId, lock: lockMark() });
      if (run === undefined) return { outcome: 'notFound', message: `There is no run ${runId}.` };
      if (isFinal(run.state)) return { outcome: 'conflict', message: `Run ${runId} is ${run.state} already; only a queued or running run can be cancelled.` };
      const ended = run.state === 'QUEUED' ? await abortQueued(transaction, run.pipelineId, runId, 'Cancelled while it was queued.') : [];
      if (ended.length === 0) await transaction.run(requestCancel, { id: runId });
      const [found] = await transaction.run(findRunsByIds, { ids: [runId] });
      return { outcome: 'cancelled', run: found?.run ?? run };
    });
    if (cancelled.outcome !== 'cancelled') return cancelled;
    if (cancelled.run.state === 'RUNNING') this.parts.onCancel(runId);
    else if (cancelled.run.state === 'QUEUED') this.parts.onQueued();
    else this.#changed(runId);
    return cancelled;
  }

  async get(id: string): Promise<Run | null> {
    const [found = null] = await this.byIds([id]);
    return found;
  }

  /** Those that are there, in the order of `ids`. */
  async byIds(ids: readonly string[]): Promise<Run[]> {
    if (ids.length === 0) return [];
    return (await this.parts.graph.read(findRunsByIds, { ids })).map(({ run }) => run);
  }

  /** Newest first. */
  async list(request: RunListRequest): Promise<Page<Run>> {
    const filter = { since: sinceOf(request), states: request.state ?? null };
    const page = { ...filter, ...positionByTime(request), limit: rowLimit(request) };
    const pipelineId = await this.#pipelineOf(request);
    if (pipelineId === 'none') return toPage<Run>(request, [], 0, cursorOf);
    const { graph } = this.parts;
    const [rows, [total = 0]] = await (pipelineId === null
      ? Promise.all([graph.read(listRuns, page), graph.read(countRuns, filter)])
      : Promise.all([graph.read(listRunsOfPipeline, { ...page, pipelineId }), graph.read(countRunsOfPipeline, { ...filter, pipelineId })]));
    return toPage(request, rows, total, cursorOf);
  }

  /** Dataset versions that each run read; in the order of `runIds`. */
  async readsOf(runIds: readonly string[]): Promise<DatasetVersion[][]> {
    return inOrder(runIds, await this.parts.graph.read(readsOfRuns, { ids: runIds, limit: longestList + 1 }));
  }

  /** Dataset versions that each run wrote; in the order of `runIds`. */
  async writesOf(runIds: readonly string[]): Promise<DatasetVersion[][]> {
    return inOrder(runIds, await this.parts.graph.read(writesOfRuns, { ids: runIds, limit: longestList + 1 }));
  }

  /** Takes the run queued longest whose pipeline has no running one; null when there is none. Each run is taken once. */
  async claim(worker: Claimant): Promise<ClaimedRun | null> {
    const claimed = await this.#queue.claim(worker);
    if (claimed !== null) this.#changed(claimed.run.id);
    return claimed;
  }

  /** Extends the lease. 'lost': the run is not held by this claim any more. */
  renew(holder: Holder): Promise<'held' | 'cancel' | 'lost'> {
    return this.#queue.renew(holder);
  }

  /** @throws PlatformError LEASE_LOST when the run is not held by this claim any more */
  progress(report: Holder & Pick<RunReport, 'metrics' | 'steps'>): Promise<void> {
    return this.#queue.progress(report);
  }

  /** Ends the run COMPLETE and records everything it did. @throws PlatformError LEASE_LOST */
  async complete(completion: Completion): Promise<void> {
    await this.parts.graph.transaction((transaction) => completeRun(transaction, completion));
    this.#changed(completion.runId);
  }

  /** Ends the run FAIL. @throws PlatformError LEASE_LOST */
  async fail(ended: Holder & RunReport & { error: NonNullable<RunReport['error']> }): Promise<void> {
    await this.#queue.end('FAIL', ended);
    this.#changed(ended.runId);
  }

  /** Ends the run ABORT. @throws PlatformError LEASE_LOST */
  async abort(ended: Holder & RunReport): Promise<void> {
    await this.#queue.end('ABORT', ended);
    this.#changed(ended.runId);
  }

  /** Queues the run again after an attempt that is not the last one. @throws PlatformError LEASE_LOST */
  async retryAttempt(failed: Holder & FailedAttempt): Promise<void> {
    await this.#queue.retry(failed);
    this.#changed(failed.runId);
  }

  /** Queues the run again, as its worker stops. @throws PlatformError LEASE_LOST */
  async handBack(holder: Holder): Promise<void> {
    await this.#queue.handBack(holder);
    this.#changed(holder.runId);
  }

  /** Queues again every run whose lease has passed, and those of `workers`, which have ended. @returns how many */
  async recover({ workers = [] }: { readonly workers?: readonly string[] } = {}): Promise<number> {
    const ids = await this.#queue.recover(workers);
    this.#changed(...ids);
    return ids.length;
  }

  #queued(started: StartedRun): StartedRun {
    if (started.outcome !== 'queued' || started.run.state !== 'QUEUED') return started;
    this.#changed(started.run.id);
    this.parts.onQueued();
    return started;
  }

  #changed(...runIds: readonly string[]): void {
    if (runIds.length > 0) this.parts.onTransition?.(runIds);
  }

  async #pipelineOf({ job, pipelineId }: RunListRequest): Promise<string | 'none' | null> {
    if (!job) return pipelineId ?? null;
    const [found] = await this.parts.graph.read(findPipelines, { pipelines: [{ namespace: job.namespace, name: job.name }] });
    return found?.id ?? 'none';
  }
}

function cursorOf({ queuedAt, id }: Run): string {
  return timeCursor(queuedAt, id);
}

function sinceOf({ since }: RunListRequest): string {
  if (since === null || since === undefined) return beginningOfTime;
  const time = normalizeTime(since);
  if (time === null) throw new PlatformError('BAD_USER_INPUT', `\`since\` is ${since}; it must be a time as in 2026-01-31T12:00:00Z.`);
  return time;
}

function inOrder(runIds: readonly string[], rows: readonly { runId: string; version: DatasetVersion }[]): DatasetVersion[][] {
  const byRun = groupedBy(rows, ({ runId }) => runId);
  return runIds.map((id) =>
    wholeList(
      (byRun.get(id) ?? []).map(({ version }) => version),
      'dataset versions of this run',
    ),
  );
}
