import { readFile, writeFile } from 'node:fs/promises';
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
import type { ExchangeSizes } from '../../../src/pipeline/execute/exchange.js';
import { runPass } from '../../../src/pipeline/execute/run-pass.js';
import { compilePipeline } from '../../../src/pipeline/spec/compile-pipeline.js';
import { parseSpec } from '../../../src/pipeline/spec/parse-spec.js';
import { declareParam } from '../../../src/pipeline/transform/params.js';
import { formatCsv, parseCsv, type TextRow } from './csv.js';
import { type ColumnTypes, type StepDocument, withDuckDb } from './step-bench.js';

/** Inputs by alias, each with its columns' PostgreSQL types. */
export type Inputs = Readonly<Record<string, ColumnTypes>>;

export interface BenchDocument {
  readonly inputs: Inputs;
  readonly steps: readonly StepDocument[];
  /** Default: an append of the last step. */
  readonly outputs?: readonly Readonly<Record<string, unknown>>[];
  readonly incremental?: Readonly<Record<string, unknown>>;
  readonly params?: Readonly<Record<string, unknown>>;
}

export interface PassRun {
  /** Rows of the first output as texts, in the order in which they were staged. */
  readonly rows: TextRow[];
  /** Keys to erase, of the first output. */
  readonly erased: TextRow[];
  readonly metrics: readonly StepMetrics[];
  readonly letters: RejectedRow[];
}

export const datasetOf = (name: string) => ({ namespace: 'postgres://localhost:5432', name: `shop.${name}` });

export function compileDocument(document: BenchDocument): Promise<CompileResult> {
  return withDuckDb((connection) => compile(document, connection));
}

/** The sentences with which a document is refused. */
export async function refusals(document: BenchDocument): Promise<string[]> {
  const result = await compileDocument(document);
  return 'issues' in result ? result.issues.map(({ path, message }) => `${path}: ${message}`) : [];
}

export async function compiledDocument(document: BenchDocument): Promise<CompiledPipeline> {
  const result = await compileDocument(document);
  if ('issues' in result) throw new Error(result.issues.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  return result.compiled;
}

/** Takes rows through a document as a run does. @param sizes  small ones make it divide and put aside what it usually holds */
export async function runDocument(
  document: BenchDocument,
  rows: Readonly<Record<string, readonly TextRow[]>>,
  { sizes, segmentRows = 7, erases = false }: { readonly sizes?: ExchangeSizes; readonly segmentRows?: number; readonly erases?: boolean } = {},
): Promise<PassRun> {
  const compiled = await compiledDocument(document);
  return withDuckDb(async (connection, folder) => {
    const run: PassRun & { metrics: readonly StepMetrics[] } = { rows: [], erased: [], metrics: [], letters: [] };
    for (const [name, { type, default: value }] of Object.entries(document.params ?? {}) as [string, { type: string; default: unknown }][])
      await declareParam(connection, { name, type, value: String(value) });
    const columnsOf = (alias: string) => Object.keys(document.inputs[alias] ?? {});
    await runPass(
      {
        compiled,
        outputs: compiled.outputs.map((output, index) => keep(output, index === 0 ? run : { rows: [], erased: [] })),
        erases,
        read: (alias) => segments(alias, compiled, columnsOf(alias), rows[alias] ?? [], { folder, segmentRows }),
        connection,
        folder,
        memoryBytes: 256 * 2 ** 20,
        limits: { rejectedRows: null, rejectedRatio: null },
        store: async (batch) => void run.letters.push(...batch),
        signal: new AbortController().signal,
        onRead: () => undefined,
        onSteps: (metrics) => {
          run.metrics = metrics;
        },
      },
      sizes,
    );
    return run;
  });
}

function keep(compiled: CompiledOutput, run: Pick<PassRun, 'rows' | 'erased'>): PassOutput {
  const read = async (path: string) => parseCsv(await readFile(path, 'utf8')).map((row) => row.slice(1));
  return {
    compiled,
    identity: { loadId: 'run/0/1', pipelineId: 'job_bench', runId: 'run', attempt: 1, epoch: 1 },
    unnumbered: false,
    stage: async ({ path }) => void run.rows.push(...(await read(path))),
    stageErased: async ({ path }) => void run.erased.push(...(await read(path))),
    storeRefused: async () => 0,
  };
}

async function* segments(
  alias: string,
  compiled: CompiledPipeline,
  names: readonly string[],
  rows: readonly TextRow[],
  { folder, segmentRows }: { readonly folder: string; readonly segmentRows: number },
): AsyncGenerator<Segment> {
  const columns = (compiled.inputs.find((input) => input.alias === alias)?.columns ?? []).map(({ name }) => name);
  for (let start = 0; start < rows.length; start += segmentRows) {
    const path = join(folder, `read-${alias}-${start}.csv`);
    const some = rows.slice(start, start + segmentRows);
    const lines = some.map((row, index) => formatCsv([[String(start + index + 1), ...columns.map((name) => row[names.indexOf(name)] ?? null)]]));
    const text = lines.join('');
    await writeFile(path, text);
    yield { path, columns, rows: lines.length, sizeBytes: Buffer.byteLength(text), widestRowBytes: Math.max(...lines.map((line) => Buffer.byteLength(line))) };
  }
}

function compile({ inputs, steps, outputs, incremental = {}, params = {} }: BenchDocument, connection: DuckDBConnection): Promise<CompileResult> {
  const last = String(steps.at(-1)?.['id'] ?? Object.keys(inputs)[0]);
  const { spec } = parseSpec({
    version: 1,
    name: 'bench',
    namespace: 'test',
    inputs: Object.fromEntries(
      Object.keys(inputs).map((alias) => [alias, { connection: 'shop', stream: `public.${alias}`, ...(incremental[alias] as object | undefined) }]),
    ),
    steps,
    outputs: outputs ?? [{ from: last, connection: 'shop', stream: 'mart.result', load: { mode: 'append' } }],
    params,
  });
  return compilePipeline(
    {
      spec,
      inputs: Object.fromEntries(Object.entries(inputs).map(([alias, types]) => [alias, describe(alias, types)])),
      inputKinds: Object.fromEntries(Object.keys(inputs).map((alias) => [alias, 'postgres'])),
      outputs: spec.outputs.map(({ stream }) => ({ kind: 'postgres', dataset: datasetOf(stream), existing: null })),
    },
    connectors,
    connection,
  );
}

function describe(alias: string, types: ColumnTypes): StreamDescription {
  const columns = Object.entries(types).map(([name, type], index) => {
    return { name, type, nullable: true, ordinal: index + 1, read: readConversion(type), writable: true, optional: true };
  });
  const cursors = columns.filter(({ type }) => /^(integer|bigint|timestamp|date)/.test(type)).map(({ name }) => name);
  return { stream: `public.${alias}`, dataset: datasetOf(`public.${alias}`), columns, primaryKey: [], uniqueKeys: [], cursorCandidates: cursors };
}
