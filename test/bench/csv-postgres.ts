import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { projectRoot } from '../../src/lib/project-root.js';
import type { RunSummary } from '../../src/model/run.js';
import type { FromRunProcess, RunRequest, ToRunProcess } from '../../src/model/run-process.js';
import { parseSpec } from '../../src/pipeline/spec/parse-spec.js';
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
const content = `SELECT i AS id, i * 7919 % 100000 AS customer_id, ' User' || i || '@Example.com ' AS email, ((i * 31) % 1000000) / 100.0::float8 AS amount,
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
    const file = join(folder, 'orders.csv');
    await writeCsv(url, file);
    const figures: Measured[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      const measured = await measure(url, folder, file, `csv-${round}`);
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

async function measure(url: URL, folder: string, file: string, runId: string): Promise<Measured> {
  await emptyTable(url);
  const floor = await timed(() => copy(file, url));
  const wanted = JSON.stringify((await query(url, sums)).rows[0]);
  await emptyTable(url);
  const run = await runOnce(url, folder, runId);
  const found = JSON.stringify((await query(url, sums)).rows[0]);
  if (wanted !== found) throw new Error(`The table is not what \\copy gives: expected ${wanted}, found ${found}.`);
  return { floor, ours: run.seconds, mebibytes: run.mebibytes };
}

async function writeCsv(url: URL, file: string): Promise<void> {
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  await pipeline(client.query(copyTo(`COPY (${content}) TO STDOUT (FORMAT csv, HEADER true)`)), createWriteStream(file));
  await client.end();
}

async function copy(file: string, url: URL): Promise<void> {
  const child = spawn(process.execPath, [join(projectRoot, 'dist', 'test', 'bench', 'csv-floor.js'), file, url.href, 'orders'], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`The copy ended with status ${code}.`);
}

/** As the worker does it: a process of its own, its start included in the time. */
async function runOnce(url: URL, data: string, runId: string): Promise<{ seconds: number; mebibytes: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-bench-run-'));
  const config = {
    host: url.hostname,
    port: Number(url.port),
    database: url.pathname.slice(1),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  };
  const request: RunRequest = {
    runId,
    pipelineId: runId,
    attempt: 1,
    epoch: 1,
    spec: parseSpec(document).spec,
    connections: {
      source: { name: 'source', kind: 'file', config: { folder: data }, datasetNamespace: 'file' },
      destination: { name: 'destination', kind: 'postgres', config, datasetNamespace: `postgres://localhost:${url.port}` },
    },
    folder,
    startedAt: '2026-01-01T00:00:00Z',
    params: {},
    replay: null,
  };
  let mebibytes = 0;
  const seconds = await timed(async () => {
    const child = fork(join(projectRoot, 'dist', 'src', 'worker', 'run-process.js'), {
      serialization: 'advanced',
      env: { ...process.env, TRIBUTARY_FILE_ROOTS: data, UV_THREADPOOL_SIZE: '16' },
    });
    const send = (message: ToRunProcess) => child.send(message);
    const sampler = setInterval(() => void peakMebibytes(child.pid ?? 0).then((peak) => (mebibytes = Math.max(mebibytes, peak))), 100);
    const done = await new Promise<RunSummary>((resolve, reject) => {
      child.on('message', (message: FromRunProcess) => {
        if (message.type === 'ready') send({ type: 'run', request });
        else if (message.type === 'failed') reject(new Error(message.error.message));
        else if (message.type === 'done') resolve(message.summary);
      });
      child.on('exit', (code) => reject(new Error(`The run's process ended with status ${code}.`)));
    });
    clearInterval(sampler);
    if (done.metrics.rowsWritten !== rows) throw new Error(`${done.metrics.rowsWritten} of ${rows} rows were written.`);
  });
  await rm(folder, { recursive: true, force: true });
  return { seconds, mebibytes };
}

async function makeDatabase(server: URL, name: string): Promise<URL> {
  await query(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  await query(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url;
}

/** A checkpoint before each measurement, so that none pays for what another wrote. */
async function emptyTable(url: URL): Promise<void> {
  for (const statement of ['DROP TABLE IF EXISTS orders', table, 'CHECKPOINT']) await query(url, statement);
}

/** Linux's own high-water mark. */
async function peakMebibytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
}

async function query(url: URL, sql: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    return await client.query(sql);
  } finally {
    await client.end();
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}
