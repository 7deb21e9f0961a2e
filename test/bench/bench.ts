import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PartName } from '../../infrastructure/local/part-error.js';
import { type Parts, startParts } from '../../infrastructure/local/parts.js';
import { blockingSteps } from './blocking-steps.js';
import { csvPostgres } from './csv-postgres.js';
import { liveFeed } from './live-feed.js';
import { postgresUpsert } from './postgres-upsert.js';
import { appendResult, machineLine } from './results.js';
import { steadyMemory } from './steady-memory.js';

/**
 * `npm run bench [-- --record] [--rounds N] [--only NAME]`: each bench beside a floor in the same call, so that the ratio holds when the machine's
 * speed drifts. Ends with status 1 when a figure is beyond its limit. `--record` adds the figures to RESULTS.md.
 */
interface Bench {
  readonly parts: readonly PartName[];
  readonly run: (parts: Parts<PartName>, rounds: number, log: (line: string) => void) => Promise<{ text: string; withinLimits: boolean }>;
}

type PostgresBench = (server: URL, ...rest: Parameters<Bench['run']> extends [unknown, ...infer Rest] ? Rest : never) => ReturnType<Bench['run']>;

const benches: Readonly<Record<string, Bench>> = {
  'postgres-upsert': onPostgres(postgresUpsert),
  'csv-postgres': onPostgres(csvPostgres),
  'blocking-steps': onPostgres(blockingSteps),
  'steady-memory': onPostgres(steadyMemory),
  'live-feed': { parts: ['neo4j', 'mongodb', 'postgres'], run: liveFeed },
};
const only = argumentOf('--only');
const rounds = Number(argumentOf('--rounds') ?? 5);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds must be a whole number of at least 1.');
const chosen = Object.entries(benches).filter(([name]) => only === undefined || only === name);
if (chosen.length === 0) throw new Error(`--only must be one of ${Object.keys(benches).join(', ')}.`);

for (const [name, { parts: needed, run }] of chosen) {
  const stateFolder = await mkdtemp(join(tmpdir(), 'tributary-bench-'));
  const parts: Parts<PartName> = await startParts({ stateFolder, only: needed, log: (part, text) => process.stderr.write(`${part}: ${text}\n`) });
  try {
    console.log(`${machineLine()}\n\n${name}`);
    const result = await run(parts, rounds, (line) => console.log(line));
    console.log(`\n${result.text}`);
    if (process.argv.includes('--record')) await appendResult(result.text);
    if (!result.withinLimits) process.exitCode = 1;
  } finally {
    await parts.remove();
  }
}

function onPostgres(bench: PostgresBench): Bench {
  return { parts: ['postgres'], run: (parts, ...rest) => bench(new URL(parts.postgres.url), ...rest) };
}

function argumentOf(name: string): string | undefined {
  const place = process.argv.indexOf(name);
  return place < 0 ? undefined : process.argv[place + 1];
}
