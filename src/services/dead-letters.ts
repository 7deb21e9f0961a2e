import type { DeadLetterQuery, DeadLetterStore } from '../documents/dead-letters.js';
import type { Page } from '../model/catalogue.js';
import type { DeadLetter, RejectedRow } from '../model/dead-letter.js';

/** Rows that runs refused. */
export class DeadLetterService {
  private readonly letters: DeadLetterStore;

  constructor({ letters }: { readonly letters: DeadLetterStore }) {
    this.letters = letters;
  }

  /** Keeps rows of a running attempt, unseen until its load has been committed. Safe to repeat. */
  store(run: { readonly id: string; readonly pipelineId: string }, attempt: number, rows: readonly RejectedRow[]): Promise<void> {
    return this.letters.storePending(rows.map((row) => ({ ...row, runId: run.id, pipelineId: run.pipelineId, attempt })));
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

  /** Newest first. */
  list(query: DeadLetterQuery): Promise<Page<DeadLetter>> {
    return this.letters.page(query);
  }

  byId(id: string): Promise<DeadLetter | null> {
    return this.letters.byId(id);
  }
}
