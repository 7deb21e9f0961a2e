import { eventually } from '../../support/eventually.js';
import { type PipelineKey, savePipeline, secretReference, startRun } from '../../support/pipelines.js';
import { childrenOf } from '../../support/processes.js';
import { startTributary, type Tributary } from '../../support/tributary.js';
import type { CrashCase, Victim } from './cases.js';
import { Place } from './place.js';
import { CrashShop, type LoadMode } from './shop.js';
import { KillableStores } from './stores.js';

/** What is to be seen of a run from outside, once it has ended. */
export interface Outcome {
  readonly state: string;
  readonly error: unknown;
  /** Rows that differ from what plain SQL gives. */
  readonly differences: number;
  readonly loads: number;
  readonly slots: readonly { readonly last: string | null; readonly version: number }[];
  /** Ids of the rows that are open dead letters, in order. */
  readonly letters: readonly string[];
  /** What is wrong with its log: a gap, or changes of state that do not follow one another; null: nothing. */
  readonly log: string | null;
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
  readonly error: unknown;
  readonly metrics: { readonly rowsRead: number; readonly rowsRejected: number };
}

/** To the PostgreSQL of the bench. */
export const crashConnection = 'crash';
const endsWithinMs = 150_000;

/** A server on stores of its own, from which anything may be killed. */
export class CrashBench {
  private constructor(
    private readonly stores: KillableStores,
    private serving: Tributary,
  ) {}

  static async start(): Promise<CrashBench> {
    const stores = await KillableStores.start();
    const { hostname, port, username, password } = new URL(stores.postgresUrl);
    const tributary = await startTributary({ ...stores.variables, TRIBUTARY_SECRET_TEST: decodeURIComponent(password) });
    const login = { user: decodeURIComponent(username), password: secretReference('TRIBUTARY_SECRET_TEST') };
    const config = { host: hostname, port: Number(port), database: 'postgres', ...login };
    await tributary.ask('mutation ($name: String!, $config: JSON!) { createConnection(name: $name, kind: "postgres", config: $config) { id } }', {
      name: crashConnection,
      config,
    });
    return new CrashBench(stores, tributary);
  }

  /** The server that is there now. */
  get tributary(): Tributary {
    return this.serving;
  }

  get postgresUrl(): string {
    return this.stores.postgresUrl;
  }

  async close(): Promise<void> {
    await this.tributary.stop();
    await this.stores.remove();
  }

  /** The second run of a pipeline, from which something is killed: what came of it, and what comes of an undisturbed one. */
  async run({ number, point, victim, mode }: CrashCase): Promise<{ found: Outcome; undisturbed: Outcome }> {
    const shop = await CrashShop.make(this.stores.postgresUrl, number);
    const key = await this.firstRun(shop, `pipeline_${number}`, mode);
    const [before] = await shop.slots();
    await shop.secondWave(mode);
    const undisturbed: Outcome = {
      state: 'COMPLETE',
      error: null,
      differences: 0,
      loads: 1,
      slots: [{ last: mode === 'overwrite' ? null : await shop.highestCursor(), version: (before?.version ?? 0) + 1 }],
      letters: await shop.badRows(mode),
      log: null,
    };
    const place = new Place({
      shop,
      stores: this.stores,
      start: () => startRun(this.tributary, key),
      progressOf: async (id) => (await this.seen(id))?.metrics ?? { rowsRead: 0, rowsRejected: 0 },
    });
    try {
      await place.reach(point);
      await this.kill(victim);
      if (point === 'mid-stage, twice in a row') await this.killAgain(place, victim);
    } finally {
      await place.leave();
      await this.revive(victim);
    }
    return { found: await this.outcome(shop, place.runId, undisturbed.letters.length), undisturbed };
  }

  private async firstRun(shop: CrashShop, name: string, mode: LoadMode): Promise<PipelineKey> {
    if (mode !== 'append') await shop.makeKey();
    const key = await savePipeline(this.tributary, shop.document(name, crashConnection, mode));
    const { state, error } = await this.tributary.finishedRun(await startRun(this.tributary, key));
    if (state !== 'COMPLETE') throw new Error(`The first run is ${state}: ${JSON.stringify(error)}`);
    await shop.guardCommits();
    return key;
  }

