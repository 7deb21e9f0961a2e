import type { RunLogStore } from '../documents/run-log.js';
import type { Graph } from '../graph/graph.js';
import { findPipelines } from '../graph/pipelines.js';
import { findRunsByIds } from '../graph/runs.js';
import { decodeCursor, encodeCursor } from '../lib/page-cursor.js';
import type { Page, PageRequest } from '../model/catalogue.js';
import { PlatformError } from '../model/errors.js';
import type { JobRef, NodeRef } from '../model/lineage-query.js';
import { isFinal } from '../model/run.js';
import type { RunEvent } from '../model/run-log.js';
import { DownstreamJobs } from './downstream-jobs.js';
import { rowLimit, toPage } from './pages.js';
import { type FeedPlace, ManyRuns, OneRun, type WantedJobs } from './run-event-sources.js';
import { type EventSource, RunEventStream } from './run-event-stream.js';
import type { RunLogService } from './run-log.js';
import type { RunTail } from './run-tail.js';

export interface RunEventParts {
  readonly graph: Graph;
  readonly log: RunLogStore;
  readonly tail: RunTail;
  readonly transitions: Pick<RunLogService, 'flush'>;
}

/** At most one of run, job and downstreamOf; none: everything. */
export interface RunEventRequest {
  readonly run?: string | null | undefined;
  readonly job?: JobRef | null | undefined;
  readonly downstreamOf?: readonly NodeRef[] | null | undefined;
  /** Cursor of an event: what follows it. null: one run from its beginning, everything else from now on. */
  readonly after?: string | null | undefined;
}

type Cursor = FeedPlace & { readonly runId: string };

/** What happens to runs: as a list of one run, and as streams. */
export class RunEventService {
  readonly #downstream: DownstreamJobs;
  #open = 0;

  constructor(private readonly parts: RunEventParts) {
    this.#downstream = new DownstreamJobs(parts);
  }

  /** Streams that have not ended. */
  get open(): number {
    return this.#open;
  }

  /** @throws PlatformError BAD_USER_INPUT for more than one choice or a cursor that is none, NOT_FOUND for what is not there */
  async subscribe(request: RunEventRequest): Promise<RunEventStream> {
    const given = (['run', 'job', 'downstreamOf'] as const).filter((name) => request[name] != null);
    if (given.length > 1) {
      throw new PlatformError(
        'BAD_USER_INPUT',
        `${given.map((name) => `\`${name}\``).join(' and ')} are given; runUpdated takes at most one of run, job and downstreamOf.`,
      );
    }
    const source = await this.#sourceOf(request);
    this.#open += 1;
    return new RunEventStream(this.parts.tail, source, () => {
      this.#open -= 1;
    });
  }

  /** One run's log, in order. @throws PlatformError BAD_USER_INPUT when `after` is not a cursor of it */
  async page(runId: string, request: PageRequest): Promise<Page<RunEvent>> {
    const seq = request.after === null ? 0 : cursorOfRun(request.after, runId).seq;
    const [events, total] = await Promise.all([this.parts.log.events(runId, seq, rowLimit(request)), this.parts.log.lastSeq(runId)]);
    return toPage(request, events, total, eventCursor);
  }

  async #sourceOf({ run, job, downstreamOf, after }: RunEventRequest): Promise<EventSource> {
    if (run != null) return this.#oneRun(run, after ?? null);
    const { tail, log } = this.parts;
    const place = after == null ? null : await this.#placeOf(after);
    const many = (key: string, wanted: WantedJobs): ManyRuns => new ManyRuns(tail, log, key, wanted, place);
    if (job != null) {
      const only = new Set([await this.#pipelineOf(job)]);
      return many(`job:${[...only].join()}`, async () => only);
    }
    return many('all', downstreamOf == null ? async () => null : await this.#downstream.of(downstreamOf));
  }

  async #oneRun(runId: string, after: string | null): Promise<OneRun> {
    const seq = after === null ? 0 : cursorOfRun(after, runId).seq;
    const [found] = await this.parts.graph.read(findRunsByIds, { ids: [runId] });
    if (found === undefined) throw new PlatformError('NOT_FOUND', `There is no run ${runId}; startRun gives the id of one.`);
    if (seq > 0 && seq > (await this.parts.log.lastSeq(runId))) throw badCursor();
    const ended = isFinal(found.run.state);
    if (ended) await this.parts.transitions.flush([runId]);
    return new OneRun(this.parts.tail, this.parts.log, runId, seq, ended);
  }

  async #pipelineOf({ namespace, name }: JobRef): Promise<string> {
    const [found] = await this.parts.graph.read(findPipelines, { pipelines: [{ namespace, name }] });
    if (found === undefined) throw new PlatformError('NOT_FOUND', `There is no job ${namespace}/${name}; \`jobs\` lists those there are.`);
    return found.id;
  }

  /** Another process may have read further than this one. */
  async #placeOf(after: string): Promise<FeedPlace> {
    const cursor = cursorOf(after);
    const { tail, log } = this.parts;
    if (cursor.position > tail.position && cursor.position > (await log.feed.last())) throw badCursor();
    return cursor;
  }
}

/** The place behind an event, for any list or stream that holds it, on every server of the same stores. */
export function eventCursor({ position, runId, seq }: RunEvent): string {
  return encodeCursor([position, runId, seq]);
}

function cursorOf(after: string): Cursor {
  const [position, runId, seq] = decodeCursor(after, ['number', 'string', 'number']) ?? [];
  if (!isCount(position) || !isCount(seq) || typeof runId !== 'string') throw badCursor();
  return { position, runId, seq };
}

function cursorOfRun(after: string, runId: string): Cursor {
  const cursor = cursorOf(after);
  if (cursor.runId === runId) return cursor;
  throw new PlatformError('BAD_USER_INPUT', `\`after\` is a cursor of run ${cursor.runId}, and events of run ${runId} are asked for; use one of that run.`);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function badCursor(): PlatformError {
  return new PlatformError('BAD_USER_INPUT', '`after` is not the cursor of an event; use one that an event had, unchanged.');
}
