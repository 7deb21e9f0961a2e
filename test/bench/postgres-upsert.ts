import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { projectRoot } from '../../src/lib/project-root.js';
import type { RunSummary } from '../../src/model/run.js';
import type { FromRunProcess, RunRequest, ToRunProcess } from '../../src/model/run-process.js';
import { parseSpec } from '../../src/pipeline/spec/parse-spec.js';
import { median, spread } from './results.js';

const rows = 1_000_000;
const mostRatio = 2.2;
const mostMebibytes = 350;

const document = `
version: 1
name: orders
namespace: bench
inputs: {orders: {connection: source, stream: public.orders}}
steps:
  - {id: open, filter: {from: orders, where: "status <> 'cancelled'"}}
  - {id: shaped, map: {from: open, columns: {id: id, customer_id: customer_id, email: "lower(trim(email))", amount: amount,
      total: "CAST(amount * fx_rate AS DECIMAL(18,2))", status: status, note: note, updated_at: updated_at, flag: flag, code: code}}}
  - {id: typed, cast: {from: shaped, columns: {code: INTEGER}, onError: reject}}
outputs:
  - {from: typed, connection: destination, stream: public.orders, load: {mode: upsert, key: [id], orderBy: updated_at}}
`;

const sourceTable = `CREATE TABLE orders (id bigint PRIMARY KEY, customer_id integer, email text, amount numeric(12,2), fx_rate numeric(9,6), status text,
  note text, updated_at timestamptz, flag boolean, code text)`;
const destinationTable = `CREATE TABLE orders (id bigint PRIMARY KEY, customer_id integer, email text, amount numeric(12,2), total numeric(18,2), status text,
  note text, updated_at timestamptz, flag boolean, code integer)`;
const fill = `INSERT INTO orders SELECT i, i * 7919 % 100000, ' User' || i || '@Example.com ', ((i * 31) % 1000000) / 100.0, 1 + (i % 1000) / 1000.0,
  CASE WHEN i % 4 = 0 THEN 'cancelled' ELSE 'paid' END, 'a longer piece of text to carry ' || i, timestamptz '2024-01-01' + i * interval '1 second', i % 2 = 0,
  (i * 13 % 1000)::text FROM generate_series(1, ${rows}::bigint) AS i`;
const expected = `SELECT count(*)::int AS rows, sum(id)::text AS ids, sum(round(amount * fx_rate, 2))::text AS totals, sum(code::int)::text AS codes FROM orders WHERE status <> 'cancelled'`;
const found = `SELECT count(*)::int AS rows, sum(id)::text AS ids, sum(total)::text AS totals, sum(code)::text AS codes FROM orders`;

/** 1,000,000 rows × 10 columns, filter + map + cast + upsert by primary key, beside a bare copy of the same rows. */
export async function postgresUpsert(server: URL, rounds: number, log: (line: string) => void): Promise<{ text: string; withinLimits: boolean }> {
  const source = await makeDatabase(server, 'bench_source');
  const destination = await makeDatabase(server, 'bench_destination');
  await query(source, sourceTable);
  await query(source, fill);
  await query(source, 'VACUUM ANALYZE orders');
  const figures: { floor: number; ours: number; mebibytes: number }[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    await emptyTable(destination, sourceTable);
    const floor = await timed(() => copy(source, destination));
    await emptyTable(destination, destinationTable);
    const run = await runOnce(source, destination, `round-${round}`);
    await compare(source, destination);
    log(
      `${round === 0 ? 'warm-up' : `round ${round}`}: copy ${floor.toFixed(2)} s, run ${run.seconds.toFixed(2)} s, ratio ${(run.seconds / floor).toFixed(2)}, ${run.mebibytes.toFixed(0)} MiB`,
    );
    if (round > 0) figures.push({ floor, ours: run.seconds, mebibytes: run.mebibytes });
  }
  const ratios = figures.map(({ floor, ours }) => ours / floor);
  const mebibytes = Math.max(...figures.map((figure) => figure.mebibytes));
  const withinLimits = median(ratios) <= mostRatio && mebibytes <= mostMebibytes;
  const text = [
    `PostgreSQL to PostgreSQL, ${rows.toLocaleString('en')} rows × 10 columns, filter + map + cast + upsert; ${rounds} rounds after a warm-up:`,
    '',
    '| figure | value | limit |',
    '|---|---|---|',
    `| time ÷ time of COPY to COPY of the same rows | ${spread(ratios)} | ${mostRatio} |`,
    `| seconds of the run | ${spread(figures.map(({ ours }) => ours))} | |`,
    `| seconds of the copy | ${spread(figures.map(({ floor }) => floor))} | |`,
    `| rows read a second | ${Math.round(rows / median(figures.map(({ ours }) => ours))).toLocaleString('en')} | |`,
    `| peak RSS of the run's process, MiB | ${mebibytes.toFixed(0)} | ${mostMebibytes} |`,
  ].join('\n');
  return { text, withinLimits };
}

