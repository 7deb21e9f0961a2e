import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { to as copyTo } from 'pg-copy-streams';
import { assertSame, connected, emptyTable, makeDatabase, query } from './database.js';
import { fileConnection, type MeasuredRun, postgresConnection, runDocument, runFloor } from './processes.js';
import { median, spread } from './results.js';

const rows = 1_000_000;
const mostRatio = 2;

const document = `
version: 1
name: orders
namespace: bench
inputs: {orders: {connection: source, stream: orders.csv}}
outputs: [{from: orders, connection: destination, stream: public.orders, load: {mode: append}}]
`;
const table = `CREATE TABLE orders (id bigint, customer_id bigint, email text, amount double precision, status text, note text, ordered date, flag boolean, code text)`;
const content = (
  rows: number,
) => `SELECT i AS id, i * 7919 % 100000 AS customer_id, ' User' || i || '@Example.com ' AS email, ((i * 31) % 1000000) / 100.0::float8 AS amount,
  CASE WHEN i % 4 = 0 THEN 'cancelled' ELSE 'paid' END AS status, 'a longer piece, of "text" to carry ' || i AS note, date '2024-01-01' + (i % 1000)::int AS ordered,
  (i % 2 = 0)::text AS flag, lpad((i * 13 % 1000)::text, 4, '0') AS code FROM generate_series(1, ${rows}::bigint) AS i`;
const sums = `SELECT count(*)::int AS rows, sum(id)::text AS ids, sum(amount::numeric)::text AS amounts, sum(length(note))::text AS notes, count(*) FILTER (WHERE flag)::int AS flags FROM orders`;

interface Measured {
  readonly floor: number;
  readonly ours: number;
  readonly mebibytes: number;
}

/** A CSV file of 1,000,000 rows × 9 columns into an empty table, beside the bare copy of the same file. */
export async function csvPostgres(server: URL, rounds: number, log: (line: string) => void): Promise<{ text: string; withinLimits: boolean }> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-bench-csv-'));
  try {
    const url = await makeDatabase(server, 'bench_csv');
    await writeCsv(url, join(folder, 'orders.csv'), rows);
    const figures: Measured[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      const measured = await measure(url, folder);
      const { floor, ours, mebibytes } = measured;
      log(
        `${round === 0 ? 'warm-up' : `round ${round}`}: \\copy ${floor.toFixed(2)} s, run ${ours.toFixed(2)} s, ratio ${(ours / floor).toFixed(2)}, ${mebibytes.toFixed(0)} MiB`,
      );
      if (round > 0) figures.push(measured);
    }
    return summary(figures);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function summary(figures: readonly Measured[]): { text: string; withinLimits: boolean } {
  const ratios = figures.map(({ floor, ours }) => ours / floor);
  const text = [
    `CSV file to PostgreSQL, ${rows.toLocaleString('en')} rows × 9 columns, append; ${figures.length} rounds after a warm-up:`,
    '',
    '| figure | value | limit |',
    '|---|---|---|',
    `| time ÷ time of \\copy of the same file | ${spread(ratios)} | ${mostRatio} |`,
    `| seconds of the run | ${spread(figures.map(({ ours }) => ours))} | |`,
    `| seconds of \\copy | ${spread(figures.map(({ floor }) => floor))} | |`,
    `| peak RSS of the run's process, MiB | ${Math.max(...figures.map(({ mebibytes }) => mebibytes)).toFixed(0)} | |`,
  ].join('\n');
  return { text, withinLimits: median(ratios) <= mostRatio };
}

async function measure(url: URL, folder: string): Promise<Measured> {
  await emptyTable(url, table);
  const floor = await runFloor('csv-floor.js', join(folder, 'orders.csv'), url.href, 'orders');
  const wanted = await query(url, sums);
  const run = await loadCsv(url, folder, rows);
  assertSame(wanted, await query(url, sums));
  return { floor, ours: run.seconds, mebibytes: run.mebibytes };
}

export function writeCsv(url: URL, file: string, rows: number): Promise<void> {
  return connected(url, (client) => pipeline(client.query(copyTo(`COPY (${content(rows)}) TO STDOUT (FORMAT csv, HEADER true)`)), createWriteStream(file)));
}

/** The file of the folder into an empty table. */
export async function loadCsv(url: URL, folder: string, rows: number): Promise<MeasuredRun> {
  await emptyTable(url, table);
  const run = await runDocument(document, [fileConnection('source', folder), postgresConnection('destination', url)]);
  if (run.summary.metrics.rowsWritten !== rows) throw new Error(`${run.summary.metrics.rowsWritten} of ${rows} rows were written.`);
  return run;
}
