import { type Connection, type QueryFilter, Schema } from 'mongoose';
import { decodeCursor, encodeCursor } from '../lib/page-cursor.js';
import type { Page, PageRequest } from '../model/catalogue.js';
import type { DeadLetter, DeadLetterStage, DeadLetterStatus } from '../model/dead-letter.js';
import { PlatformError } from '../model/errors.js';

/** PENDING: written by an attempt that has not committed yet; nobody sees it. */
type StoredStatus = 'PENDING' | DeadLetterStatus;

interface DeadLetterDocument {
  /** Letter id + ':' + attempt, so that writing one again changes nothing. */
  _id: string;
  letterId: string;
  loadId: string;
  runId: string;
  pipelineId: string;
  attempt: number;
  stage: DeadLetterStage;
  step: string;
  code: string;
  message: string;
  /** JSON, because column names may hold dots and dollar signs; null when the row is too large to keep. */
  row: string | null;
  status: StoredStatus;
  createdAt: Date;
}

export interface DeadLetterQuery extends PageRequest {
  readonly pipelineId?: string | undefined;
  readonly runId?: string | undefined;
  readonly status?: DeadLetterStatus | undefined;
}

/** A MongoDB document holds at most 16 MiB; the rest is room for the other fields. */
const largestRowBytes = 15 * 1024 * 1024;
const visible: readonly DeadLetterStatus[] = ['OPEN', 'REPLAYED', 'DISCARDED'];

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
    code: { type: String, required: true },
    message: { type: String, required: true },
    row: { type: String, default: null },
    status: { type: String, required: true },
    createdAt: { type: Date, required: true },
  },
  { versionKey: false, collection: 'deadLetters', strict: 'throw' },
);
schema.index({ letterId: 1 });
schema.index({ loadId: 1, status: 1 });
schema.index({ runId: 1, status: 1 });
schema.index({ pipelineId: 1, status: 1 });
schema.index({ status: 1, createdAt: -1 });

function letterModel(connection: Connection) {
  return connection.model('DeadLetter', schema);
}

/** Rows that were refused, kept until somebody replays or discards them. */
export class DeadLetterStore {
  private readonly letters: ReturnType<typeof letterModel>;

  constructor(connection: Connection) {
    this.letters = letterModel(connection);
  }

  /** Makes the indexes. */
  async prepare(): Promise<void> {
    await guarded(() => this.letters.createIndexes());
  }

  /** Writes letters that nobody sees until `open`. Writing the same ones again changes nothing. */
  async storePending(letters: readonly Omit<DeadLetter, 'status' | 'createdAt'>[]): Promise<void> {
    if (letters.length === 0) return;
    const createdAt = new Date();
    const writes = letters.map((letter) => {
      const document = pendingDocument(letter, createdAt);
      return { updateOne: { filter: { _id: document._id }, update: { $setOnInsert: document }, upsert: true } };
    });
    await guarded(() => this.letters.bulkWrite(writes, { ordered: false }));
  }

  /** Shows the letters of the attempt that committed a load and deletes those of the other attempts. Safe to repeat. */
  async open(loadId: string, committedAttempt: number): Promise<void> {
    await guarded(() => this.letters.updateMany({ loadId, attempt: committedAttempt, status: 'PENDING' }, { $set: { status: 'OPEN' } }));
    await guarded(() => this.letters.deleteMany({ loadId, attempt: { $ne: committedAttempt }, status: 'PENDING' }));
  }

  /** Deletes what a run wrote and no commit opened. */
  async discardPending(runId: string): Promise<void> {
    await guarded(() => this.letters.deleteMany({ runId, status: 'PENDING' }));
  }

  /** Runs with letters that are neither opened nor deleted. */
  async runsWithPending(): Promise<string[]> {
    return guarded(() => this.letters.distinct('runId', { status: 'PENDING' }));
  }

  /** Newest first. @throws PlatformError BAD_USER_INPUT when `after` is not a cursor of this list */
  async page({ pipelineId, runId, status, first, after }: DeadLetterQuery): Promise<Page<DeadLetter>> {
    const filter: QueryFilter<DeadLetterDocument> = { status: status ?? { $in: visible } };
    if (pipelineId !== undefined) filter.pipelineId = pipelineId;
    if (runId !== undefined) filter.runId = runId;
    const behind = after === null ? filter : { $and: [filter, olderThan(after)] };
    const [documents, totalCount] = await guarded(() =>
      Promise.all([
        this.letters
          .find(behind)
          .sort({ createdAt: -1, _id: -1 })
          .limit(first + 1)
          .lean<DeadLetterDocument[]>(),
        this.letters.countDocuments(filter),
      ]),
    );
    const items = documents.slice(0, first).map((document) => ({
      cursor: encodeCursor([document.createdAt.toISOString(), document._id]),
      node: letterOf(document),
    }));
    return { items, hasNextPage: documents.length > first, hasPreviousPage: after !== null, totalCount };
  }

  /** By the public id, `dl_…`. */
  async byId(id: string): Promise<DeadLetter | null> {
    if (!id.startsWith('dl_')) return null;
    const document = await guarded(() => this.letters.findOne({ letterId: id.slice(3), status: { $in: visible } }).lean<DeadLetterDocument>());
    return document === null ? null : letterOf(document);
  }
}

function pendingDocument({ id, row, ...letter }: Omit<DeadLetter, 'status' | 'createdAt'>, createdAt: Date): DeadLetterDocument {
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
  };
}

function letterOf({ _id, letterId, row, status, createdAt, ...rest }: DeadLetterDocument): DeadLetter {
  return {
    ...rest,
    id: `dl_${letterId}`,
    row: row === null ? null : (JSON.parse(row) as Record<string, unknown>),
    status: status as DeadLetterStatus,
    createdAt: createdAt.toISOString(),
  };
}

function olderThan(after: string): QueryFilter<DeadLetterDocument> {
  const [time, id] = decodeCursor(after, ['string', 'string']) ?? [];
  const createdAt = new Date(String(time));
  if (typeof id !== 'string' || Number.isNaN(createdAt.getTime())) {
    throw new PlatformError('BAD_USER_INPUT', '`after` is not a cursor that this list returned. Pass `endCursor` of an earlier page, or leave it out.');
  }
  return { $or: [{ createdAt: { $lt: createdAt } }, { createdAt, _id: { $lt: id } }] };
}

/** The driver's errors quote addresses and documents; what leaves this file does not. */
async function guarded<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    const name = error instanceof Error ? error.name : 'unknown error';
    throw new PlatformError('DOCUMENTS_UNAVAILABLE', `The dead letters in MongoDB cannot be used now (${name}).`, { retryable: true });
  }
}
