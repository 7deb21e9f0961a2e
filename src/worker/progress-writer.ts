import type { Logger } from 'pino';
import type { RunMetrics, StepMetrics } from '../model/run.js';

export interface Progress {
  readonly metrics: RunMetrics;
  readonly steps: readonly StepMetrics[];
}

/** Stores a run's progress at most once per interval, the newest only, one write at a time. Losing one loses nothing: the end carries all counts. */
export class ProgressWriter {
  private waiting: Progress | null = null;
  private timer: NodeJS.Timeout | null = null;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly write: (progress: Progress) => Promise<void>,
    private readonly everyMs: number,
    private readonly logger: Logger,
  ) {}

  offer(progress: Progress): void {
    this.waiting = progress;
    this.timer ??= setTimeout(() => this.flush(), this.everyMs);
  }

  /** Drops what has not been written; resolves when no write is under way. */
  async close(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    this.waiting = null;
    await this.writing;
  }

  private flush(): void {
    const progress = this.waiting;
    this.waiting = null;
    this.timer = null;
    if (progress === null) return;
    this.writing = this.writing
      .then(() => this.write(progress))
      .catch((error: unknown) => this.logger.warn({ err: error }, "A run's progress could not be stored."));
  }
}
