import type { Logger } from 'pino';
import type { RunMetrics, StepMetrics } from '../model/run.js';
import type { RunPlace } from '../model/run-log.js';

export interface Progress {
  readonly metrics: RunMetrics;
  readonly steps: readonly StepMetrics[];
  readonly place: RunPlace;
}

/**
 * Stores a run's progress at most once per interval, the newest only, one write at a time: while a write takes longer, what comes
 * meanwhile replaces what waits. Losing one loses nothing: the end carries all counts.
 */
export class ProgressWriter {
  private waiting: Progress | null = null;
  private timer: NodeJS.Timeout | null = null;
  private writing: Promise<void> | null = null;
  private wroteAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly write: (progress: Progress) => Promise<void>,
    private readonly everyMs: number,
    private readonly logger: Logger,
  ) {}

  offer(progress: Progress): void {
    this.waiting = progress;
    this.schedule();
  }

  /** Drops what has not been written; resolves when no write is under way. */
  async close(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    this.waiting = null;
    await this.writing;
  }

  private schedule(): void {
    if (this.writing !== null || this.waiting === null) return;
    this.timer ??= setTimeout(() => this.flush(), Math.max(0, this.wroteAtMs + this.everyMs - performance.now()));
  }

  private flush(): void {
    const progress = this.waiting;
    this.waiting = null;
    this.timer = null;
    if (progress === null) return;
    this.wroteAtMs = performance.now();
    this.writing = this.write(progress)
      .catch((error: unknown) => this.logger.warn({ err: error }, "A run's progress could not be stored."))
      .finally(() => {
        this.writing = null;
        this.schedule();
      });
  }
}
