import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { type BlockingCase, blockingCases, customersSql, ordersSql } from './blocking-cases.js';
import { fileConnection, type MeasuredRun, runDocument, runFloor } from './processes.js';

const fewRows = 1_000_000;
const manyRows = 20_000_000;
/** The default of `limits.memory`. */
const mostMebibytes = 512;

interface Measured {
  readonly name: string;
  readonly floor: number;
  readonly run: MeasuredRun;
  readonly rows: number;
}

/**
 * Each blocking step over Parquet files, beside the same in plain SQL in a DuckDB without limits: at 1,000,000 rows the results are compared row by row,
 * at 20,000,000 by their number and the sum of their hashes. One round, whatever is asked for: it is memory that has a limit here.
 */
export async function blockingSteps(_server: URL, _rounds: number, log: (line: string) => void): Promise<{ text: string; withinLimits: boolean }> {
  const measured: Measured[] = [];
  for (const rows of [fewRows, manyRows]) {
    const folder = await mkdtemp(join(tmpdir(), 'tributary-bench-blocking-'));
    try {
      await runFloor('duckdb-floor.js', `COPY (${ordersSql(rows)}) TO '${folder}/orders.parquet'`);
      await runFloor('duckdb-floor.js', `COPY (${customersSql(rows)}) TO '${folder}/customers.parquet'`);
      for (const blocking of blockingCases) {
        const { floor, run } = await measure(blocking, folder, rows);
        log(
          `${blocking.name}, ${rows.toLocaleString('en')} rows: DuckDB ${floor.toFixed(1)} s, run ${run.seconds.toFixed(1)} s, ratio ${(run.seconds / floor).toFixed(2)}, ${run.mebibytes.toFixed(0)} MiB`,
        );
        measured.push({ name: blocking.name, floor, run, rows });
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return summary(measured);
}

async function measure({ name, step, sql }: BlockingCase, folder: string, rows: number): Promise<Pick<Measured, 'floor' | 'run'>> {
  const [wanted, found] = [join(folder, 'wanted.parquet'), join(folder, 'found.parquet')];
  const tables = `WITH orders AS (FROM '${folder}/orders.parquet'), customers AS (FROM '${folder}/customers.parquet')`;
  const floor = await runFloor('duckdb-floor.js', `COPY (${tables} ${sql}) TO '${wanted}'`);
  const inputs = ['orders', ...(name === 'join' ? ['customers'] : [])].map((input) => `${input}: {connection: files, stream: ${input}.parquet}`);
  const document = `
version: 1
name: ${name}
namespace: bench
inputs: {${inputs.join(', ')}}
steps: [{id: result, ${step}}]
outputs: [{from: result, connection: files, stream: found.parquet, load: {mode: overwrite}}]
`;
  const run = await runDocument(document, [fileConnection('files', folder)]);
  await assertEqual(wanted, found, rows === fewRows);
  await Promise.all([wanted, found].map((path) => rm(path)));
  return { floor, run };
}

/** @throws Error when the rows of the two files are not the same */
async function assertEqual(wanted: string, found: string, rowByRow: boolean): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const sums = (file: string) => `(SELECT count(*) || ' rows, hashes ' || sum(CAST(hash(r) AS HUGEINT)) FROM '${file}' AS r)`;
    const differing = `(SELECT count(*) FROM ((FROM '${wanted}' EXCEPT ALL FROM '${found}') UNION ALL (FROM '${found}' EXCEPT ALL FROM '${wanted}')))`;
    const reader = await connection.runAndReadAll(`SELECT ${sums(wanted)}, ${sums(found)}, ${rowByRow ? differing : '0'}`);
    const [one, other, rows] = (reader.getRows()[0] ?? []).map(String);
    if (one !== other || rows !== '0') throw new Error(`The result is not what plain SQL gives: expected ${one}, found ${other}; ${rows} rows differ.`);
  } finally {
    connection.closeSync();
  }
}

function summary(measured: readonly Measured[]): { text: string; withinLimits: boolean } {
  const lines = measured.map(({ name, rows, floor, run }) => {
    const [ours, mebibytes] = [run.seconds, run.mebibytes];
    return `| ${name}, ${rows.toLocaleString('en')} rows | ${mebibytes.toFixed(0)} | ${ours.toFixed(1)} | ${floor.toFixed(1)} | ${(ours / floor).toFixed(2)} |`;
  });
  const text = [
    `Blocking steps, Parquet to Parquet, limits.memory ${mostMebibytes} MiB; the results equal those of DuckDB without limits:`,
    '',
    `| step | peak RSS of the run's process, MiB (limit ${mostMebibytes}) | seconds of the run | seconds of DuckDB | ratio |`,
    '|---|---|---|---|---|',
    ...lines,
  ].join('\n');
  return { text, withinLimits: measured.every(({ run }) => run.mebibytes <= mostMebibytes) };
}
