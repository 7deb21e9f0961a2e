import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCsv, writeCsv } from './csv-postgres.js';
import { makeDatabase } from './database.js';
import { makeOrders, upsertOrders } from './orders.js';
import type { MeasuredRun } from './processes.js';
import { median } from './results.js';

const fewRows = 1_000_000;
const manyRows = 10_000_000;
/** Peaks may differ by this part of the smaller run's. */
const mostDifference = 0.1;
/** A peak of few rows depends on when garbage is collected. */
const runsEach = 3;

type Work = (server: URL, rows: number) => Promise<{ run: () => Promise<MeasuredRun>; remove: () => Promise<void> }>;

const works: Readonly<Record<string, Work>> = {
  'PostgreSQL to PostgreSQL, filter + map + cast + upsert': async (server, rows) => {
    const source = await makeOrders(server, rows);
    const destination = await makeDatabase(server, 'bench_destination');
    return { run: () => upsertOrders(source, destination, rows), remove: async () => undefined };
  },
  'CSV file to PostgreSQL, append': async (server, rows) => {
    const folder = await mkdtemp(join(tmpdir(), 'tributary-bench-csv-'));
    const url = await makeDatabase(server, 'bench_csv');
    await writeCsv(url, join(folder, 'orders.csv'), rows);
    return { run: () => loadCsv(url, folder, rows), remove: () => rm(folder, { recursive: true, force: true }) };
  },
};

/** The resident memory of a run's process at 1,000,000 rows beside the same at 10,000,000; the median peak of three runs each. */
export async function steadyMemory(server: URL, _rounds: number, log: (line: string) => void): Promise<{ text: string; withinLimits: boolean }> {
  const lines: string[] = [];
  let withinLimits = true;
  for (const [name, work] of Object.entries(works)) {
    const few = await peak(work, server, fewRows);
    const many = await peak(work, server, manyRows);
    const ratio = many / few;
    withinLimits &&= Math.abs(ratio - 1) <= mostDifference;
    log(
      `${name}: ${few.toFixed(0)} MiB at ${fewRows.toLocaleString('en')} rows, ${many.toFixed(0)} MiB at ${manyRows.toLocaleString('en')}, ratio ${ratio.toFixed(2)}`,
    );
    lines.push(`| ${name} | ${few.toFixed(0)} | ${many.toFixed(0)} | ${ratio.toFixed(2)} |`);
  }
  const text = [
    `Peak RSS of the run's process, MiB, median of ${runsEach} runs; limit of the ratio 1 ± ${mostDifference}:`,
    '',
    `| work | ${fewRows.toLocaleString('en')} rows | ${manyRows.toLocaleString('en')} rows | ratio |`,
    '|---|---|---|---|',
    ...lines,
  ].join('\n');
  return { text, withinLimits };
}

async function peak(work: Work, server: URL, rows: number): Promise<number> {
  const { run, remove } = await work(server, rows);
  try {
    const peaks: number[] = [];
    for (let count = 0; count < runsEach; count += 1) peaks.push((await run()).mebibytes);
    return median(peaks);
  } finally {
    await remove();
  }
}
