import { lastOfDense } from '../lib/last-of-dense.js';
import type { LoggedRun, NewRunEvent, RunEvent } from '../model/run-log.js';
import { Announcements } from './announcements.js';
import {
  type BucketDocument,
  type BucketModel,
  bucketId,
  bucketOf,
  bucketSize,
  eventsOf,
  type FeedDocument,
  type FeedModel,
  guarded,
  inserting,
  isNew,
  majority,
} from './run-log-document.js';

/** Appends to the logs of all runs in the order of their positions. */
export interface FeedPage {
  /** Everything up to here has been read; the events are those of them that were wanted. */
  readonly position: number;
  readonly events: readonly RunEvent[];
  /** The next append is announced and not made: the page ends before it. null: there is no next one, or it is beyond the page. */
  readonly waitingFor: number | null;
}

const nearby = 100;

/** Told of each append that this process has made, with its events. */
export type FeedListener = (position: number, events: readonly RunEvent[]) => void;

/** Which appends are wanted. */
export type FeedFilter = (append: Pick<FeedDocument, 'runId' | 'pipelineId'>) => boolean;

/**
 * The appends to all logs, numbered without gaps: position n + 1 is only given once n is there. One that is announced and neither made
 * nor void holds its readers up, until they fence it: from then on it cannot be made any more.
 */
export class RunFeed {
  private readonly announcements: Announcements;
  private listener: FeedListener | null = null;

  constructor(
    private readonly entries: FeedModel,
    private readonly buckets: BucketModel,
  ) {
    this.announcements = new Announcements(entries, (from) => this.findLastNear(from));
  }

  async prepare(): Promise<void> {
    await this.entries.createCollection();
  }

  /** Takes the next position for events of a run, the first of which is to be its `from`. */
  announce({ runId, pipelineId }: LoggedRun, from: number, events: readonly NewRunEvent[]): Promise<number> {
    return this.announcements.add({ runId, pipelineId, from, to: from + events.length - 1, events });
  }

  /** Tells the one who follows the feed in this process what it has made itself, so that it need not be read. */
  follow(listener: FeedListener): void {
    this.listener = listener;
  }

  /** An append has been made. */
  made(position: number, { runId, pipelineId }: LoggedRun, from: number, events: readonly NewRunEvent[]): void {
    this.listener?.(position, eventsOf({ _id: position, runId, pipelineId, from, events }));
  }

  /** Lets readers pass an append that was not made. */
  async void(position: number): Promise<void> {
    await this.entries.updateOne({ _id: position }, { $set: { void: true } }, { writeConcern: majority });
  }

  /** The last position that is taken; 0: none. */
  last(): Promise<number> {
    return guarded(() => this.findLast(1));
  }

  /** What was appended behind a position, at most `limit` appends. */
  read(after: number, limit: number, wanted: FeedFilter = () => true): Promise<FeedPage> {
    return guarded(async () => {
      const ids = Array.from({ length: limit }, (_, index) => after + 1 + index);
      const found = new Map((await this.entries.find({ _id: { $in: ids } }).lean()).map((entry) => [entry._id, entry]));
      const entries = ids.flatMap((id) => found.get(id) ?? []);
      const buckets = await this.bucketsOf(entries.filter((entry) => !entry.void && wanted(entry)));
      const events: RunEvent[] = [];
      for (let position = after + 1; position <= after + limit; position += 1) {
        const entry = found.get(position);
        // A later one without this one: a failover of MongoDB has taken it back.
        if (entry === undefined) return { position: position - 1, events, waitingFor: entries.some(({ _id }) => _id > position) ? position : null };
        if (entry.void || !wanted(entry)) continue;
        const made = isMade(entry, buckets.get(bucketId(entry.runId, bucketOf(entry.from))));
        if (made === null) return { position: position - 1, events, waitingFor: position };
        if (made) events.push(...eventsOf(entry));
      }
      return { position: after + limit, events, waitingFor: null };
    });
  }

  /** The events of appends that were made, in order. */
  async madeAt(positions: readonly number[]): Promise<RunEvent[]> {
    if (positions.length === 0) return [];
    const found = await this.entries.find({ _id: { $in: positions } }).lean();
    return found.sort((one, other) => one._id - other._id).flatMap(eventsOf);
  }

  /** Makes sure that the append at a position is either made or never will be. */
  fence(position: number): Promise<void> {
    return guarded(async () => {
      const [entry] = await this.entries.find({ _id: position }).lean();
      if (entry === undefined) return this.fill(position);
      const ids = [bucketOf(entry.from) - 1, bucketOf(entry.from)].map((bucket) => bucketId(entry.runId, bucket));
      const found = await this.buckets.find({ _id: { $in: ids } }, { positions: 0 }).lean();
      const bucket = found.find(({ _id }) => _id === ids[1]);
      const previous = found.find(({ _id }) => _id === ids[0]);
      if (bucket && bucket.last >= entry.from) return;
      const fenced = bucket ? await this.raiseFence(bucket) : await isNew(this.buckets.insertMany([emptyBucket(entry, previous)], inserting));
      if (fenced) await this.void(position);
    });
  }

  private async fill(position: number): Promise<void> {
    await isNew(this.entries.insertMany([{ _id: position, runId: 'none', pipelineId: 'none', from: 0, to: 0, events: [], void: true }], inserting));
  }

  private async raiseFence({ _id, last, fence }: Pick<BucketDocument, '_id' | 'last' | 'fence'>): Promise<boolean> {
    const { matchedCount } = await this.buckets.updateOne({ _id, last, fence }, { $inc: { fence: 1 } }, { writeConcern: majority });
    return matchedCount === 1;
  }

  private async bucketsOf(entries: readonly FeedDocument[]): Promise<Map<string, BucketDocument>> {
    const ids = [...new Set(entries.map(({ runId, from }) => bucketId(runId, bucketOf(from))))];
    const [only] = ids;
    if (only === undefined) return new Map();
    const found = await this.buckets.find({ _id: { $in: ids } }).lean();
    return new Map(found.map((bucket) => [bucket._id, bucket]));
  }

  private async findLastNear(from: number): Promise<number> {
    const near = Array.from({ length: nearby }, (_, index) => from + index);
    const found = await this.entries.find({ _id: { $in: near } }, { _id: 1 }).lean();
    return found.length < nearby ? from + found.length - 1 : this.findLast(from);
  }

  private findLast(from: number): Promise<number> {
    return lastOfDense(from, async (candidates) => {
      const found = await this.entries.find({ _id: { $in: candidates } }, { _id: 1 }).lean();
      return found.map(({ _id }) => _id);
    });
  }
}

/** False: another append has taken its place. null: it is not made yet. */
function isMade({ _id, from }: FeedDocument, bucket: BucketDocument | undefined): boolean | null {
  if (bucket === undefined || bucket.last < from) return null;
  return bucket.positions[(from - 1) % bucketSize] === _id;
}

/** Stands where the first append of a bucket would be made by inserting it. */
function emptyBucket({ runId, pipelineId, from }: FeedDocument, previous: BucketEnd | undefined): BucketDocument {
  const { lastTransition, state, attempt } = previous ?? { lastTransition: 0, state: null, attempt: 0 };
  const bucket = bucketOf(from);
  return { _id: bucketId(runId, bucket), runId, pipelineId, bucket, last: from - 1, lastTransition, state, attempt, fence: 1, positions: [] };
}

type BucketEnd = Pick<BucketDocument, 'lastTransition' | 'state' | 'attempt'>;
