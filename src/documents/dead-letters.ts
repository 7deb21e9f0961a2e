import type { Connection, QueryFilter } from 'mongoose';
import { decodeCursor, encodeCursor } from '../lib/page-cursor.js';
import type { Page, PageRequest } from '../model/catalogue.js';
import type { DeadLetter, DeadLetterStatus } from '../model/dead-letter.js';
import { PlatformError } from '../model/errors.js';
import {
  type DeadLetterDocument,
  guarded,
  type LetterModel,
  letterIdOf,
  letterModel,
  letterOf,
  type NewDeadLetter,
  pendingDocument,
} from './dead-letter-document.js';
import { LetterReplays } from './letter-replays.js';

export interface DeadLetterQuery extends PageRequest {
  readonly pipelineId?: string | undefined;
  readonly runId?: string | undefined;
  readonly status?: DeadLetterStatus | undefined;
}

const visible: readonly DeadLetterStatus[] = ['OPEN', 'REPLAYED', 'DISCARDED'];

/** Rows that were refused, kept until somebody replays or discards them. */
export class DeadLetterStore {
  readonly replays: LetterReplays;
  private readonly letters: LetterModel;
  private lastWrittenAt = 0;

  constructor(connection: Connection) {
    this.letters = letterModel(connection);
    this.replays = new LetterReplays(this.letters);
  }

  /** Makes the indexes. */
  async prepare(): Promise<void> {
    await guarded(() => this.letters.createIndexes());
  }

  /** Writes letters that nobody sees until `open`. Writing the same ones again changes nothing. */
  async storePending(letters: readonly NewDeadLetter[]): Promise<void> {
    if (letters.length === 0) return;
    // Never the time of the batch before: the letters of one run are in the order in which they came.
    this.lastWrittenAt = Math.max(this.lastWrittenAt + 1, Date.now());
    const createdAt = new Date(this.lastWrittenAt);
    const writes = letters.map((letter, place) => {
      const document = pendingDocument(letter, createdAt, place);
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

  /** OPEN letters become DISCARDED, unless a run takes them again at this moment. @returns how many there were */
  async discard(ids: readonly string[]): Promise<number> {
    const letterIds = ids.flatMap((id) => letterIdOf(id) ?? []);
    const filter = { letterId: { $in: letterIds }, status: 'OPEN', replayRunId: null } as QueryFilter<DeadLetterDocument>;
    const { modifiedCount } = await guarded(() => this.letters.updateMany(filter, { $set: { status: 'DISCARDED' } }));
    return modifiedCount;
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
    const letterId = letterIdOf(id);
    if (letterId === null) return null;
    const document = await guarded(() => this.letters.findOne({ letterId, status: { $in: visible } }).lean<DeadLetterDocument>());
    return document === null ? null : letterOf(document);
  }
}

function olderThan(after: string): QueryFilter<DeadLetterDocument> {
  const [time, id] = decodeCursor(after, ['string', 'string']) ?? [];
  const createdAt = new Date(String(time));
  if (typeof id !== 'string' || Number.isNaN(createdAt.getTime())) {
    throw new PlatformError('BAD_USER_INPUT', '`after` is not a cursor that this list returned. Pass `endCursor` of an earlier page, or leave it out.');
  }
  return { $or: [{ createdAt: { $lt: createdAt } }, { createdAt, _id: { $lt: id } }] };
}