async function makeDatabase(server: URL, name: string): Promise<URL> {
  await query(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  await query(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url;
}

/** A checkpoint before each measurement, so that none pays for what another wrote. */
async function emptyTable(url: URL, create: string): Promise<void> {
  for (const statement of ['DROP TABLE IF EXISTS orders', create, 'CHECKPOINT']) await query(url, statement);
}

async function copy(source: URL, destination: URL): Promise<void> {
  const child = spawn(process.execPath, [join(projectRoot, 'dist', 'test', 'bench', 'copy-floor.js'), source.href, destination.href, 'orders'], {
    stdio: 'inherit',
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`The copy ended with status ${code}.`);
}

/** As the worker does it: a process of its own, its start included in the time. */
async function runOnce(source: URL, destination: URL, runId: string): Promise<{ seconds: number; mebibytes: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-bench-run-'));
  const { spec } = parseSpec(document);
  const connections = { source: connection('source', source), destination: connection('destination', destination) };
  const request: RunRequest = {
    runId,
    pipelineId: runId,
    attempt: 1,
    epoch: 1,
    spec,
    connections,
    folder,
    startedAt: '2026-01-01T00:00:00Z',
    params: {},
    replay: null,
  };
  let mebibytes = 0;
  const seconds = await timed(async () => {
    const child = fork(join(projectRoot, 'dist', 'src', 'worker', 'run-process.js'), { serialization: 'advanced' });
    const send = (message: ToRunProcess) => child.send(message);
    const sampler = setInterval(() => void peakMebibytes(child.pid ?? 0).then((peak) => (mebibytes = Math.max(mebibytes, peak))), 100);
    const summary = await new Promise<RunSummary>((resolve, reject) => {
      child.on('message', (message: FromRunProcess) => {
        if (message.type === 'ready') send({ type: 'run', request });
        else if (message.type === 'rejected') send({ type: 'stored', batch: message.batch, error: null });
        else if (message.type === 'failed') reject(new Error(message.error.message));
        else if (message.type === 'done') resolve(message.summary);
      });
      child.on('exit', (code) => reject(new Error(`The run's process ended with status ${code}.`)));
    });
    clearInterval(sampler);
    if (summary.metrics.rowsRead !== rows) throw new Error(`${summary.metrics.rowsRead} of ${rows} rows were read.`);
  });
  await rm(folder, { recursive: true, force: true });
  return { seconds, mebibytes };
}

function connection(name: string, url: URL): RunRequest['connections'][string] {
  const config = {
    host: url.hostname,
    port: Number(url.port),
    database: url.pathname.slice(1),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  };
  return { name, kind: 'postgres', config, datasetNamespace: `postgres://localhost:${url.port}` };
}

/** Linux's own high-water mark. */
async function peakMebibytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
}

async function compare(source: URL, destination: URL): Promise<void> {
  const wanted = JSON.stringify((await query(source, expected)).rows[0]);
  const loaded = JSON.stringify((await query(destination, found)).rows[0]);
  if (wanted !== loaded) throw new Error(`The table is not what plain SQL gives: expected ${wanted}, found ${loaded}.`);
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
