import type { DeadLetterQuery, DeadLetterStore } from '../documents/dead-letters.js';
import type { Page } from '../model/catalogue.js';
import type { DeadLetter, OutputPlace, RejectedRow, ReplayedLetter } from '../model/dead-letter.js';
import { PlatformError } from '../model/errors.js';
import { outputOfLoad } from '../model/load-id.js';

/** Letters that one call may name. */
export const mostLetters = 1_000;

/** Rows that runs refused. */
export class DeadLetterService {
  private readonly letters: DeadLetterStore;

  constructor({ letters }: { readonly letters: DeadLetterStore }) {
    this.letters = letters;
  }

  /**
   * Keeps rows of a running attempt, unseen until its load has been committed. Safe to repeat.
   *
   * @param outputs  those of the document, in its order
   */
  store(
    run: { readonly id: string; readonly pipelineId: string },
    attempt: number,
    rows: readonly RejectedRow[],
    outputs: readonly OutputPlace[],
  ): Promise<void> {
    const { id: runId, pipelineId } = run;
    return this.letters.storePending(rows.map((row) => ({ ...row, runId, pipelineId, attempt, output: outputOf(row, outputs) })));
  }

  /** Shows the letters of the attempt that committed `loadId` and deletes those of its other attempts. Safe to repeat. */
  open(loadId: string, committedAttempt: number): Promise<void> {
    return this.letters.open(loadId, committedAttempt);
  }

  /** Deletes what a run that is final wrote without committing. Safe to repeat. */
  discardPending(runId: string): Promise<void> {
    return this.letters.discardPending(runId);
  }

  /** Ids of runs whose letters a crash left unopened, or that are still running. */
  runsWithPending(): Promise<string[]> {
    return this.letters.runsWithPending();
  }

  /** The letters that a replay was given, in the order in which they were written. */
  replayed(replayRunId: string): AsyncIterable<ReplayedLetter> {
    return this.letters.replays.of(replayRunId);
  }

  /** The letters that a replay was given for this output are in its table. Safe to repeat. */
  resolveReplayed(replayRunId: string, output: OutputPlace): Promise<void> {
    return this.letters.replays.resolve(replayRunId, output);
  }

  /** What a replay that is final was given and has not committed can be taken again. Safe to repeat. */
  releaseReplayed(replayRunId: string): Promise<void> {
    return this.letters.replays.release(replayRunId);
  }

  /** Ids of the runs that hold letters: queued or running, or left by a crash. */
  runsWithReplayed(): Promise<string[]> {
    return this.letters.replays.runsOf({ pipelineId: null, ids: null });
  }

  /**
   * Says of open letters that nobody needs them. Others are left as they are.
   *
   * @returns how many were open
   * @throws PlatformError BAD_USER_INPUT for more than 1,000; CONFLICT when a run takes some of them again at this moment
   */
  async discard(ids: readonly string[]): Promise<number> {
    assertFew(ids);
    const [run] = await this.letters.replays.runsOf({ pipelineId: null, ids });
    if (run !== undefined) throw new PlatformError('CONFLICT', `Some of these dead letters are taken again by run ${run}; wait until it has ended.`);
    return this.letters.discard(ids);
  }

  /** Newest first. */
  list(query: DeadLetterQuery): Promise<Page<DeadLetter>> {
    return this.letters.page(query);
  }

  byId(id: string): Promise<DeadLetter | null> {
    return this.letters.byId(id);
  }
}

/** @throws PlatformError BAD_USER_INPUT */
export function assertFew(ids: readonly string[]): void {
  if (ids.length <= mostLetters) return;
  throw new PlatformError('BAD_USER_INPUT', `\`ids\` names ${ids.length} dead letters; a call takes at most ${mostLetters}. Call again for the others.`);
}

function outputOf({ loadId }: RejectedRow, outputs: readonly OutputPlace[]): OutputPlace {
  const output = outputs[outputOfLoad(loadId)];
  if (output === undefined) throw new PlatformError('INTERNAL', `Load ${loadId} is of no output of its pipeline.`);
  return { connection: output.connection, stream: output.stream };
}
