import type { RunEvent } from '../model/run-log.js';
import type { RunTail } from './run-tail.js';

/** Where a stream gets its events from. */
export interface EventSource {
  /** Which events wake it, as the tail knows them. */
  readonly key: string;
  /** What comes next, in order, at most a few hundred; none: there is nothing more yet. */
  next(): Promise<readonly RunEvent[]>;
  /** Up to this position nothing was for it. */
  pass(position: number): void;
  /** Whether there is something that it has not looked at. */
  readonly behind: boolean;
  /** Nothing can come any more. */
  readonly ended: boolean;
}

type Step = IteratorResult<RunEvent, undefined>;
const done: Step = { done: true, value: undefined };

/**
 * Events as they are asked for, one after another. Not a generator: one that waits cannot be ended from outside, and would wait for ever
 * when its reader has gone.
 */
export class RunEventStream implements AsyncIterableIterator<RunEvent, undefined, undefined> {
  private events: readonly RunEvent[] = [];
  private place = 0;
  private closed = false;
  private wake: (() => void) | null = null;
  private asked: Promise<unknown> = Promise.resolve();

  /** @param onClose  called once, however it ends */
  constructor(
    private readonly tail: RunTail,
    private readonly source: EventSource,
    private readonly onClose: () => void = () => undefined,
  ) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step> {
    const step = this.asked.then(() => this.step());
    this.asked = step.catch(() => undefined);
    return step;
  }

  /** Ends a `next` that waits, at once. */
  async return(): Promise<Step> {
    this.close();
    return done;
  }

  async throw(error: unknown): Promise<Step> {
    this.close();
    throw error;
  }

  private async step(): Promise<Step> {
    while (!this.closed) {
      const event = this.events[this.place];
      this.place += 1;
      if (event !== undefined) return { done: false, value: event };
      if (this.source.ended) break;
      await this.fill();
    }
    this.close();
    return done;
  }

  private async fill(): Promise<void> {
    try {
      this.events = await this.source.next();
      this.place = 0;
    } catch (error) {
      this.close();
      throw error;
    }
    if (this.events.length === 0 && !this.source.ended && !this.closed) await this.wait();
  }

  private async wait(): Promise<void> {
    const { tail, source } = this;
    if (source.behind) return;
    await new Promise<void>((resolve) => {
      const waiter = (before: number): void => {
        source.pass(before);
        this.wake?.();
      };
      this.wake = () => {
        tail.remove(source.key, waiter);
        this.wake = null;
        resolve();
      };
      tail.add(source.key, waiter);
    });
  }

  private close(): void {
    if (this.closed) return;
    this.closed = true;
    this.events = [];
    this.wake?.();
    this.onClose();
  }
}
