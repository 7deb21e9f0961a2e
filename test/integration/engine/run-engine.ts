import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectors } from '../../../src/connectors/connectors.js';
import type { CompiledPipeline } from '../../../src/model/compiled-pipeline.js';
import type { RejectedRow } from '../../../src/model/dead-letter.js';
import type { RunSummary, StepMetrics } from '../../../src/model/run.js';
import type { RunPlace } from '../../../src/model/run-log.js';
import type { ResolvedConnection } from '../../../src/model/run-process.js';
import { runPipeline } from '../../../src/pipeline/run-pipeline.js';
import { parseSpec } from '../../../src/pipeline/spec/parse-spec.js';
import type { TestDatabase } from '../../support/postgres.js';

export interface EngineRun {
  readonly summary: RunSummary;
  readonly compiled: CompiledPipeline;
  readonly letters: RejectedRow[];
}

export interface EngineRunOptions {
  /** Keys of a document but version, name and namespace. */
  readonly document: Readonly<Record<string, unknown>>;
  /** Databases, and folders of files. */
  readonly connections: Readonly<Record<string, Pick<TestDatabase, 'host' | 'port' | 'name' | 'user' | 'password'> | { readonly folder: string }>>;
  readonly runId?: string;
  /** For runs of several pipelines at one destination. */
  readonly pipelineId?: string;
  readonly attempt?: number;
  readonly epoch?: number;
  readonly params?: Readonly<Record<string, string | null>>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (steps: readonly StepMetrics[], place: RunPlace) => void;
  /** Called once, before the first read. */
  readonly onBound?: () => void;
  readonly onRejected?: (rows: readonly RejectedRow[]) => Promise<void>;
}

let runs = 0;

/** One attempt of a run in this process, in a folder of its own, which must hold no segment at the end. */
export async function runEngine({ document, connections, signal, ...options }: EngineRunOptions): Promise<EngineRun> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-engine-'));
  const letters: RejectedRow[] = [];
  let bound: CompiledPipeline = { inputs: [], steps: [], outputs: [] };
  runs += 1;
  const request = {
    runId: options.runId ?? `run-${runs}`,
    pipelineId: options.pipelineId ?? 'job_test',
    attempt: options.attempt ?? 1,
    epoch: options.epoch ?? runs,
    spec: parseSpec({ version: 1, name: 'engine', namespace: 'test', ...document }).spec,
    connections: resolved(connections),
    folder,
    startedAt: '2026-03-01T12:00:00.000Z',
    params: options.params ?? {},
    replay: null,
  };
  const listener = {
    bound: (compiled: CompiledPipeline) => {
      bound = compiled;
      options.onBound?.();
    },
    progress: (_: unknown, steps: readonly StepMetrics[], place: RunPlace) => options.onProgress?.(steps, place),
    committing: async () => undefined,
    storeRejected: async (rows: readonly RejectedRow[]) => {
      letters.push(...rows);
      await options.onRejected?.(rows);
    },
  };
  try {
    const summary = await runPipeline(request, connectors, listener, signal ?? new AbortController().signal);
    const left = (await readdir(folder)).filter((name) => name.endsWith('.csv'));
    if (left.length > 0) throw new Error(`Segments were left behind: ${left.join(', ')}.`);
    return { summary, compiled: bound, letters };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function resolved(connections: EngineRunOptions['connections']): Record<string, ResolvedConnection> {
  return Object.fromEntries(
    Object.entries(connections).map(([name, connection]) => {
      if ('folder' in connection) return [name, { name, kind: 'file', config: { ...connection }, datasetNamespace: 'file' }];
      const { host, port, name: database, user, password } = connection;
      const config = { host, port, database, user, password };
      return [name, { name, kind: 'postgres', config, datasetNamespace: `postgres://localhost:${port}` }];
    }),
  );
}

/** Hands one table on as it is. */
export function copyDocument(from: string, to: string, load: Readonly<Record<string, unknown>> = { mode: 'append' }, steps: readonly unknown[] = []) {
  const last = (steps.at(-1) as { id: string } | undefined)?.id ?? 'source';
  return {
    inputs: { source: { connection: 'source', stream: from } },
    steps,
    outputs: [{ from: last, connection: 'target', stream: to, load }],
  };
}
