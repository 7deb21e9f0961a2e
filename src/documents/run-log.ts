import type { Connection } from 'mongoose';
import { lastOfDense } from '../lib/last-of-dense.js';
import { Turns } from '../lib/turns.js';
import type { LogEnd, LoggedRun, NewRunEvent, RunEvent } from '../model/run-log.js';
import { RunFeed } from './run-feed.js';
import {
  type BucketDocument,
  type BucketModel,
  bucketId,
  bucketModel,
  bucketOf,
  bucketSize,
  feedModel,
  guarded,
  inserting,
  isNew,
  majority,
} from './run-log-document.js';

type End = LogEnd & Pick<BucketDocument, 'bucket' | 'fence'>;

export interface NewEntry {
  readonly event: NewRunEvent;
  /** Number of the change of state that it is; null: it is progress. */
  readonly transition: number | null;
}

const keptEnds = 1_000;
const emptyEnd: End = { last: 0, lastTransition: 0, state: null, attempt: 0, bucket: -1, fence: 0 };

/**
 * The log of every run. An append is announced with its events in the feed, which gives it its position, and then made by adding that
 * position to the run's list, comparing and setting `last`: so positions rise with `seq` within a run, whoever appends.
 */
export class RunLogStore {
  readonly feed: RunFeed;
  private readonly buckets: BucketModel;
  /** Ends of logs as this process left them; another process may have appended since. */
  private readonly ends = new Map<string, End>();
  private readonly turns = new Turns();

  constructor(connection: Connection) {
    this.buckets = bucketModel(connection);
    this.feed = new RunFeed(feedModel(connection), this.buckets);
  }

  /** Makes the collections: all access is by `_id`, since an emulator reads through the whole collection for anything else. */
  async prepare(): Promise<void> {
    await guarded(async () => {
      await this.buckets.createCollection();
      await this.feed.prepare();
    });
  }

  /**
   * Appends what `choose` makes of the log's end, as far as it fits into one document.
   *
   * @param choose  may be called several times; nothing: nothing is appended
   * @param likelyEmpty  the end is not looked for before the first try
   * @returns the position of the append; null when there was nothing to append
   * @throws PlatformError DOCUMENTS_UNAVAILABLE: it was appended or not
   */
  append(run: LoggedRun, choose: (end: LogEnd) => readonly NewEntry[], likelyEmpty = false): Promise<number | null> {
    return this.turns.of(run.runId, () => guarded(() => this.appendNow(run, choose, likelyEmpty)));
  }

  /** Events of one run behind `afterSeq`, in order, at most `limit`; none: there are no more yet. */
  events(runId: string, afterSeq: number, limit: number): Promise<RunEvent[]> {
    return guarded(async () => {
      const ids = range(bucketOf(afterSeq + 1), bucketOf(afterSeq + limit)).map((bucket) => bucketId(runId, bucket));
      const buckets = (await this.buckets.find({ _id: { $in: ids } }).lean()).sort((one, other) => one.bucket - other.bucket);
      const firstSeq = (buckets[0]?.bucket ?? 0) * bucketSize + 1;
      const positions = buckets.flatMap((bucket) => bucket.positions).slice(afterSeq + 1 - firstSeq, afterSeq + 1 - firstSeq + limit);
      const events = await this.feed.madeAt([...new Set(positions)]);
      return events.filter(({ seq }) => seq > afterSeq && seq <= afterSeq + limit);
    });
  }

  /** `seq` of a run's last event; 0: there is none. */
  async lastSeq(runId: string): Promise<number> {
    return (await guarded(() => this.findEnd(runId))).last;
  }

  private async appendNow(run: LoggedRun, choose: (end: LogEnd) => readonly NewEntry[], likelyEmpty: boolean): Promise<number | null> {
    for (let turn = 1; ; turn += 1) {
      const known = this.ends.get(run.runId) ?? (likelyEmpty && turn === 1 ? emptyEnd : undefined);
      // Nothing to add to what is known: perhaps there is to what another process has made of it.
      const end = known !== undefined && choose(known).length > 0 ? known : await this.findEnd(run.runId);
      const entries = choose(end).slice(0, bucketSize - (end.last % bucketSize));
      this.keep(run.runId, end);
      if (entries.length === 0) return null;
      const events = entries.map(({ event }) => event);
      const position = await this.feed.announce(run, end.last + 1, events);
      const made = await this.write(run, end, entries, position);
      if (made !== null) {
        this.keep(run.runId, made);
        this.feed.made(position, run, end.last + 1, events);
        return position;
      }
      this.ends.delete(run.runId);
      await this.feed.void(position);
    }
  }

  private async findEnd(runId: string): Promise<End> {
    const ends = new Map<number, End>();
    const last = await lastOfDense(0, async (candidates) => {
      const ids = candidates.map((bucket) => bucketId(runId, bucket));
      const found = await this.buckets.find({ _id: { $in: ids } }, { positions: 0 }).lean();
      for (const end of found) ends.set(end.bucket, end);
      return found.map(({ bucket }) => bucket);
    });
    return ends.get(last) ?? emptyEnd;
  }

  /** null: somebody else has appended. */
  private async write(run: LoggedRun, end: End, entries: readonly NewEntry[], position: number): Promise<End | null> {
    const positions = entries.map(() => position);
    const bucket = bucketOf(end.last + 1);
    const { last, lastTransition, state, attempt } = behind(end, entries);
    const next = { last, lastTransition, state, attempt };
    const _id = bucketId(run.runId, bucket);
    if (bucket !== end.bucket) {
      const made = { ...next, bucket, fence: 0 };
      return (await isNew(this.buckets.insertMany([{ _id, ...run, ...made, positions }], inserting))) ? made : null;
    }
    const { matchedCount } = await this.buckets.updateOne(
      { _id, last: end.last, fence: end.fence },
      { $push: { positions: { $each: positions } }, $set: next },
      { writeConcern: majority },
    );
    return matchedCount === 1 ? { ...next, bucket, fence: end.fence } : null;
  }

  private keep(runId: string, end: End): void {
    this.ends.delete(runId);
    this.ends.set(runId, end);
    const [oldest] = this.ends.keys();
    if (this.ends.size > keptEnds && oldest !== undefined) this.ends.delete(oldest);
  }
}

function behind(end: LogEnd, entries: readonly NewEntry[]): LogEnd {
  const last = end.last + entries.length;
  const change = entries.findLast(({ transition }) => transition !== null);
  if (change === undefined || change.transition === null) return { ...end, last };
  const { state, attempt } = change.event;
  return { last, lastTransition: change.transition, state, attempt };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}
