import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CompiledStep } from '../../model/compiled-pipeline.js';
import { PlatformError } from '../../model/errors.js';
import type { Segment } from '../../model/segment.js';
import { storeTransformRejects } from '../rejected-rows.js';
import { locateFailure } from '../transform/locate-failure.js';
import type { BatchParts } from './batch.js';
import { runBlocking } from './blocking-batches.js';
import { Destinations } from './destinations.js';
import { Exchange, type ExchangeSizes } from './exchange.js';
import { Exchanges } from './exchanges.js';
import { runInput } from './input-batches.js';
import { exchangeSizes, type Pass } from './pass.js';
import { PassPlan } from './plan.js';
import { assertBudget, type RefusedByLoad, RejectedTable } from './rejected-table.js';
import { describeRelations } from './relation-types.js';
import { Statements } from './statements.js';
import { reportedSteps, StepCounts } from './step-counts.js';

/**
 * Reads the inputs that the outputs need, takes their rows through the steps and stages the results; extract, transform and load
 * overlap. At its end every row is staged or stored as rejected, and of what it made in DuckDB and in the folder nothing is left.
 *
 * @throws PlatformError that names step, column and row; REJECTED_BUDGET, MEMORY_LIMIT, COUNTS_MISMATCH; the signal's reason
 */
export async function runPass(pass: Pass, sizes: ExchangeSizes = exchangeSizes(pass.memoryBytes)): Promise<void> {
  const folder = await mkdtemp(join(pass.folder, 'pass-'));
  const execution = new PassExecution(pass, sizes, folder);
  try {
    await execution.run();
  } finally {
    await execution.close();
    await rm(folder, { recursive: true, force: true });
  }
}

class PassExecution {
  private readonly plan: PassPlan;
  private readonly statements: Statements;
  private readonly counts: StepCounts;
  private readonly rejected: RejectedTable;
  private readonly exchanges: Exchanges;
  private readonly destinations: Destinations;
  private readonly streaming = new Set<string>();
  private readonly decided = new Set<string>();
  private rowsRead = 0;

  constructor(
    private readonly pass: Pass,
    private readonly sizes: ExchangeSizes,
    private readonly folder: string,
  ) {
    const wanted = pass.outputs.flatMap(({ compiled }) => [compiled.from, ...(pass.erases ? compiled.erases.map(({ from }) => from) : [])]);
    this.plan = new PassPlan(pass.compiled, wanted);
    this.statements = new Statements(pass.connection, pass.signal);
    this.counts = new StepCounts(
      reportedSteps({ inputs: pass.compiled.inputs.filter(({ alias }) => this.plan.producers.includes(alias)), steps: this.plan.steps }),
    );
    this.rejected = new RejectedTable(this.statements);
    this.exchanges = new Exchanges(sizes.bufferBytes);
    this.destinations = new Destinations(this.statements, pass.outputs, pass.erases, folder);
  }

  async run(): Promise<void> {
    const parts = await this.prepare();
    try {
      for (const producer of this.plan.producers) await this.runProducer(producer, parts);
    } catch (error) {
      await this.destinations.drain().catch(() => undefined);
      throw error;
    }
    await this.destinations.drain();
    await this.storeRejected();
  }

  async close(): Promise<void> {
    await this.exchanges.closeAll();
    await this.rejected.close();
  }

  private async prepare(): Promise<BatchParts> {
    const { statements, counts, rejected, exchanges, destinations } = this;
    const inputs = this.pass.compiled.inputs.filter(({ alias }) => this.plan.producers.includes(alias));
    const types = await describeRelations(statements, inputs, this.plan.steps);
    await rejected.open();
    for (const step of this.plan.steps) {
      for (const [side, relation] of step.blocking ? step.from.entries() : []) {
        const partitionBy = partitionsOf(step)[side] ?? [];
        const folder = join(this.folder, `exchange-${this.plan.steps.indexOf(step)}-${side}`);
        const exchange = new Exchange(statements, {
          step: step.id,
          side,
          relation,
          columns: types.get(relation) ?? [],
          partitionBy,
          folder,
          sizes: this.sizes,
        });
        exchanges.add(exchange);
        await exchange.open();
      }
    }
    return { statements, types, counts, rejected, exchanges, destinations };
  }

  private async runProducer(producer: string, parts: BatchParts): Promise<void> {
    this.chooseStreaming(producer);
    const step = this.plan.step(producer);
    if (this.streaming.has(producer)) return this.exchanges.close(producer);
    const route = this.plan.route(producer, this.streaming);
    this.pass.onStage?.(step ? 'transforming' : 'reading', step?.id ?? null);
    if (step) return runBlocking(parts, step, route, () => this.onBatch());
    const input = this.pass.compiled.inputs.find(({ alias }) => alias === producer);
    if (!input) throw new PlatformError('INTERNAL', `"${producer}" is neither an input nor a step.`);
    await runInput(parts, input, this.pass.read(producer), route, (segment) => this.onSegment(producer, segment));
  }

  /** Before the first row of its left side a join is decided upon: it streams when all of its right side is there and small. */
  private chooseStreaming(producer: string): void {
    for (const { id, from } of this.plan.steps) {
      if (!this.plan.streamable.has(id) || this.decided.has(id) || !this.plan.feeders(from[0] ?? '').has(producer)) continue;
      this.decided.add(id);
      const right = this.exchanges.of(id)[1];
      if (!right || right.inFiles || right.bufferedBytes > this.sizes.streamBytes) continue;
      this.streaming.add(id);
      this.exchanges.pin(right);
    }
  }

  private async onSegment(alias: string, segment: Segment): Promise<void> {
    this.rowsRead += segment.rows;
    this.pass.onRead(alias, segment);
    await this.onBatch();
  }

  private async onBatch(): Promise<void> {
    this.pass.onSteps(this.counts.metrics());
    await this.assertBudget();
  }

  private assertBudget(refused: readonly RefusedByLoad[] = []): Promise<void> {
    return assertBudget(this.pass.limits, this.rejected, this.counts.rowsRejected, this.rowsRead, refused);
  }

  private async storeRejected(): Promise<void> {
    const refused: RefusedByLoad[] = [];
    for (const output of this.pass.outputs) {
      const steps = this.plan.wayTo(output.compiled.from);
      try {
        await storeTransformRejects(this.statements, this.rejected.name, steps, output.identity.loadId, this.pass.store);
      } catch (error) {
        throw await locateFailure(this.statements, error, { input: null, step: null, numbered: false });
      }
      refused.push({ stream: output.compiled.stream, rows: await output.storeRefused(this.pass.store) });
    }
    await this.assertBudget(refused);
  }
}

/** A relation joined with itself has one name for two divisions of its rows: unless these are the same, it stays whole. */
function partitionsOf({ from, blocking }: CompiledStep): readonly (readonly string[])[] {
  const partitionBy = blocking?.partitionBy ?? [];
  const [left, right] = partitionBy;
  return from[0] === from[1] && JSON.stringify(left) !== JSON.stringify(right) ? [] : partitionBy;
}
