import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import pg from 'pg';
import { eventually } from '../../support/eventually.js';
import { type PipelineKey, savePipeline, startRun } from '../../support/pipelines.js';
import { CrashBench, crashConnection } from './bench.js';
import { type Victim, victims } from './cases.js';

export interface Kill {
  readonly victim: Victim;
  readonly afterMs: number;
}

export interface LoopOutcome {
  /** Written to the source. */
  readonly rows: number;
  readonly appended: { readonly lost: number; readonly doubled: number };
  readonly merged: { readonly differences: number };
  /** How often something was there to be killed, and was. */
  readonly killed: KillCounts;
}

export type KillCounts = Readonly<Record<Victim, number>>;

/** CRASH_KILLS kills (default 5), about six seconds apart with the time that starting again takes, as CRASH_SEED (default 1) turns them up. */
export function killsOf({ CRASH_KILLS: count = '5', CRASH_SEED: seed = '1' }: NodeJS.ProcessEnv): Kill[] {
  const kill = fc.record({ victim: fc.constantFrom(...victims), afterMs: fc.integer({ min: 500, max: 5_500 }) });
  return fc.sample(kill, { numRuns: Number(count), seed: Number(seed) });
}

/** How often each of them comes up. */
export function countsOf(hit: readonly Victim[]): KillCounts {
  return Object.fromEntries(victims.map((victim) => [victim, hit.filter((each) => each === victim).length])) as KillCounts;
}

const tables = `CREATE SCHEMA loop; CREATE TABLE loop.source (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text, changed_at timestamptz NOT NULL DEFAULT clock_timestamp());
  CREATE TABLE loop.appended (id bigint, v text); CREATE TABLE loop.merged (id bigint PRIMARY KEY, v text, changed_at timestamptz)`;

const document = (name: string, load: string, columns: string) => `{version: 1, name: ${name}, namespace: loop,
  inputs: {source: {connection: ${crashConnection}, stream: loop.source, incremental: {cursor: changed_at}}},
  steps: [{id: result, map: {from: source, columns: ${columns}}}],
  outputs: [{from: result, connection: ${crashConnection}, stream: loop.${name}, load: ${load}}]}`;

/** A source that is written to all the time, and two pipelines that follow it. */
export class CrashLoop {
  private running = true;

  private constructor(
    private readonly bench: CrashBench,
    private readonly pipelines: readonly PipelineKey[],
  ) {}

  static async start(): Promise<CrashLoop> {
    const bench = await CrashBench.start();
    await query(bench, tables);
    const documents = [
      document('appended', '{mode: append}', '{id: id, v: v}'),
      document('merged', '{mode: upsert, key: [id], orderBy: changed_at}', '{id: id, v: v, changed_at: changed_at}'),
    ];
    const pipelines: PipelineKey[] = [];
    for (const each of documents) pipelines.push(await savePipeline(bench.tributary, each));
    return new CrashLoop(bench, pipelines);
  }

  async close(): Promise<void> {
    this.running = false;
    await this.bench.close();
  }

  async run(kills: readonly Kill[]): Promise<LoopOutcome> {
    const busy = [this.write(), ...this.pipelines.map((pipeline) => this.follow(pipeline))];
    const hit: Victim[] = [];
    for (const { victim, afterMs } of kills) {
      await wait(afterMs);
      if ((await this.bench.kill(victim)) > 0) hit.push(victim);
      await this.bench.revive(victim);
    }
    this.running = false;
    await Promise.all(busy);
    for (const pipeline of this.pipelines) await eventually(`${pipeline.name} runs to its end`, () => this.completes(pipeline), 180_000);
    return this.outcome(countsOf(hit));
  }

  /** Rows are only ever added. */
  private async write(): Promise<void> {
    for (; this.running; await wait(50)) {
      await query(this.bench, `INSERT INTO loop.source (v) SELECT 'v' || i FROM generate_series(1, 50) AS i`).catch(() => undefined);
    }
  }

  private async follow(pipeline: PipelineKey): Promise<void> {
    while (this.running) await this.completes(pipeline).catch(() => wait(200));
  }

  /** null: it did not, or nobody can say. */
  private async completes(pipeline: PipelineKey): Promise<true | null> {
    const id = await startRun(this.bench.tributary, pipeline).catch(() => null);
    if (id === null) return null;
    const run = await eventually('the run has ended', () => this.bench.runs.ended(id), 180_000);
    return run.state === 'COMPLETE' ? true : null;
  }

  private async outcome(killed: KillCounts): Promise<LoopOutcome> {
    const [found] = await query(
      this.bench,
      `SELECT (SELECT count(*)::int FROM loop.source) AS rows,
        (SELECT count(*)::int FROM loop.source AS s WHERE NOT EXISTS (SELECT FROM loop.appended AS a WHERE a.id = s.id AND a.v = s.v)) AS lost,
        (SELECT count(*)::int - count(DISTINCT id)::int FROM loop.appended) AS doubled,
        (SELECT count(*)::int FROM ((TABLE loop.source EXCEPT ALL TABLE loop.merged) UNION ALL (TABLE loop.merged EXCEPT ALL TABLE loop.source)) AS d) AS differences`,
    );
    const { rows = -1, lost = -1, doubled = -1, differences = -1 } = found ?? {};
    return { rows, appended: { lost, doubled }, merged: { differences }, killed };
  }
}

async function query({ postgresUrl }: CrashBench, sql: string): Promise<Record<string, number>[]> {
  const client = new pg.Client({ connectionString: postgresUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, number>>(sql)).rows;
  } finally {
    await client.end();
  }
}
