import type { Logger } from 'pino';
import { describeEnd, heapMiBOfRun, RunChild } from './child-process.js';

export interface ProcessNeeds {
  /** Bound of the JavaScript heap, in MiB. */
  readonly heapMiB: number;
  /** The run's folder. */
  readonly folder: string;
}

/** Where a run's process comes from. Each serves one run and ends. */
export interface RunProcessSource {
  /** The taker listens. */
  take(needs: ProcessNeeds): RunChild;
}

/** Each is forked when it is needed. */
export function forkedProcesses(entry: string): RunProcessSource {
  return { take: (needs) => new RunChild({ entry, ...needs }) };
}

/** `limits.memory` of a document that does not say it. */
const usualMemoryBytes = 512 * 2 ** 20;

/** From the moment a run takes a process to the fork of the next, in milliseconds: the run's own beginning goes first. */
const fillAfterMs = 300;

export interface ProcessPoolSettings {
  readonly entry: string;
  /** Processes that wait for a run. */
  readonly idle: number;
  readonly logger: Logger;
}

/**
 * Keeps processes that have loaded everything and wait for a run. The heap's bound is given when a process is forked, so that only runs
 * with the usual `limits.memory` get one of these; the others are forked when they are needed.
 */
export class ProcessPool implements RunProcessSource {
  private readonly waiting: RunChild[] = [];
  private readonly heapMiB = heapMiBOfRun(usualMemoryBytes);
  private closed = false;

  constructor(private readonly settings: ProcessPoolSettings) {}

  /** Forks until so many wait as shall. */
  fill(): void {
    try {
      while (!this.closed && this.waiting.length < this.settings.idle) this.add();
    } catch (error) {
      // As for want of memory: a run forks its own then, and says so when it cannot.
      this.settings.logger.warn({ err: error }, 'A process that waits for a run could not be started.');
    }
  }

  take(needs: ProcessNeeds): RunChild {
    const waiting = needs.heapMiB === this.heapMiB ? this.waiting.shift() : undefined;
    setTimeout(() => this.fill(), fillAfterMs).unref();
    return waiting ?? new RunChild({ entry: this.settings.entry, ...needs });
  }

  /** Ends those that wait; resolves when they are gone. */
  async close(): Promise<void> {
    this.closed = true;
    const waiting = this.waiting.splice(0);
    for (const child of waiting) child.kill();
    await Promise.all(waiting.map((child) => child.ended));
  }

  private add(): void {
    const child = new RunChild({ entry: this.settings.entry, heapMiB: this.heapMiB, folder: null });
    this.waiting.push(child);
    void child.ended.then((end) => {
      const place = this.waiting.indexOf(child);
      if (place < 0) return;
      // Not replaced here: one that ends by itself at once would be forked for ever. The next run does.
      this.waiting.splice(place, 1);
      this.settings.logger.warn({ ...end, output: child.errorOutput }, `A process that waited for a run ended by itself (${describeEnd(end)}).`);
    });
  }
}
