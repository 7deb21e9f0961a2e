import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { connectors } from '../../../src/connectors/connectors.js';
import { readConversion } from '../../../src/connectors/postgres/types.js';
import type { CompiledOutput, CompiledPipeline } from '../../../src/model/compiled-pipeline.js';
import type { StreamDescription } from '../../../src/model/connector.js';
import type { RejectedRow } from '../../../src/model/dead-letter.js';
import type { StepMetrics } from '../../../src/model/run.js';
import type { CompileResult } from '../../../src/model/run-process.js';
import type { Segment } from '../../../src/model/segment.js';
import type { PassOutput } from '../../../src/pipeline/execute/destinations.js';
import { runPass } from '../../../src/pipeline/execute/run-pass.js';
import { compilePipeline } from '../../../src/pipeline/spec/compile-pipeline.js';
import { parseSpec } from '../../../src/pipeline/spec/parse-spec.js';
import { openDuckDb } from '../../../src/pipeline/transform/duckdb.js';
import { formatCsv, parseCsv, type TextRow } from './csv.js';

/** PostgreSQL types of the columns of the one input, `orders`, in table order. */
export type ColumnTypes = Readonly<Record<string, string>>;
/** A step as a document has it. */
export type StepDocument = Readonly<Record<string, unknown>>;

export interface StepRun {
  /** As texts, the way they would be loaded, in source order. */
  readonly rows: TextRow[];
  readonly metrics: StepMetrics[];
  readonly letters: RejectedRow[];
}

export interface StepRunOptions {
  /** Default: all rows in one segment. */
  readonly segmentRows?: number;
  readonly loadId?: string;
  readonly now?: string;
}

export const inputDataset = { namespace: 'postgres://localhost:5432', name: 'shop.public.orders' };
const outputDataset = { namespace: 'postgres://localhost:5432', name: 'shop.mart.orders' };
const memoryBytes = 256 * 2 ** 20;
const noon = '2026-03-01T12:00:00.000Z';

/** Calls `work` with the sandbox that a run has, in a folder of its own. */
export async function withDuckDb<T>(work: (connection: DuckDBConnection, folder: string) => Promise<T>, now = noon): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-steps-'));
  const connection = await openDuckDb({ folder, memoryBytes, now });
  try {
    return await work(connection, folder);
  } finally {
    connection.closeSync();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Compiles a pipeline of one input `orders`, these steps, and an output of the last one. */
export function compileSteps(types: ColumnTypes, steps: readonly StepDocument[]): Promise<CompileResult> {
  return withDuckDb((connection) => compile(types, steps, connection));
}

export async function compiledSteps(types: ColumnTypes, steps: readonly StepDocument[]): Promise<CompiledPipeline> {
  const result = await compileSteps(types, steps);
  if ('issues' in result) throw new Error(result.issues.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  return result.compiled;
}

/** The sentences with which these steps are refused. */
export async function problemsOf(types: ColumnTypes, steps: readonly StepDocument[]): Promise<string[]> {
  const result = await compileSteps(types, steps);
  return 'issues' in result ? result.issues.map(({ path, message }) => `${path}: ${message}`) : [];
}

/** Takes rows through the steps as a run does: as CSV segments, through tables, to the CSV that would be loaded. */
export async function runSteps(types: ColumnTypes, steps: readonly StepDocument[], rows: readonly TextRow[], options: StepRunOptions = {}): Promise<StepRun> {
  const compiled = await compiledSteps(types, steps);
  return withDuckDb((connection, folder) => transformAll(compiled, rows, Object.keys(types), { connection, folder, options }), options.now);
}

interface Bench {
  readonly connection: DuckDBConnection;
  readonly folder: string;
  readonly options: StepRunOptions;
}

async function transformAll(
  compiled: CompiledPipeline,
  rows: readonly TextRow[],
  names: readonly string[],
  { connection, folder, options }: Bench,
): Promise<StepRun> {
  const [input] = compiled.inputs;
  const [output] = compiled.outputs;
  if (!input || !output) throw new Error('There is no input, or no output.');
  const places = input.columns.map(({ name }) => names.indexOf(name));
  const loaded: TextRow[] = [];
  const letters: RejectedRow[] = [];
  let metrics: readonly StepMetrics[] = [];
  await runPass({
    compiled,
    outputs: [outputInto(output, loaded, options.loadId ?? 'run/0/1')],
    erases: false,
    read: () => segmentsOf(rows, places, input.columns, folder, options.segmentRows ?? Math.max(rows.length, 1)),
    connection,
    folder,
    memoryBytes,
    limits: { rejectedRows: null, rejectedRatio: null },
    store: async (batch) => void letters.push(...batch),
    signal: new AbortController().signal,
    onRead: () => undefined,
    onSteps: (found) => {
      metrics = found;
    },
  });
  return { rows: loaded, metrics: [...metrics], letters };
}

/** An output that keeps the rows it is given, without their positions. */
export function outputInto(compiled: CompiledOutput, loaded: TextRow[], loadId: string): PassOutput {
  return {
    compiled,
    identity: { loadId, pipelineId: 'job_bench', runId: 'run', attempt: 1, epoch: 1 },
    unnumbered: false,
    stage: async ({ path }) => void loaded.push(...parseCsv(await readFile(path, 'utf8')).map((row) => row.slice(1))),
    stageErased: async () => undefined,
    storeRefused: async () => 0,
  };
}

async function* segmentsOf(
  rows: readonly TextRow[],
  places: readonly number[],
  columns: readonly { readonly name: string }[],
  folder: string,
  step: number,
): AsyncGenerator<Segment> {
  for (let start = 0; start < rows.length; start += step) {
    const path = join(folder, `read-${start}.csv`);
    const lines = rows.slice(start, start + step).map((row, index) => formatCsv([[String(start + index + 1), ...places.map((place) => row[place] ?? null)]]));
    const text = lines.join('');
    await writeFile(path, text);
    const widestRowBytes = Math.max(...lines.map((line) => Buffer.byteLength(line)));
    yield { path, columns: columns.map(({ name }) => name), rows: lines.length, sizeBytes: Buffer.byteLength(text), widestRowBytes };
  }
}

function compile(types: ColumnTypes, steps: readonly StepDocument[], connection: DuckDBConnection): Promise<CompileResult> {
  const { spec } = parseSpec({
    version: 1,
    name: 'bench',
    namespace: 'test',
    inputs: { orders: { connection: 'shop', stream: 'public.orders' } },
    steps,
    outputs: [{ from: String(steps.at(-1)?.['id'] ?? 'orders'), connection: 'shop', stream: 'mart.orders', load: { mode: 'append' } }],
  });
  const outputs = [{ kind: 'postgres', dataset: outputDataset, existing: null }];
  return compilePipeline({ spec, inputs: { orders: describeStream(types) }, inputKinds: { orders: 'postgres' }, outputs }, connectors, connection);
}

function describeStream(types: ColumnTypes): StreamDescription {
  const columns = Object.entries(types).map(([name, type], index) => {
    return { name, type, nullable: true, ordinal: index + 1, read: readConversion(type), writable: true, optional: true };
  });
  return { stream: 'public.orders', dataset: inputDataset, columns, primaryKey: [], uniqueKeys: [], cursorCandidates: [] };
}
