import type { RunLogStore } from '../documents/run-log.js';
import { isFinal } from '../model/run.js';
import type { RunEvent } from '../model/run-log.js';
import type { EventSource } from './run-event-stream.js';
import type { RunTail } from './run-tail.js';

type Log = Pick<RunLogStore, 'events'> & { readonly feed: Pick<RunLogStore['feed'], 'read' | 'fence'> };

const eventsAtOnce = 200;
const appendsAtOnce = 64;

/** The events of one run, until its last one. */
export class OneRun implements EventSource {
  readonly key: string;
  ended = false;
  /** Events behind this position are looked for in the tail; null: the log is read. */
  private position: number | null = null;

  /**
   * @param seq    of the last event that is known
   * @param whole  everything that will ever be in its log is there
   */
  constructor(
    private readonly tail: RunTail,
    private readonly log: Log,
    private readonly runId: string,
    private seq: number,
    private readonly whole: boolean,
  ) {
    this.key = `run:${runId}`;
  }

  get behind(): boolean {
    return this.position === null || this.position < this.tail.position;
  }

  pass(position: number): void {
    if (this.position !== null) this.position = Math.max(this.position, position);
  }

  async next(): Promise<readonly RunEvent[]> {
    const events = this.fromTail() ?? (await this.fromLog());
    const last = events.at(-1);
    if (last !== undefined) this.seq = last.seq;
    if (last?.kind === 'state' && isFinal(last.state)) this.ended = true;
    return events;
  }

  /** null: the tail does not have all. */
  private fromTail(): readonly RunEvent[] | null {
    const recent = this.position === null ? null : this.tail.since(this.position);
    if (recent === null) return null;
    const events = recent.events.filter(({ runId, seq }) => runId === this.runId && seq > this.seq);
    if (events.length > 0 && events[0]?.seq !== this.seq + 1) return null;
    this.position = recent.position;
    return events;
  }

  private async fromLog(): Promise<readonly RunEvent[]> {
    const { position } = this.tail;
    const events = await this.log.events(this.runId, this.seq, eventsAtOnce);
    this.position = events.length < eventsAtOnce ? position : null;
    if (events.length < eventsAtOnce && this.whole) this.ended = true;
    return events;
  }
}

/** Which jobs' events are wanted; asked anew whenever there are new ones. null: all. */
export type WantedJobs = () => Promise<ReadonlySet<string> | null>;

/** Behind an event in the feed. */
export interface FeedPlace {
  readonly position: number;
  /** Of the events at this position those up to here are left out. */
  readonly seq: number;
}

/** The events of many runs. */
export class ManyRuns implements EventSource {
  readonly ended = false;
  private position: number;

  /** @param after  null: from now on */
  constructor(
    private readonly tail: RunTail,
    private readonly log: Log,
    readonly key: string,
    private readonly wanted: WantedJobs,
    private readonly after: FeedPlace | null,
  ) {
    this.position = after === null ? tail.position : after.position - 1;
  }

  get behind(): boolean {
    return this.position < this.tail.position;
  }

  pass(position: number): void {
    this.position = Math.max(this.position, position);
  }

  async next(): Promise<readonly RunEvent[]> {
    // One page at a time: between two of them it is seen whether anybody still listens.
    return this.behind ? this.more() : [];
  }

  private async more(): Promise<readonly RunEvent[]> {
    const jobs = await this.wanted();
    const isWanted = ({ pipelineId }: { readonly pipelineId: string }): boolean => jobs === null || jobs.has(pipelineId);
    const recent = this.tail.since(this.position);
    if (recent !== null) {
      this.position = recent.position;
      return recent.events.filter((event) => isWanted(event) && !this.isBefore(event));
    }
    const { feed } = this.log;
    const page = await feed.read(this.position, Math.min(appendsAtOnce, this.tail.position - this.position), isWanted);
    // The tail has seen that it was not made; whoever marks that has not come to it.
    if (page.waitingFor !== null) await feed.fence(page.waitingFor);
    this.position = page.position;
    return page.events.filter((event) => !this.isBefore(event));
  }

  private isBefore({ position, seq }: RunEvent): boolean {
    return this.after !== null && position === this.after.position && seq <= this.after.seq;
  }
}
