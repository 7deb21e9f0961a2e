import type { DuckDBConnection } from '@duckdb/node-api';
import type { CompiledInput, CompiledPipeline } from '../model/compiled-pipeline.js';
import type { Connector, Session } from '../model/connector.js';
import { InvalidSpecError, PlatformError } from '../model/errors.js';
import { loadId } from '../model/load-id.js';
import type { Reading } from '../model/reading.js';
import type { RunMetrics, RunSummary, StepMetrics } from '../model/run.js';
import type { RunPlace, RunStage } from '../model/run-log.js';
import type { ReplayPart, RunRequest } from '../model/run-process.js';
import { type Segment, segmentBytes } from '../model/segment.js';
import { runPass } from './execute/run-pass.js';
import { reportedSteps } from './execute/step-counts.js';
import { chooseReads, type InputRead } from './increments/choose-reads.js';
import { type PlannedPass, planPasses } from './increments/plan-passes.js';
import { describeStreams } from './load/describe-streams.js';
import { OutputLoad } from './load/output-load.js';
import type { StoreRejected } from './rejected-rows.js';
import { planReplay, replayedPipeline } from './replay/plan-replay.js';
import { runReplay } from './replay/run-replay.js';
import { addMetrics, paramValues, writtenBy } from './run-figures.js';
import { expectedRows, RunPlaceMark } from './run-place.js';
import { compilePipeline } from './spec/compile-pipeline.js';
import { openDuckDb } from './transform/duckdb.js';

/** What a run tells while it goes on. */
export interface RunListener {
  /** Once, before the first read: the pipeline as it will run. */
  bound(compiled: CompiledPipeline): void;
  progress(metrics: RunMetrics, steps: readonly StepMetrics[], place: RunPlace): void;
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
  const { folder, startedAt: now } = request;
  const connection = await openDuckDb({ folder, memoryBytes: request.spec.limits.memoryBytes / 2, now, params: paramValues(request) });
  const run = new PipelineRun(request, sessions, connection, listener, signal);
  const progress = setInterval(() => listener.progress(run.metrics(), run.steps(), run.mark.place), progressEveryMs);
  try {
    await run.bind(connectors);
    return await run.execute();
  } catch (error) {
    listener.progress(run.metrics(), run.steps(), run.mark.place);
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
  readonly mark = new RunPlaceMark();
  /** All that the document says, and of it what this run does. */
  private whole: CompiledPipeline = { inputs: [], steps: [], outputs: [] };
  private compiled: CompiledPipeline = this.whole;
  /** By place in the document. */
  private readonly outputs = new Map<number, OutputLoad>();
  private readonly readings = new Map<string, Reading>();
  private readonly read = new Map<string, { rows: number; bytes: number }>();
  private readonly stepMetrics: (readonly StepMetrics[])[] = [];

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
    const { replay, runId, pipelineId, attempt, epoch } = this.request;
    this.whole = result.compiled;
    this.compiled = replay ? replayedPipeline(this.whole, replay) : this.whole;
    this.listener.bound(this.compiled);
    for (const [index, output] of this.whole.outputs.entries()) {
      if (replay && !replay.some((part) => part.output === index)) continue;
      const identity = { loadId: loadId(runId, index), pipelineId, runId, attempt, epoch };
      this.outputs.set(index, new OutputLoad(output, identity, this.session(output.connection), this.signal));
    }
  }

  async execute(): Promise<RunSummary> {
    const outputs = [...this.outputs.values()];
    for (const output of outputs) await output.findCommitted();
    if (this.request.replay) await this.replay(this.request.replay);
    else await this.runPasses(outputs.filter((output) => !output.committed));
    this.mark.at('committing');
    await this.listener.committing();
    for (const output of outputs) await output.commit();
    return {
      metrics: this.metrics(),
      steps: this.steps(),
      outputs: outputs.map((output) => ({ loadId: output.identity.loadId, ...writtenBy(output) })),
    };
  }

  async abort(): Promise<void> {
    await Promise.all([...[...this.outputs.values()].map((output) => output.abort()), ...[...this.readings.values()].map((reading) => reading.close())]);
  }

  metrics(): RunMetrics {
    const outputs = [...this.outputs.values()];
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    return {
      rowsRead: sum([...this.read.values()].map(({ rows }) => rows)),
      rowsWritten: sum(outputs.map((output) => writtenBy(output).rowsWritten)),
      rowsRejected: sum(this.steps().map(({ rowsRejected }) => rowsRejected)) + sum(outputs.map((output) => output.rowsRefused)),
      bytesRead: sum([...this.read.values()].map(({ bytes }) => bytes)),
      bytesWritten: sum(outputs.map((output) => writtenBy(output).bytesWritten)),
    };
  }

