import type { Logger } from 'pino';
import type { NewEntry, RunLogStore } from '../documents/run-log.js';
import type { Graph } from '../graph/graph.js';
import { lockMark } from '../graph/ids.js';
import { markLogged, type UnloggedRun, unloggedOfRuns, unloggedOldest } from '../graph/run-transitions.js';
import { isFinal } from '../model/run.js';
import type { LogEnd, LoggedRun, RunProgress, RunTransition } from '../model/run-log.js';

export interface RunLogParts {
  readonly graph: Graph;
  readonly log: RunLogStore;
  /** Called with the position of what was appended: whoever waits for it may read. Returns at once. */
  readonly onAppended: (position: number) => void;
  readonly logger: Logger;
}

/** Runs and changes of one run that are read at once. */
const runsAtOnce = 100;
const perRun = 100;
/** What is left then comes with the next sweep. */
const mostTurns = 100;
/** What waits shorter is being logged by the process that made the change, in milliseconds. */
const leftAfterMs = 2_000;
const longestMessage = 2_000;

/** Brings changes of state from the graph into the log, exactly in their order, and adds progress between them. */
export class RunLogService {
  private asked = new Set<string>();
  private flushing: Promise<void> | null = null;
  private marking: Promise<void> = Promise.resolve();

  constructor(private readonly parts: RunLogParts) {}

  /** Changes of state of these runs have been committed. Returns at once; what goes wrong is logged, and made up for by `flushLeft`. */
  changed(runIds: readonly string[]): void {
    for (const id of runIds) this.asked.add(id);
    this.flushing ??= this.flushAsked().finally(() => {
      this.flushing = null;
      // Asked for between the last look and now.
      if (this.asked.size > 0) this.changed([]);
    });
  }

  /** Resolves when what `changed` was told of is in the log, or has failed. */
  async settled(): Promise<void> {
    while (this.flushing !== null) await this.flushing;
    await this.marking;
  }

  /** Logs the changes of state of these runs. */
  async flush(runIds: readonly string[]): Promise<void> {
    await this.append(runIds);
    await this.marking;
  }

  /** Logs what crashed or unlucky processes have left in the graph. @returns how many runs it was */
  async flushLeft(): Promise<number> {
    let runs = 0;
    for (let turn = 1; turn <= mostTurns; turn += 1) {
      const found = await this.parts.graph.read(unloggedOldest, { waitedMs: leftAfterMs, limit: runsAtOnce, perRun });
      await this.appendRuns(found);
      await this.marking;
      runs += found.length;
      if (found.length < runsAtOnce) break;
    }
    return runs;
  }

  /** Adds progress of an attempt, unless its end is in the log already or its beginning is not yet. */
  async progress(run: LoggedRun, attempt: number, progress: RunProgress): Promise<void> {
    const event = { ...progress, kind: 'progress', state: 'RUNNING', attempt, message: null } as const;
    const position = await this.parts.log.append(run, (end) => (end.state === 'RUNNING' && end.attempt === attempt ? [{ event, transition: null }] : []));
    if (position !== null) this.parts.onAppended(position);
  }

  private async flushAsked(): Promise<void> {
    while (this.asked.size > 0) {
      const ids = [...this.asked];
      this.asked = new Set();
      try {
        await this.append(ids);
      } catch (error) {
        this.parts.logger.warn({ err: error }, 'Changes of state could not be logged now; it is tried again.');
      }
    }
  }

  private async append(runIds: readonly string[]): Promise<void> {
    for (let from = 0; from < runIds.length; from += runsAtOnce) {
      const ids = runIds.slice(from, from + runsAtOnce);
      for (let turn = 1; turn <= mostTurns; turn += 1) {
        if (!(await this.appendRuns(await this.parts.graph.read(unloggedOfRuns, { ids, perRun })))) break;
      }
    }
  }

  /** @returns true when the graph may keep more changes of these runs */
  private async appendRuns(runs: readonly UnloggedRun[]): Promise<boolean> {
    const appended = await Promise.allSettled(runs.map(async (run) => ({ id: run.runId, transition: await this.appendTransitions(run) })));
    this.mark(appended.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])));
    for (const one of appended) if (one.status === 'rejected') throw one.reason;
    const more = runs.some(({ transitions }) => transitions.length === perRun);
    if (more) await this.marking;
    return more;
  }

  /** Nobody waits for it: a change that the graph still keeps is brought again, and skipped. */
  private mark(logged: readonly { id: string; transition: number }[]): void {
    if (logged.length === 0) return;
    this.marking = Promise.all([this.marking, this.parts.graph.write(markLogged, { logged, lock: lockMark() })]).then(
      () => undefined,
      (error: unknown) => this.parts.logger.warn({ err: error }, 'Changes of state that are in the log could not be taken from their runs; it is tried again.'),
    );
  }

  /** @returns the number up to which all are in the log */
  private async appendTransitions({ transitions, ...run }: UnloggedRun): Promise<number> {
    const last = transitions.at(-1)?.transition ?? 0;
    for (;;) {
      const choose = ({ lastTransition }: LogEnd): NewEntry[] => transitions.filter(({ transition }) => transition > lastTransition).map(entryOf);
      const position = await this.parts.log.append(run, choose, transitions[0]?.transition === 1);
      if (position === null) return last;
      this.parts.onAppended(position);
    }
  }
}

function entryOf({ transition, state, attempt, at, message, metrics, durationMs }: RunTransition): NewEntry {
  const rowsPerSecond = !isFinal(state) || durationMs === null || durationMs === 0 ? null : metrics.rowsRead / (durationMs / 1000);
  const event = {
    kind: 'state',
    at,
    state,
    attempt,
    message: shortened(message),
    metrics,
    durationMs,
    rowsPerSecond,
    stage: null,
    step: null,
    secondsLeft: null,
  } as const;
  return { transition, event };
}

/** The whole message of a failure stands at its run. */
function shortened(message: string | null): string | null {
  return message !== null && message.length > longestMessage ? `${message.slice(0, longestMessage - 1)}…` : message;
}
