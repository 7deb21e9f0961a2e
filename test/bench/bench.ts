import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startParts } from '../../infrastructure/local/parts.js';
import { blockingSteps } from './blocking-steps.js';
import { csvPostgres } from './csv-postgres.js';
import { postgresUpsert } from './postgres-upsert.js';
import { appendResult, machineLine } from './results.js';
import { steadyMemory } from './steady-memory.js';

/**
 * `npm run bench [-- --record] [--rounds N] [--only NAME]`: each bench beside a floor in the same call, so that the ratio holds when the machine's
 * speed drifts. Ends with status 1 when a figure is beyond its limit. `--record` adds the figures to RESULTS.md.
 */
const benches = { 'postgres-upsert': postgresUpsert, 'csv-postgres': csvPostgres, 'blocking-steps': blockingSteps, 'steady-memory': steadyMemory };
const only = argumentOf('--only');
const rounds = Number(argumentOf('--rounds') ?? 5);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds must be a whole number of at least 1.');

const stateFolder = await mkdtemp(join(tmpdir(), 'tributary-bench-'));
const parts = await startParts({ stateFolder, only: ['postgres'], log: (part, text) => process.stderr.write(`${part}: ${text}\n`) });
try {
  console.log(machineLine());
  for (const [name, bench] of Object.entries(benches)) {
    if (only !== undefined && only !== name) continue;
    console.log(`\n${name}`);
    const result = await bench(new URL(parts.postgres.url), rounds, (line) => console.log(line));
    console.log(`\n${result.text}`);
    if (process.argv.includes('--record')) await appendResult(result.text);
    if (!result.withinLimits) process.exitCode = 1;
  }
} finally {
  await parts.remove();
}

function argumentOf(name: string): string | undefined {
  const place = process.argv.indexOf(name);
  return place < 0 ? undefined : process.argv[place + 1];
}