  /** A gate of PostgreSQL's is open when that was killed, so that there is no second time. */
  private async killAgain(place: Place, victim: Victim): Promise<void> {
    await this.revive(victim);
    if (victim === 'postgres') return;
    if (victim === 'server' || victim === 'run process') await place.reachedAgain();
    await this.kill(victim);
  }

  /** All its run processes when it is one of them: the one that executes, and the one that waits for the next run. */
  async kill(victim: Victim): Promise<void> {
    if (victim === 'server') await this.tributary.kill('SIGKILL');
    else if (victim === 'run process') for (const { pid } of await childrenOf(this.tributary.pid)) process.kill(pid, 'SIGKILL');
    else await this.stores.signal(victim, 'SIGKILL');
  }

  /** What has been killed is there again. */
  async revive(victim: Victim): Promise<void> {
    if (victim === 'server') this.serving = await this.serving.restart();
    else if (victim !== 'run process') await this.stores.restart(victim);
  }

  private async outcome(shop: CrashShop, runId: string, lettersExpected: number): Promise<Outcome> {
    const { state, error } = await eventually('the run has ended', () => this.ended(runId), endsWithinMs);
    const deadline = performance.now() + 60_000;
    let letters = await this.openLetters(runId);
    // What could not be opened at once is opened by a later sweep.
    while (letters.length < lettersExpected && performance.now() < deadline) letters = await this.openLetters(runId);
    const log = await eventually('its end is in the log', () => this.endedLog(runId), 60_000);
    return {
      state,
      error,
      differences: await shop.differences(),
      loads: (await shop.loads(runId)).length,
      slots: await shop.slots(),
      letters,
      log: logProblem(log),
    };
  }

  /** null: its end is not there yet. */
  private async endedLog(runId: string): Promise<LoggedEvent[] | null> {
    const events: LoggedEvent[] = [];
    for (let after: string | null = null; ; ) {
      const query =
        'query ($id: ID!, $after: String) { run(id: $id) { log(first: 1000, after: $after) { edges { node { seq kind state } } pageInfo { endCursor hasNextPage } } } }';
      const { run }: { run: { log: LogPage } } = await this.tributary.ask(query, { id: runId, after });
      events.push(...run.log.edges.map(({ node }) => node));
      if (!run.log.pageInfo.hasNextPage) break;
      after = run.log.pageInfo.endCursor;
    }
    return ['COMPLETE', 'FAIL', 'ABORT'].includes(events.at(-1)?.state ?? '') ? events : null;
  }

  /** null: not yet, or nobody can say. */
  async ended(runId: string): Promise<RunSeen | null> {
    const run = await this.seen(runId);
    return run && !['QUEUED', 'RUNNING'].includes(run.state) ? run : null;
  }

  /** null: it cannot be seen now, for want of a store. */
  private async seen(runId: string): Promise<RunSeen | null> {
    const query = 'query ($id: ID!) { run(id: $id) { state error { code message } metrics { rowsRead rowsRejected } } }';
    const answer = await this.tributary.send(query, { id: runId }).catch(() => null);
    return (answer?.data?.['run'] as RunSeen | undefined) ?? null;
  }

  private async openLetters(runId: string): Promise<string[]> {
    const { deadLetters } = await this.tributary.ask<{ deadLetters: { edges: { node: { row: { id: string } } }[] } }>(
      'query ($run: ID!) { deadLetters(run: $run, status: OPEN, first: 1000) { edges { node { row } } } }',
      { run: runId },
    );
    return deadLetters.edges.map(({ node }) => node.row.id).sort((one, other) => Number(one) - Number(other));
  }
}

/** Numbers from 1 without a gap; queued and running by turns, and then the end, each change once. */
function logProblem(events: readonly LoggedEvent[]): string | null {
  const gap = events.findIndex(({ seq }, index) => seq !== index + 1);
  if (gap >= 0) return `event ${events[gap]?.seq} stands at place ${gap + 1}`;
  const states = events.filter(({ kind }) => kind === 'state').map(({ state }) => state);
  return /^(QUEUED RUNNING )+COMPLETE$/.test(states.join(' ')) ? null : `the states were ${states.join(' ')}`;
}
