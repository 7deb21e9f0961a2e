import type { DuckDBConnection } from '@duckdb/node-api';
import type { CompiledPipeline } from '../model/compiled-pipeline.js';
import type { CommittedLoad, Connector, Session } from '../model/connector.js';
import { InvalidSpecError, PlatformError } from '../model/errors.js';
import { loadId } from '../model/load-id.js';
import type { RunMetrics, RunSummary, StepMetrics } from '../model/run.js';
import type { RunRequest } from '../model/run-process.js';
import { describeStreams } from './load/describe-streams.js';
import { OutputLoad } from './load/output-load.js';
import type { StoreRejected } from './rejected-rows.js';
import { runInput } from './run-input.js';
import { compilePipeline } from './spec/compile-pipeline.js';
import { openDuckDb } from './transform/duckdb.js';

/** What a run tells while it goes on. */
export interface RunListener {
  /** Once, before the first read: the pipeline as it will run. */
  bound(compiled: CompiledPipeline): void;
  progress(metrics: RunMetrics, steps: readonly StepMetrics[]): void;
  /** Once, before the first commit. */
  committing(): Promise<void>;
  storeRejected: StoreRejected;
}

const progressEveryMs = 250;

/**
 * One attempt at a run: binds the document to the schemas found now, reads every input, takes its segments through the steps, stages
 * them, and commits each output in one transaction. An output whose load is recorded at its destination already is left alone.
 */
export async function runPipeline(
  request: RunRequest,
  connectors: Readonly<Record<string, Connector>>,
  listener: RunListener,
  signal: AbortSignal,
): Promise<RunSummary> {
  const sessions = openSessions(request, connectors);
  const connection = await openDuckDb({ folder: request.folder, memoryBytes: request.spec.limits.memoryBytes / 2, now: request.startedAt });
  const run = new PipelineRun(request, sessions, connection, listener, signal);
  const progress = setInterval(() => listener.progress(run.metrics(), run.steps()), progressEveryMs);
  try {
    await run.bind(connectors);
    return await run.execute();
  } catch (error) {
    listener.progress(run.metrics(), run.steps());
    throw error;
  } finally {
    clearInterval(progress);
    await run.abort();
    connection.closeSync();
    await Promise.all([...sessions.values()].map((session) => session.close()));
  }
}

function openSessions({ connections }: RunRequest, connectors: Readonly<Record<string, Connector>>): Map<string, Session> {
  return new Map(
    Object.values(connections).map(({ name, kind, config, datasetNamespace }) => {
      const connector = connectors[kind];
      if (!connector) throw new PlatformError('CONFIG_INVALID', `Connection "${name}" is of kind "${kind}", which this version does not know.`);
      return [name, connector.open(config, datasetNamespace)];
    }),
  );
}

class PipelineRun {
  private compiled: CompiledPipeline = { inputs: [], steps: [], outputs: [] };
  private outputs: OutputLoad[] = [];
  private readonly read = new Map<string, { rows: number; bytes: number }>();
  private readonly stepMetrics = new Map<string, readonly StepMetrics[]>();

  constructor(
    private readonly request: RunRequest,
    private readonly sessions: ReadonlyMap<string, Session>,
    private readonly connection: DuckDBConnection,
    private readonly listener: RunListener,
    private readonly signal: AbortSignal,
  ) {}

  async bind(connectors: Readonly<Record<string, Connector>>): Promise<void> {
    const { spec, connections, folder, startedAt } = this.request;
    const streams = await describeStreams(spec, this.sessions, (connection) => connections[connection]?.kind ?? '');
    // Binding declares empty tables, so that it has a sandbox of its own.
    const binder = await openDuckDb({ folder, memoryBytes: spec.limits.memoryBytes / 4, now: startedAt });
    const result = await compilePipeline({ spec, ...streams }, connectors, binder).finally(() => binder.closeSync());
    if ('issues' in result) {
      if (result.code === 'INVALID_SPEC') throw new InvalidSpecError(result.issues);
      throw new PlatformError(result.code, result.issues.map(({ message }) => message).join(' '));
    }
    this.compiled = result.compiled;
    this.listener.bound(result.compiled);
    this.outputs = result.compiled.outputs.map((output, index) => {
      const { runId, pipelineId, attempt, epoch } = this.request;
      return new OutputLoad(output, { loadId: loadId(runId, index), pipelineId, runId, attempt, epoch }, this.session(output.connection), this.signal);
    });
  }

  async execute(): Promise<RunSummary> {
    for (const output of this.outputs) await output.findCommitted();
    for (const input of this.compiled.inputs) {
      const outputs = this.outputs.filter((output) => output.compiled.input === input.alias && !output.committed);
      if (outputs.length > 0) await this.runInput(input.alias, outputs);
    }
    await this.listener.committing();
    for (const output of this.outputs) await output.commit();
    return {
      metrics: this.metrics(),
      steps: this.steps(),
      outputs: this.outputs.map((output) => ({ loadId: output.identity.loadId, ...writtenBy(output) })),
    };
  }

  async abort(): Promise<void> {
    await Promise.all(this.outputs.map((output) => output.abort()));
  }

  metrics(): RunMetrics {
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    return {
      rowsRead: sum([...this.read.values()].map(({ rows }) => rows)),
      rowsWritten: sum(this.outputs.map((output) => writtenBy(output).rowsWritten)),
      rowsRejected: sum(this.steps().map(({ rowsRejected }) => rowsRejected)) + sum(this.outputs.map((output) => output.rowsRefused)),
      bytesRead: sum([...this.read.values()].map(({ bytes }) => bytes)),
      bytesWritten: sum(this.outputs.map((output) => writtenBy(output).bytesWritten)),
    };
  }

  /** In the order of the steps. */
  steps(): StepMetrics[] {
    const byStep = new Map([...this.stepMetrics.values()].flat().map((metrics) => [metrics.step, metrics]));
    return this.compiled.steps.flatMap(({ id }) => byStep.get(id) ?? []);
  }

  private async runInput(alias: string, outputs: readonly OutputLoad[]): Promise<void> {
    const input = this.compiled.inputs.find((candidate) => candidate.alias === alias);
    if (!input) return;
    const read = { rows: 0, bytes: 0 };
    this.read.set(alias, read);
    await runInput({
      input,
      outputs,
      steps: this.compiled.steps,
      session: this.session(input.connection),
      connection: this.connection,
      folder: this.request.folder,
      segmentBytes: segmentBytes(this.request.spec.limits.memoryBytes),
      store: this.listener.storeRejected,
      signal: this.signal,
      onRead: (segment, steps) => {
        read.rows += segment.rows;
        read.bytes += segment.sizeBytes;
        this.stepMetrics.set(alias, steps);
      },
    });
  }

  private session(connection: string): Session {
    const session = this.sessions.get(connection);
    if (!session) throw new PlatformError('INTERNAL', `Connection "${connection}" was not handed to the run.`);
    return session;
  }
}

function writtenBy({ committed, bytesStaged }: OutputLoad): { committedAttempt: number; rowsWritten: number; bytesWritten: number } {
  const counts: CommittedLoad['counts'] | undefined = committed?.counts;
  const rowsWritten = counts ? counts.inserted + counts.updated + counts.deleted : 0;
  return { committedAttempt: committed?.attempt ?? 0, rowsWritten, bytesWritten: committed ? bytesStaged : 0 };
}

/** Several segments are under way at a time, as files and as tables: each a sixty-fourth of the memory, at most 16 MiB. */
function segmentBytes(memoryBytes: number): number {
  return Math.min(16 * 2 ** 20, Math.floor(memoryBytes / 64));
}
