import type { Logger } from 'pino';
import type { RunFeed } from '../documents/run-feed.js';
import type { RunEvent } from '../model/run-log.js';

export interface RunTailParts {
  readonly feed: Pick<RunFeed, 'read' | 'last' | 'fence' | 'follow'>;
  readonly logger: Logger;
  readonly times?: Partial<TailTimes>;
}

interface TailTimes {
  /** Between two looks that nobody asked for. */
  readonly lookEveryMs: number;
  /** Between two looks while an append is announced and not made. */
  readonly retryEveryMs: number;
  /** So long an append that is announced may take; then it is fenced. */
  readonly patienceMs: number;
}

/** Everything between the position that was asked for and this one. */
export interface Recent {
  readonly position: number;
  readonly events: readonly RunEvent[];
}

/** Told the position before the events that woke it: up to there nothing was for it. */
export type Waiter = (before: number) => void;

const standardTimes: TailTimes = { lookEveryMs: 1_000, retryEveryMs: 50, patienceMs: 5_000 };
const appendsAtOnce = { near: 16, behind: 64 };
const mostKept = 2_000;
const mostAtOnce = 200;
/** Read again at the start, so that what other processes are just writing is not passed. */
const behindStart = 64;

/** The end of the feed in this process: read once, for all who follow it. The newest events are kept; who is further behind reads the log. */
export class RunTail {
  /** Everything up to here has been read. */
  position = 0;
  private readonly times: TailTimes;
  private kept: RunEvent[] = [];
  /** Every event behind this position is kept. */
  private keptBehind = 0;
  private readonly waiters = new Map<string, Set<Waiter>>();
  private timer: NodeJS.Timeout | undefined;
  private reading: Promise<void> | null = null;
  private wanted = false;
  private behind = false;
  private stopped = false;
  private held: { readonly position: number; readonly sinceMs: number } | null = null;

  constructor(private readonly parts: RunTailParts) {
    this.times = { ...standardTimes, ...parts.times };
  }

  /** @throws PlatformError DOCUMENTS_UNAVAILABLE */
  async start(): Promise<void> {
    this.position = Math.max(0, (await this.parts.feed.last()) - behindStart);
    this.keptBehind = this.position;
    this.parts.feed.follow((position, events) => this.offer(position, events));
    this.wake();
    await this.reading;
  }

  /** There may be more to read. Returns at once. */
  wake(): void {
    this.wanted = true;
    if (this.reading !== null || this.stopped) return;
    clearTimeout(this.timer);
    this.reading = this.readAll().finally(() => {
      this.reading = null;
      if (this.wanted) this.wake();
      else if (!this.stopped) this.timer = setTimeout(() => this.wake(), this.held === null ? this.times.lookEveryMs : this.times.retryEveryMs);
    });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.reading;
  }

  /** The first appends behind a position, with a few hundred events at most; null: not all of those are kept here any more. */
  since(position: number): Recent | null {
    if (position < this.keptBehind) return null;
    const { kept } = this;
    let first = kept.length;
    while (first > 0 && (kept[first - 1]?.position ?? 0) > position) first -= 1;
    let end = Math.min(kept.length, first + mostAtOnce);
    while (end < kept.length && kept[end]?.position === kept[end - 1]?.position) end += 1;
    return { events: kept.slice(first, end), position: end < kept.length ? (kept[end - 1]?.position ?? position) : Math.max(position, this.position) };
  }

  /** Calls the waiter for every event of this key (`all`, `run:` and an id, `job:` and an id) until it is removed. */
  add(key: string, waiter: Waiter): void {
    const of = this.waiters.get(key) ?? new Set();
    this.waiters.set(key, of.add(waiter));
  }

  remove(key: string, waiter: Waiter): void {
    const of = this.waiters.get(key);
    if (of?.delete(waiter) && of.size === 0) this.waiters.delete(key);
  }

  /** How many wait. */
  get waiting(): number {
    return [...this.waiters.values()].reduce((sum, { size }) => sum + size, 0);
  }

  private async readAll(): Promise<void> {
    try {
      while (this.wanted && !this.stopped) {
        this.wanted = false;
        await this.readPage();
      }
    } catch (error) {
      this.parts.logger.warn({ err: error }, 'The run log cannot be read now; it is tried again.');
    }
  }

  /** What this process has appended is taken as it is, when it comes next and nobody is just reading it. */
  private offer(position: number, events: readonly RunEvent[]): void {
    if (this.stopped || this.reading !== null || position !== this.position + 1) return;
    this.take(position, events);
  }

  private take(position: number, events: readonly RunEvent[]): void {
    const before = this.position;
    this.position = position;
    for (const event of events) this.kept.push(event);
    this.forget();
    this.wakeAll(before, events);
  }

  private async readPage(): Promise<void> {
    const before = this.position;
    const limit = this.behind ? appendsAtOnce.behind : appendsAtOnce.near;
    const { position, events, waitingFor } = await this.parts.feed.read(before, limit);
    this.take(position, events);
    this.behind = position === before + limit;
    if (this.behind) this.wanted = true;
    await this.look(waitingFor);
  }

  /** What is announced and not made holds everybody up: not for ever. */
  private async look(waitingFor: number | null): Promise<void> {
    if (waitingFor === null) this.held = null;
    else if (this.held?.position !== waitingFor) this.held = { position: waitingFor, sinceMs: performance.now() };
    else if (performance.now() - this.held.sinceMs >= this.times.patienceMs) {
      await this.parts.feed.fence(waitingFor);
      this.wanted = true;
    }
  }

  /** Events of one position are kept or forgotten together. */
  private forget(): void {
    if (this.kept.length <= mostKept) return;
    const last = this.kept[this.kept.length - mostKept / 2]?.position ?? this.position;
    this.kept = this.kept.filter(({ position }) => position > last);
    this.keptBehind = last;
  }

  private wakeAll(before: number, events: readonly RunEvent[]): void {
    if (events.length === 0) return;
    const keys = new Set(['all', ...events.flatMap(({ runId, pipelineId }) => [`run:${runId}`, `job:${pipelineId}`])]);
    for (const key of keys) for (const waiter of [...(this.waiters.get(key) ?? [])]) waiter(before);
  }
}
