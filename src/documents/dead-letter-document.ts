import { type Connection, Schema } from 'mongoose';
import type { DeadLetter, DeadLetterStage, DeadLetterStatus, OutputPlace } from '../model/dead-letter.js';
import { guarded as guardedAs } from './guarded.js';

/** PENDING: written by an attempt that has not committed yet; nobody sees it. */
type StoredStatus = 'PENDING' | DeadLetterStatus;

export interface DeadLetterDocument {
  /** Letter id + ':' + attempt, so that writing one again changes nothing. */
  _id: string;
  letterId: string;
  loadId: string;
  runId: string;
  pipelineId: string;
  attempt: number;
  stage: DeadLetterStage;
  step: string;
  output: OutputPlace;
  code: string;
  message: string;
  /** JSON, because column names may hold dots and dollar signs; null when the row is too large to keep. */
  row: string | null;
  status: StoredStatus;
  createdAt: Date;
  /** Place within the batch it was written with. */
  place: number;
  /** The run that takes it again, or has. */
  replayRunId?: string;
}

/** A letter as it is written: not seen by anybody yet. */
export type NewDeadLetter = Omit<DeadLetter, 'status' | 'createdAt'>;
export type LetterModel = ReturnType<typeof letterModel>;

/** A MongoDB document holds at most 16 MiB; the rest is room for the other fields. */
const largestRowBytes = 15 * 1024 * 1024;

const schema = new Schema<DeadLetterDocument>(
  {
    _id: { type: String, required: true },
    letterId: { type: String, required: true },
    loadId: { type: String, required: true },
    runId: { type: String, required: true },
    pipelineId: { type: String, required: true },
    attempt: { type: Number, required: true },
    stage: { type: String, required: true },
    step: { type: String, required: true },
    output: { type: { connection: String, stream: String }, _id: false, required: true },
    code: { type: String, required: true },
    message: { type: String, required: true },
    row: { type: String, default: null },
    status: { type: String, required: true },
    createdAt: { type: Date, required: true },
    place: { type: Number, required: true },
    replayRunId: { type: String },
  },
  { versionKey: false, collection: 'deadLetters', strict: 'throw' },
);
schema.index({ letterId: 1 });
schema.index({ loadId: 1, status: 1 });
schema.index({ runId: 1, status: 1 });
schema.index({ pipelineId: 1, status: 1 });
schema.index({ status: 1, createdAt: -1 });
schema.index({ replayRunId: 1, createdAt: 1, place: 1, _id: 1 });

export function letterModel(connection: Connection) {
  return connection.model('DeadLetter', schema);
}

export function pendingDocument({ id, row, ...letter }: NewDeadLetter, createdAt: Date, place: number): DeadLetterDocument {
  const text = row === null ? null : JSON.stringify(row);
  const bytes = text === null ? 0 : Buffer.byteLength(text);
  const kept = bytes <= largestRowBytes;
  return {
    ...letter,
    _id: `${id}:${letter.attempt}`,
    letterId: id,
    row: kept ? text : null,
    message: kept ? letter.message : `${letter.message} The row itself (${bytes} bytes) is too large to be kept.`,
    status: 'PENDING',
    createdAt,
    place,
  };
}

export function letterOf({ _id, letterId, row, status, createdAt, place, replayRunId, ...rest }: DeadLetterDocument): DeadLetter {
  return {
    ...rest,
    id: publicId(letterId),
    row: row === null ? null : (JSON.parse(row) as Record<string, unknown>),
    status: status as DeadLetterStatus,
    createdAt: createdAt.toISOString(),
  };
}

export function publicId(letterId: string): string {
  return `dl_${letterId}`;
}

/** null: it cannot be the id of a letter. */
export function letterIdOf(id: string): string | null {
  return id.startsWith('dl_') ? id.slice(3) : null;
}

export function guarded<T>(operation: () => Promise<T>): Promise<T> {
  return guardedAs('dead letters', operation);
}
