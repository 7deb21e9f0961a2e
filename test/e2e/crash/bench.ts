import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '../../support/eventually.js';
import { type PipelineKey, savePipeline, secretReference, startRun } from '../../support/pipelines.js';
import { childrenOf } from '../../support/processes.js';
import { startTributary, type Tributary } from '../../support/tributary.js';
import type { CrashCase, Victim } from './cases.js';
import { type Outcome, RunWatch } from './outcome.js';
import { Place } from './place.js';
import { CrashShop, type LoadMode, type Target } from './shop.js';
import { sent } from './signals.js';
import { KillableStores } from './stores.js';

export interface CaseResult {
  readonly found: Outcome;
  /** Of the twin: another pipeline with the same document, source and schema, but a table of its own, whose run nobody disturbed. */
  readonly undisturbed: Outcome;
  /** What is known of both beforehand. */
  readonly expected: object;
  /** Of the run from which something was killed. */
  readonly attempts: number;
}

/** To the PostgreSQL of the bench. */
export const crashConnection = 'crash';

/** How long a victim is waited for, in milliseconds: after the one that waited was killed, too, a run process is forked when the next run begins. */
const thereWithinMs = 60_000;

/** A server on stores of its own, from which anything may be killed. */
export class CrashBench {
  readonly runs = new RunWatch(() => this.serving);

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
  async run({ number, point, victim, mode }: CrashCase): Promise<CaseResult> {
    const shop = await CrashShop.make(this.stores.postgresUrl, number);
    if (mode !== 'append') await shop.makeKeys();
    const [key, twin] = await Promise.all([this.firstRun(shop, 'target', mode), this.firstRun(shop, 'twin', mode)]);
    await shop.guardCommits();
    await shop.secondWave(mode);
    const letters = await shop.badRows(mode);
    const looked = { shop, lettersExpected: letters.length };
    const { outcome: undisturbed } = await this.runs.outcome({ ...looked, target: 'twin', runId: await startRun(this.tributary, twin) });
    const place = this.placeFor(shop, key);
    try {
      await place.reach(point);
      await this.hit(victim, point);
      if (point === 'mid-stage, twice in a row') await this.hitAgain(place, victim);
    } finally {
      await place.leave();
      await this.revive(victim);
    }
    const { outcome: found, attempts } = await this.runs.outcome({ ...looked, target: 'target', runId: place.runId });
    return { found, undisturbed, expected: expectedOutcome(mode, letters, await shop.highestCursor()), attempts };
  }

  private async firstRun(shop: CrashShop, target: Target, mode: LoadMode): Promise<PipelineKey> {
    const key = await savePipeline(this.tributary, shop.document(target, crashConnection, mode));
    const { state, error } = await this.tributary.finishedRun(await startRun(this.tributary, key));
    if (state !== 'COMPLETE') throw new Error(`The first run is ${state}: ${JSON.stringify(error)}`);
    return key;
  }

  private placeFor(shop: CrashShop, key: PipelineKey): Place {
    return new Place({
      shop,
      stores: this.stores,
      start: () => startRun(this.tributary, key),
      progressOf: async (id) => (await this.runs.seen(id))?.metrics ?? { rowsRead: 0, rowsRejected: 0 },
    });
  }

  private async hit(victim: Victim, when: string): Promise<void> {
    if ((await this.kill(victim)) === 0) throw new Error(`Nothing was killed: there was no ${victim} (${when}).`);
  }

  /** Once the run is seen to have gone on: it is in its commit when its process may have outlived the first time, otherwise back where it was. */
  private async hitAgain(place: Place, victim: Victim): Promise<void> {
    if (victim === 'postgres') {
      // A gate dies with PostgreSQL. While everything that could begin another attempt stands still, none comes by before it is closed again.
      await this.whileServerStandsStill(async () => {
        await this.revive(victim);
        await place.closeAgain();
      });
      await place.reachedAgain();
    } else {
      await this.revive(victim);
      if (victim === 'server' || victim === 'run process') await place.reachedAgain();
      else await place.moveOn('in the commit');
    }
    await eventually('the run is under way again', async () => (await this.runs.seen(place.runId))?.state === 'RUNNING');
    await this.hit(victim, 'the second time');
  }

  private async whileServerStandsStill(act: () => Promise<void>): Promise<void> {
    const { pid } = this.tributary;
    sent(pid, 'SIGSTOP');
    const children = (await childrenOf(pid)).map((child) => child.pid);
    for (const child of children) sent(child, 'SIGSTOP');
    try {
      await act();
    } finally {
      for (const each of [...children, pid]) sent(each, 'SIGCONT');
    }
  }

  /**
   * All its run processes when it is one of them: the one that executes, and the one that waits for the next run.
   *
   * @returns how many processes it has killed; 0: none was there, nor came within a minute
   */
  async kill(victim: Victim): Promise<number> {
    for (const deadline = performance.now() + thereWithinMs; ; await wait(50)) {
      const killed = await this.killNow(victim);
      if (killed > 0 || performance.now() > deadline) return killed;
    }
  }

  private async killNow(victim: Victim): Promise<number> {
    const { tributary } = this;
    if (victim === 'run process') return (await childrenOf(tributary.pid)).filter(({ pid }) => sent(pid, 'SIGKILL')).length;
    if (victim !== 'server') return (await this.stores.signal(victim, 'SIGKILL')) ? 1 : 0;
    const there = sent(tributary.pid, 0);
    await tributary.kill('SIGKILL');
    return there ? 1 : 0;
  }

  /** What has been killed is there again. */
  async revive(victim: Victim): Promise<void> {
    if (victim === 'run process') return;
    if (victim !== 'server') await this.stores.restart(victim);
    else if (!sent(this.tributary.pid, 0)) this.serving = await this.tributary.restart();
  }
}

/** Of the second run: the whole source is loaded, once. */
function expectedOutcome(mode: LoadMode, letters: readonly string[], last: string): object {
  return {
    state: 'COMPLETE',
    error: null,
    differences: 0,
    loads: 1,
    slots: [{ input: 'rows', version: 2, state: mode === 'overwrite' ? {} : { last } }],
    letters: letters.map((id) => ({ stage: 'transform', step: 'typed', code: 'VALUE_UNCONVERTIBLE', row: { id, amount: 'bad' } })),
    repeatedLetters: [],
    log: null,
  };
}
