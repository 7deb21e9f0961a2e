import { type Connection, Schema } from 'mongoose';
import type { RunState } from '../model/run.js';
import type { NewRunEvent, RunEvent } from '../model/run-log.js';
import { guarded as guardedAs } from './guarded.js';

/** Events of a run that one document lists. */
export const bucketSize = 200;

/** Which appends made the events (bucket · 200, (bucket + 1) · 200] of one run. */
export interface BucketDocument {
  /** Run id + ':' + bucket. */
  _id: string;
  runId: string;
  pipelineId: string;
  /** From 0. */
  bucket: number;
  /** `seq` of the last event of the run so far. */
  last: number;
  lastTransition: number;
  state: RunState | null;
  attempt: number;
  /** Raised by readers that do not wait any longer for an append that was announced: it fails then. */
  fence: number;
  /** Of each of its events the append that it is in. */
  positions: number[];
}

/** An append, announced before it is made. Numbered over all runs from 1, without gaps. */
export interface FeedDocument {
  /** The position. */
  _id: number;
  runId: string;
  pipelineId: string;
  /** `seq` of its first and last event. */
  from: number;
  to: number;
  events: readonly NewRunEvent[];
  /** It was not made, and never will be. */
  void?: boolean;
}

export type BucketModel = ReturnType<typeof bucketModel>;
export type FeedModel = ReturnType<typeof feedModel>;

const bucketSchema = new Schema<BucketDocument>(
  {
    _id: { type: String, required: true },
    runId: { type: String, required: true },
    pipelineId: { type: String, required: true },
    bucket: { type: Number, required: true },
    last: { type: Number, required: true },
    lastTransition: { type: Number, required: true },
    state: { type: String, default: null },
    attempt: { type: Number, required: true },
    fence: { type: Number, required: true },
    positions: { type: [Number], required: true },
  },
  { versionKey: false, collection: 'runLog', strict: 'throw' },
);

const feedSchema = new Schema<FeedDocument>(
  {
    _id: { type: Number, required: true },
    runId: { type: String, required: true },
    pipelineId: { type: String, required: true },
    from: { type: Number, required: true },
    to: { type: Number, required: true },
    events: { type: Schema.Types.Mixed, required: true },
    void: { type: Boolean },
  },
  { versionKey: false, collection: 'runFeed', strict: 'throw' },
);

export function bucketModel(connection: Connection) {
  return connection.model('RunLogBucket', bucketSchema);
}

export function feedModel(connection: Connection) {
  return connection.model('RunFeedEntry', feedSchema);
}

export function bucketId(runId: string, bucket: number): string {
  return `${runId}:${bucket}`;
}

/** The bucket that event `seq` stands in. */
export function bucketOf(seq: number): number {
  return Math.floor((seq - 1) / bucketSize);
}

/** The events of an append that was made. */
export function eventsOf({ _id: position, runId, pipelineId, from, events }: Omit<FeedDocument, 'to'>): RunEvent[] {
  return events.map((event, index) => ({ runId, pipelineId, seq: from + index, position, ...event }));
}

/** What a reader has seen is not rolled back. */
export const majority = { w: 'majority' } as const;
export const inserting = { writeConcern: majority, lean: true } as const;

/** @returns false when there is a document of this `_id` already */
export async function isNew(insert: Promise<unknown>): Promise<boolean> {
  try {
    await insert;
    return true;
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code === 11000) return false;
    throw error;
  }
}

export function guarded<T>(operation: () => Promise<T>): Promise<T> {
  return guardedAs('run log', operation);
}
