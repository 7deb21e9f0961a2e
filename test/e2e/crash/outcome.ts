import { eventually } from '../../support/eventually.js';
import type { Tributary } from '../../support/tributary.js';
import type { CrashShop, StoredSlot, Target } from './shop.js';

/** What is to be seen of a run from outside, once it has ended. */
export interface Outcome {
  readonly state: string;
  readonly error: unknown;
  /** Rows that differ from what plain SQL gives. */
  readonly differences: number;
  readonly loads: number;
  readonly slots: readonly StoredSlot[];
  /** The open ones, in the order of their rows' ids. */
  readonly letters: readonly Letter[];
  /** Ids that more than one letter has. */
  readonly repeatedLetters: readonly string[];
  /** What is wrong with its log: a gap, or changes of state that do not follow one another; null: nothing. */
  readonly log: string | null;
}

interface Letter {
  readonly stage: string;
  readonly step: string;
  readonly code: string;
  readonly message: string;
  readonly row: { readonly id: string };
}

interface LoggedEvent {
  readonly seq: number;
  readonly kind: string;
  readonly state: string;
}

interface LogPage {
  readonly edges: readonly { readonly node: LoggedEvent }[];
  readonly pageInfo: { readonly endCursor: string; readonly hasNextPage: boolean };
}

interface RunSeen {
  readonly state: string;
  readonly attempt: number;
  readonly error: unknown;
  readonly metrics: { readonly rowsRead: number; readonly rowsRejected: number };
}

/** What a run has loaded where. */
export interface LoadedRun {
  readonly shop: CrashShop;
  readonly target: Target;
  readonly runId: string;
  readonly lettersExpected: number;
}

const endsWithinMs = 150_000;
const openedWithinMs = 60_000;

/** Looks at runs by way of whichever server is there. */
export class RunWatch {
  constructor(private readonly server: () => Tributary) {}

  /** null: it cannot be seen now, for want of a store. */
  async seen(runId: string): Promise<RunSeen | null> {
    const query = 'query ($id: ID!) { run(id: $id) { state attempt error { code message } metrics { rowsRead rowsRejected } } }';
    const answer = await this.server()
      .send(query, { id: runId })
      .catch(() => null);
    return (answer?.data?.['run'] as RunSeen | undefined) ?? null;
  }

  /** null: not yet, or nobody can say. */
  async ended(runId: string): Promise<RunSeen | null> {
    const run = await this.seen(runId);
    return run && !['QUEUED', 'RUNNING'].includes(run.state) ? run : null;
  }

  async outcome({ shop, target, runId, lettersExpected }: LoadedRun): Promise<{ outcome: Outcome; attempts: number }> {
    const { state, error, attempt } = await eventually('the run has ended', () => this.ended(runId), endsWithinMs);
    const deadline = performance.now() + openedWithinMs;
    let letters = await this.openLetters(runId);
    // What could not be opened at once is opened by a later sweep.
    while (letters.length < lettersExpected && performance.now() < deadline) letters = await this.openLetters(runId);
    const log = await eventually('its end is in the log', () => this.endedLog(runId), 60_000);
    const ids = letters.map(({ id }) => id);
    const outcome = {
      state,
      error,
      differences: await shop.differences(target),
      loads: (await shop.loads(runId)).length,
      slots: await shop.slots(target),
      letters: letters.map(({ id: _, ...letter }) => letter),
      repeatedLetters: ids.filter((id, index) => ids.indexOf(id) !== index),
      log: logProblem(log),
    };
    return { outcome, attempts: attempt };
  }

  /** null: its end is not there yet. */
  private async endedLog(runId: string): Promise<LoggedEvent[] | null> {
    const events: LoggedEvent[] = [];
    for (let after: string | null = null; ; ) {
      const query =
        'query ($id: ID!, $after: String) { run(id: $id) { log(first: 1000, after: $after) { edges { node { seq kind state } } pageInfo { endCursor hasNextPage } } } }';
      const { run }: { run: { log: LogPage } } = await this.server().ask(query, { id: runId, after });
      events.push(...run.log.edges.map(({ node }) => node));
      if (!run.log.pageInfo.hasNextPage) break;
      after = run.log.pageInfo.endCursor;
    }
    return ['COMPLETE', 'FAIL', 'ABORT'].includes(events.at(-1)?.state ?? '') ? events : null;
  }

  private async openLetters(runId: string): Promise<(Letter & { readonly id: string })[]> {
    const { deadLetters } = await this.server().ask<{ deadLetters: { edges: { node: Letter & { id: string } }[] } }>(
      'query ($run: ID!) { deadLetters(run: $run, status: OPEN, first: 1000) { edges { node { id stage step code message row } } } }',
      { run: runId },
    );
    return deadLetters.edges.map(({ node }) => node).sort((one, other) => Number(one.row.id) - Number(other.row.id));
  }
}

/** Numbers from 1 without a gap; queued and running by turns, and then the end, each change once. */
function logProblem(events: readonly LoggedEvent[]): string | null {
  const gap = events.findIndex(({ seq }, index) => seq !== index + 1);
  if (gap >= 0) return `event ${events[gap]?.seq} stands at place ${gap + 1}`;
  const states = events.filter(({ kind }) => kind === 'state').map(({ state }) => state);
  return /^(QUEUED RUNNING )+COMPLETE$/.test(states.join(' ')) ? null : `the states were ${states.join(' ')}`;
}
