import { quoteIdentifier } from '../../lib/duckdb-text.js';
import type { CompiledInput, CompiledStep } from '../../model/compiled-pipeline.js';
import { locateFailure } from '../transform/locate-failure.js';
import { assertCount } from './assert-count.js';
import type { Destinations } from './destinations.js';
import type { Exchanges } from './exchanges.js';
import type { Route } from './plan.js';
import type { RejectedTable } from './rejected-table.js';
import { emptySql, type TypedColumn } from './relation-types.js';
import type { Statements } from './statements.js';
import { assertReconciled, type StepCounts } from './step-counts.js';

export interface BatchParts {
  readonly statements: Statements;
  readonly types: ReadonlyMap<string, readonly TypedColumn[]>;
  readonly counts: StepCounts;
  readonly rejected: RejectedTable;
  readonly exchanges: Exchanges;
  readonly destinations: Destinations;
}

/** Steps that keep the positions of their rows. */
const rowByRow = new Set(['map', 'filter', 'cast']);

/**
 * One batch of a producer on its way: every step is a table. A relation is handed to everything that collects it as soon as it is
 * made, and dropped behind its last reader.
 */
export class Batch {
  private readonly rows = new Map<string, number>();
  private readonly readers: Map<string, number>;
  /** Relations whose positions are those of the source. */
  private readonly numbered = new Set<string>();

  constructor(
    private readonly parts: BatchParts,
    private readonly route: Route,
    /** The input whose rows they are; null behind a blocking step. */
    private readonly input: CompiledInput | null,
  ) {
    this.readers = new Map();
    for (const source of route.steps.flatMap(({ from }) => from)) this.readers.set(source, (this.readers.get(source) ?? 0) + 1);
  }

  /** How often a relation is read, by steps and by what collects it. */
  static readersOf(relation: string, route: Route, destinations: Destinations): number {
    const steps = route.steps.flatMap(({ from }) => from).filter((source) => source === relation).length;
    return steps + route.exchanges.filter((side) => side.relation === relation).length + destinations.readersOf(relation);
  }

  /** @param relation  a table or view of the producer's name, with this many rows */
  async run(relation: string, rows: number): Promise<void> {
    const rights = this.route.steps.filter(({ blocking }) => blocking);
    try {
      for (const { id, from } of rights)
        await this.parts.statements.run(`CREATE OR REPLACE VIEW ${quoteIdentifier(from[1] ?? '')} AS ${this.parts.exchanges.of(id)[1]?.sql([])}`);
      await this.made(relation, rows);
      for (const step of this.route.steps) {
        await this.made(step.id, await this.runStep(step));
        if (rowByRow.has(step.kind) && !step.blocking && this.numbered.has(step.from[0] ?? '')) this.numbered.add(step.id);
        for (const source of step.from) await this.wasRead(source);
      }
    } finally {
      for (const left of [...this.rows.keys()]) await this.drop(left);
      for (const { from } of rights) await dropRelation(this.parts.statements, from[1] ?? '');
    }
  }

  private async made(relation: string, rows: number): Promise<void> {
    const { exchanges, destinations } = this.parts;
    this.rows.set(relation, rows);
    for (const { step, side } of this.route.exchanges.filter((candidate) => candidate.relation === relation)) {
      const taken = await this.located(step, async () => (await exchanges.of(step.id)[side]?.append()) ?? 0);
      assertCount(`Step "${step.id}"`, rows, taken);
      this.parts.counts.of(step.id).rowsIn += taken;
      await this.located(step, () => exchanges.shrink());
    }
    await this.located(null, () => destinations.take(relation, rows));
    if (this.input?.alias === relation) this.numbered.add(relation);
    if (!this.readers.get(relation)) await this.drop(relation);
  }

  private async runStep(step: CompiledStep): Promise<number> {
    const { statements, rejected, counts } = this.parts;
    const started = performance.now();
    const counted = counts.of(step.id);
    const rowsIn = step.blocking ? (this.rows.get(step.from[0] ?? '') ?? 0) : step.from.reduce((total, source) => total + (this.rows.get(source) ?? 0), 0);
    const rowsOut = await this.located(step, () => statements.run(`CREATE TABLE ${quoteIdentifier(step.id)} AS ${this.sqlOf(step, counted.rowsOut)}`));
    const rowsRejected = rowsOut < rowsIn ? await this.located(step, () => rejected.append(step)) : 0;
    assertReconciled(step, rowsIn, rowsOut, rowsRejected);
    counted.rowsIn += rowsIn;
    counted.rowsOut += rowsOut;
    counted.rowsRejected += rowsRejected;
    counted.durationMs += performance.now() - started;
    return rowsOut;
  }

  private sqlOf(step: CompiledStep, rowsBefore: number): string {
    if (step.blocking) return offsetSql(step, rowsBefore);
    const present = step.selects.filter((_, index) => this.rows.has(step.from[index] ?? step.from[0] ?? ''));
    if (present.length === step.selects.length) return present.join(' UNION ALL ');
    // The types of a union are those of all its sources, also of the ones that give nothing here.
    return [emptySql(this.parts.types.get(step.id) ?? []), ...present].join(' UNION ALL ');
  }

  private async wasRead(relation: string): Promise<void> {
    const left = (this.readers.get(relation) ?? 0) - 1;
    this.readers.set(relation, left);
    if (left === 0) await this.drop(relation);
  }

  private async drop(relation: string): Promise<void> {
    if (!this.rows.delete(relation)) return;
    await dropRelation(this.parts.statements, relation);
  }

  private async located<T>(step: CompiledStep | null, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const numbered = this.numbered.has(step?.from[0] ?? '') || step === null;
      throw await locateFailure(this.parts.statements, error, { input: this.input, step, numbered });
    }
  }
}

/** The step's SELECT with positions that go on behind those of the rows before. */
export function offsetSql({ selects, blocking }: CompiledStep, rowsBefore: number): string {
  const [select = ''] = selects;
  return blocking?.renumbers && rowsBefore > 0 ? `SELECT * REPLACE (_pos + ${rowsBefore} AS _pos) FROM (${select})` : select;
}

/** Whether it is a table or a view; DuckDB refuses the wrong word even with IF EXISTS. */
export async function dropRelation(statements: Statements, relation: string): Promise<void> {
  const name = quoteIdentifier(relation);
  await statements.clear(`DROP TABLE IF EXISTS ${name}`).catch(() => statements.clear(`DROP VIEW IF EXISTS ${name}`));
}
