import type { Logger } from 'pino';
import type { NewEntry, RunLogStore } from '../documents/run-log.js';
import type { Graph } from '../graph/graph.js';
import { lockMark } from '../graph/ids.js';
import { markLogged, type UnloggedRun, unloggedOfRuns, unloggedOldest } from '../graph/run-transitions.js';
import type { LoggedRun, RunProgress, RunTransition } from '../model/run-log.js';

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
/** What waits shorter is being logged by the process that made the change, in milliseconds. */
const leftAfterMs = 2_000;
const longestMessage = 2_000;

/** Brings changes of state from the graph into the log, exactly in their order, and adds progress between them. */
export class RunLogService {
  private asked = new Set<string>();
  private flushing: Promise<void> | null = null;

  constructor(private readonly parts: RunLogParts) {}

  /** Changes of state of these runs have been committed. Returns at once; what goes wrong is logged, and made up for by `flushLeft`. */
  changed(runIds: readonly string[]): void {
    for (const id of runIds) this.asked.add(id);
    this.flushing ??= this.flushAsked().finally(() => {
      this.flushing = null;
    });
  }

  /** Resolves when what `changed` was told of is in the log, or has failed. */
  async settled(): Promise<void> {
    await this.flushing;
  }

  /** Logs the changes of state of these runs. */
  async flush(runIds: readonly string[]): Promise<void> {
    for (let from = 0; from < runIds.length; from += runsAtOnce) {
      const ids = runIds.slice(from, from + runsAtOnce);
      while ((await this.append(await this.parts.graph.read(unloggedOfRuns, { ids, perRun }))) > 0);
    }
  }

  /** Logs what crashed or unlucky processes have left in the graph. @returns how many runs it was */
  async flushLeft(): Promise<number> {
    const before = new Date(Date.now() - leftAfterMs).toISOString();
    for (let runs = 0; ; ) {
      const found = await this.parts.graph.read(unloggedOldest, { before, limit: runsAtOnce, perRun });
      await this.append(found);
      runs += found.length;
      if (found.length < runsAtOnce) return runs;
    }
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
        await this.flush(ids);
      } catch (error) {
        this.parts.logger.warn({ err: error }, 'Changes of state could not be logged now; it is tried again.');
      }
    }
  }

  /** @returns how many changes of these runs the graph still keeps */
  private async append(runs: readonly UnloggedRun[]): Promise<number> {
    const logged: { id: string; transition: number }[] = [];
    try {
      for (const run of runs) logged.push({ id: run.runId, transition: await this.appendTransitions(run) });
    } catch (error) {
      await this.mark(logged);
      throw error;
    }
    return this.mark(logged);
  }

  private async mark(logged: readonly { id: string; transition: number }[]): Promise<number> {
    if (logged.length === 0) return 0;
    const marked = await this.parts.graph.write(markLogged, { logged, lock: lockMark() });
    return marked.reduce((sum, { left }) => sum + left, 0);
  }

  /** @returns the number up to which all are in the log */
  private async appendTransitions({ transitions, ...run }: UnloggedRun): Promise<number> {
    const last = transitions.at(-1)?.transition ?? 0;
    for (;;) {
      const position = await this.parts.log.append(run, ({ lastTransition }) =>
        transitions.filter(({ transition }) => transition > lastTransition).map(entryOf),
      );
      if (position === null) return last;
      this.parts.onAppended(position);
    }
  }
}

function entryOf({ transition, state, attempt, at, message, metrics, durationMs }: RunTransition): NewEntry {
  const rowsPerSecond = durationMs === null || durationMs === 0 ? null : metrics.rowsRead / (durationMs / 1000);
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
