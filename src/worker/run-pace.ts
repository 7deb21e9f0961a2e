import type { RunProgress } from '../model/run-log.js';
import type { Progress } from './progress-writer.js';

interface Moment {
  readonly atMs: number;
  readonly rowsRead: number;
}

/** Rows per second are those of this time, in milliseconds: long enough that single segments do not show. */
const windowMs = 5_000;
const shortestMs = 500;

/** How fast a run reads, and how long it will. */
export class RunPace {
  private moments: Moment[] = [];

  /** @param startedAt  RFC 3339; null: now */
  constructor(
    private readonly startedAt: string | null,
    private readonly nowMs: () => number = Date.now,
  ) {}

  seen({ metrics, place: { stage, step, rowsExpected } }: Progress): RunProgress {
    const atMs = this.nowMs();
    this.moments.push({ atMs, rowsRead: metrics.rowsRead });
    // The last one before the window stays: it is where the window begins.
    while (this.moments.length > 2 && (this.moments[1] as Moment).atMs <= atMs - windowMs) this.moments.shift();
    const rowsPerSecond = this.rate(atMs, metrics.rowsRead);
    const left = rowsExpected === null || stage !== 'reading' ? null : rowsExpected - metrics.rowsRead;
    // More rows than were expected: the estimate was wrong, and what is left is not known.
    const secondsLeft = left === null || left < 0 || rowsPerSecond === null || rowsPerSecond === 0 ? null : left / rowsPerSecond;
    const durationMs = Math.max(0, atMs - (this.startedAt === null ? atMs : Date.parse(this.startedAt)));
    return { at: new Date(atMs).toISOString(), stage, step, metrics, durationMs, rowsPerSecond, secondsLeft };
  }

  private rate(atMs: number, rowsRead: number): number | null {
    const first = this.moments[0] as Moment;
    const passedMs = atMs - first.atMs;
    return passedMs < shortestMs ? null : ((rowsRead - first.rowsRead) * 1_000) / passedMs;
  }
}