  /** In the order of the steps, summed over the passes. */
  steps(): StepMetrics[] {
    const all = this.stepMetrics.flat();
    return reportedSteps(this.compiled).flatMap((id) => {
      const own = all.filter(({ step }) => step === id);
      return own.length > 0 ? [own.reduce(addMetrics)] : [];
    });
  }

  private async runPasses(outputs: readonly OutputLoad[]): Promise<void> {
    const plans = await planPasses(outputs, this.whole.inputs);
    await this.openReadings(new Set(outputs.flatMap(({ compiled }) => compiled.inputs)));
    for (const plan of plans) await this.runPlan(plan, plans.length === 1);
  }

  /** Dead letters instead of inputs; of those only the other sides of joins are read. */
  private async replay(parts: readonly ReplayPart[]): Promise<void> {
    const passes = planReplay(this.whole, this.request.spec, parts);
    await this.openReadings(new Set(passes.flatMap(({ compiled }) => compiled.inputs.map(({ alias }) => alias))));
    await runReplay({
      passes,
      outputs: this.outputs,
      store: this.listener.storeRejected,
      read: (alias) => this.readInput(alias, { window: null, keys: null }),
      execute: (pass) => runPass({ ...this.passParts(), ...pass, erases: true }),
    });
  }

  /** One snapshot of each source for the whole run. */
  private async openReadings(aliases: ReadonlySet<string>): Promise<void> {
    const names = new Set(this.whole.inputs.filter(({ alias }) => aliases.has(alias)).map(({ connection }) => connection));
    for (const name of names) this.readings.set(name, await this.session(name).openReading(this.signal));
  }

  private async runPlan(plan: PlannedPass, only: boolean): Promise<void> {
    const { inputs, steps } = this.whole;
    const chosen = await chooseReads(plan, inputs, steps, (input) => this.reading(input));
    // What later passes will read is not known yet.
    this.mark.expect(only ? await expectedRows(inputs, chosen.reads, (input) => this.reading(input)) : new Map());
    for (const [index, output] of plan.outputs.entries()) await output.open(chosen.slots[index] ?? []);
    await runPass({
      ...this.passParts(),
      compiled: this.whole,
      outputs: plan.outputs,
      erases: plan.continues,
      read: (alias) => this.readInput(alias, chosen.reads.get(alias) ?? { window: null, keys: null }),
    });
  }

  /** What is the same for every pass but for the place of its metrics. */
  private passParts() {
    const { folder, spec } = this.request;
    const place = this.stepMetrics.push([]) - 1;
    return {
      connection: this.connection,
      folder,
      memoryBytes: spec.limits.memoryBytes,
      limits: spec.limits,
      store: this.listener.storeRejected,
      signal: this.signal,
      onRead: (alias: string, segment: Segment) => this.countRead(alias, segment),
      onStage: (stage: RunStage, step: string | null) => this.mark.at(stage, step),
      onSteps: (metrics: readonly StepMetrics[]) => {
        this.stepMetrics[place] = metrics;
      },
    };
  }

  private readInput(alias: string, read: InputRead): AsyncIterable<Segment> {
    const input = this.whole.inputs.find((candidate) => candidate.alias === alias);
    if (!input) throw new PlatformError('INTERNAL', `There is no input "${alias}".`);
    const { folder, spec } = this.request;
    const limits = { segmentBytes: segmentBytes(spec.limits.memoryBytes) };
    return this.reading(input).read({ stream: input.stream, columns: input.columns.map(({ name }) => name), ...read, folder, limits });
  }

  private countRead(alias: string, segment: Segment): void {
    const { rows, bytes } = this.read.get(alias) ?? { rows: 0, bytes: 0 };
    this.read.set(alias, { rows: rows + segment.rows, bytes: bytes + segment.sizeBytes });
    if (segment.share !== undefined) this.mark.told(alias, rows + segment.rows, segment.share);
  }

  private reading({ connection }: CompiledInput): Reading {
    const reading = this.readings.get(connection);
    if (!reading) throw new PlatformError('INTERNAL', `Connection "${connection}" is not being read.`);
    return reading;
  }

  private session(connection: string): Session {
    const session = this.sessions.get(connection);
    if (!session) throw new PlatformError('INTERNAL', `Connection "${connection}" was not handed to the run.`);
    return session;
  }
}
