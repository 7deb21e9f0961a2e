import type { QueryFilter } from 'mongoose';
import type { DeadLetterStage, OutputPlace, ReplayedLetter } from '../model/dead-letter.js';
import { type DeadLetterDocument, guarded, type LetterModel, letterIdOf, publicId } from './dead-letter-document.js';

/** Open letters of one pipeline that no run takes again yet. */
export interface LetterSelection {
  readonly pipelineId: string;
  /** null: all of them. */
  readonly ids: readonly string[] | null;
}

/** Letters that one step refused on their way to one output. */
export interface LetterGroup {
  readonly stage: DeadLetterStage;
  readonly step: string;
  readonly output: OutputPlace;
  readonly count: number;
}

interface GroupRecord {
  readonly _id: { readonly stage: DeadLetterStage; readonly step: string; readonly connection: string; readonly stream: string };
  readonly count: number;
}

type Filter = QueryFilter<DeadLetterDocument>;

const lettersPerBatch = 500;
const held: Filter = { status: 'OPEN', replayRunId: { $ne: null } };

/** Which run takes which letters again. A marked letter stays OPEN until that run has committed it. */
export class LetterReplays {
  constructor(private readonly letters: LetterModel) {}

  /** What a replay of them would have to go through. */
  async groups(selection: LetterSelection): Promise<LetterGroup[]> {
    const group = { stage: '$stage', step: '$step', connection: '$output.connection', stream: '$output.stream' };
    const found = await guarded(() => this.letters.aggregate<GroupRecord>([{ $match: chosen(selection) }, { $group: { _id: group, count: { $sum: 1 } } }]));
    return found.map(({ _id: { stage, step, connection, stream }, count }) => ({ stage, step, output: { connection, stream }, count }));
  }

  /** Ids of those whose row was too large to be kept, at most `most`. */
  async withoutRow(selection: LetterSelection, most: number): Promise<string[]> {
    const found = await guarded(() =>
      this.letters
        .find({ ...chosen(selection), row: null })
        .select('letterId')
        .limit(most)
        .lean<DeadLetterDocument[]>(),
    );
    return found.map(({ letterId }) => publicId(letterId));
  }

  /** The runs that refused them. */
  async refusingRuns(selection: LetterSelection): Promise<string[]> {
    return guarded(() => this.letters.distinct('runId', chosen(selection)));
  }

  /** Gives them to a run; a letter that another run has already is left to it. @returns how many it was given */
  async mark(selection: LetterSelection, replayRunId: string): Promise<number> {
    const { modifiedCount } = await guarded(() => this.letters.updateMany(chosen(selection), { $set: { replayRunId } }));
    return modifiedCount;
  }

  /** The letters of a run on their way to one output are in its table. Safe to repeat. */
  async resolve(replayRunId: string, { connection, stream }: OutputPlace): Promise<void> {
    const filter = { replayRunId, status: 'OPEN', 'output.connection': connection, 'output.stream': stream } as Filter;
    await guarded(() => this.letters.updateMany(filter, { $set: { status: 'REPLAYED' } }));
  }

  /** Letters that these runs were given and did not commit can be taken again. Safe to repeat. */
  async release(...replayRunIds: readonly string[]): Promise<void> {
    await guarded(() => this.letters.updateMany({ replayRunId: { $in: replayRunIds }, status: 'OPEN' }, { $unset: { replayRunId: '' } }));
  }

  /** Runs that hold letters which they have neither committed nor released, among these letters of a pipeline, or of any when it is null. */
  async runsOf({ pipelineId, ids }: Pick<LetterSelection, 'ids'> & { readonly pipelineId: string | null }): Promise<string[]> {
    const filter: Filter = { ...held };
    if (pipelineId !== null) filter.pipelineId = pipelineId;
    if (ids !== null) filter.letterId = { $in: letterIds(ids) };
    return guarded(() => this.letters.distinct('replayRunId', filter));
  }

  /** Every letter that a run was given, also those it has committed, in the order in which they were written. */
  async *of(replayRunId: string): AsyncGenerator<ReplayedLetter> {
    const cursor = this.letters.find({ replayRunId }).sort({ createdAt: 1, place: 1, _id: 1 }).batchSize(lettersPerBatch).lean<DeadLetterDocument>().cursor();
    try {
      for (;;) {
        const document = await guarded(() => cursor.next());
        if (document === null) return;
        const { letterId, stage, step, output, row } = document;
        yield { id: publicId(letterId), stage, step, output, row: row === null ? null : (JSON.parse(row) as Record<string, unknown>) };
      }
    } finally {
      await cursor.close();
    }
  }
}

function chosen({ pipelineId, ids }: LetterSelection): Filter {
  const filter: Filter = { pipelineId, status: 'OPEN', replayRunId: null };
  if (ids !== null) filter.letterId = { $in: letterIds(ids) };
  return filter;
}

function letterIds(ids: readonly string[]): string[] {
  return ids.flatMap((id) => letterIdOf(id) ?? []);
}
