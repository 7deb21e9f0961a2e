import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { CompiledInput, CompiledOutput, CompiledPipeline, CompiledStep } from '../../model/compiled-pipeline.js';
import { PlatformError } from '../../model/errors.js';
import type { StepMetrics } from '../../model/run.js';
import type { Segment } from '../../model/segment.js';
import { quoteIdentifier, quoteText } from './duckdb.js';
import { inputSql, rawRelation, rawSql } from './input-relation.js';
import { locateFailure } from './locate-failure.js';

interface Counted {
  rowsIn: number;
  rowsOut: number;
  rowsRejected: number;
  durationMs: number;
}

/** Takes the segments of one input through the steps, each step as a table, and writes one segment for each output. */
export class Transformer {
  private readonly steps: readonly CompiledStep[];
  private readonly outputs: readonly CompiledOutput[];
  private readonly counts = new Map<string, Counted>();
  private segments = 0;

  constructor(
    private readonly connection: DuckDBConnection,
    private readonly input: CompiledInput,
    { steps, outputs }: Pick<CompiledPipeline, 'steps' | 'outputs'>,
    private readonly folder: string,
  ) {
    const reached = new Set([input.alias]);
    this.steps = steps.filter(({ id, from }) => reached.has(from) && reached.add(id));
    this.outputs = outputs.filter(({ from }) => reached.has(from));
    for (const { id } of this.steps) this.counts.set(id, { rowsIn: 0, rowsOut: 0, rowsRejected: 0, durationMs: 0 });
  }

  /** Makes the table that rejected rows wait in. */
  async prepare(): Promise<void> {
    await this.connection.run(`CREATE TABLE ${this.rejected} (step VARCHAR, pos BIGINT, message VARCHAR, "row" VARCHAR)`);
  }

  /** In the order of the outputs that this input feeds. The segment's file is removed; the files of the results are the caller's. */
  async transform(segment: Segment, signal: AbortSignal): Promise<Segment[]> {
    signal.throwIfAborted();
    const interrupt = () => this.connection.interrupt();
    signal.addEventListener('abort', interrupt, { once: true });
    this.segments += 1;
    try {
      const rows = await this.readInput(segment);
      for (const step of this.steps) rows.set(step.id, await this.runStep(step, rows.get(step.from) ?? 0));
      const written: Segment[] = [];
      for (const [index, output] of this.outputs.entries()) written.push(await this.write(output, index, rows.get(output.from) ?? 0));
      return written;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw error;
    } finally {
      signal.removeEventListener('abort', interrupt);
      await this.dropTables();
      await rm(segment.path, { force: true });
    }
  }

  metrics(): StepMetrics[] {
    return [...this.counts].map(([step, counts]) => ({ step, ...counts, durationMs: Math.round(counts.durationMs) }));
  }

  get rejected(): string {
    return quoteIdentifier(`_rejected:${this.input.alias}`);
  }

  /** A view while one step reads it once, so that the file is read straight into that step's table. */
  private async readInput(segment: Segment): Promise<Map<string, number>> {
    const { alias } = this.input;
    await this.connection.run(`CREATE VIEW ${rawRelation(alias)} AS ${rawSql(this.input, segment)}`);
    const readers = this.steps.filter(({ from }) => from === alias);
    const once = readers.length + this.outputs.filter(({ from }) => from === alias).length === 1 && !readers[0]?.rejects;
    const made = await this.guarded(null, `CREATE ${once ? 'VIEW' : 'TABLE'} ${quoteIdentifier(alias)} AS ${inputSql(this.input)}`);
    if (!once) assertCount(`Input "${alias}"`, segment.rows, made);
    return new Map([[alias, segment.rows]]);
  }

  private async runStep(step: CompiledStep, rowsIn: number): Promise<number> {
    const started = performance.now();
    const rowsOut = await this.guarded(step, `CREATE TABLE ${quoteIdentifier(step.id)} AS ${step.sql}`);
    let rowsRejected = 0;
    if (step.rejects && rowsOut < rowsIn) {
      const { conditionSql, messageSql, rowSql } = step.rejects;
      rowsRejected = await this.guarded(
        step,
        `INSERT INTO ${this.rejected} SELECT ${quoteText(step.id)}, _pos, ${messageSql}, ${rowSql} FROM ${quoteIdentifier(step.from)} WHERE ${conditionSql}`,
      );
    }
    if (step.kind !== 'filter') assertCount(`Step "${step.id}"`, rowsIn, rowsOut + rowsRejected);
    const counted = this.counts.get(step.id);
    if (counted) {
      counted.rowsIn += rowsIn;
      counted.rowsOut += rowsOut;
      counted.rowsRejected += rowsRejected;
      counted.durationMs += performance.now() - started;
    }
    return rowsOut;
  }

  private async write(output: CompiledOutput, index: number, rowsIn: number): Promise<Segment> {
    const path = join(this.folder, `load-${this.input.alias}-${index}-${this.segments}.csv`);
    const items = output.columns.map(({ name, sql }) => `${sql} AS ${quoteIdentifier(name)}`);
    const query = `SELECT ${['_pos', ...items].join(', ')} FROM ${quoteIdentifier(output.from)}`;
    const rows = await this.guarded(null, `COPY (${query}) TO ${quoteText(path)} (FORMAT csv, HEADER false, DELIMITER ',', QUOTE '"', ESCAPE '"', NULLSTR '')`);
    assertCount(`Output "${output.stream}"`, rowsIn, rows);
    return { path, columns: output.columns.map(({ name }) => name), rows, sizeBytes: (await stat(path)).size, widestRowBytes: 0 };
  }

  /** Runs a statement and returns the rows it made; its error names what failed. */
  private async guarded(step: CompiledStep | null, sql: string): Promise<number> {
    try {
      const reader = await this.connection.runAndReadAll(sql);
      return Number(reader.getRows()[0]?.[0] ?? 0);
    } catch (error) {
      throw await locateFailure(this.connection, error, this.input, step);
    }
  }

  private async dropTables(): Promise<void> {
    for (const name of [...this.steps.map(({ id }) => id), this.input.alias]) await this.drop(quoteIdentifier(name));
    await this.drop(rawRelation(this.input.alias));
  }

  private async drop(name: string): Promise<void> {
    await this.connection.run(`DROP TABLE IF EXISTS ${name}`).catch(() => this.connection.run(`DROP VIEW IF EXISTS ${name}`));
  }
}

/** Where rows are only handed on, as many come out as went in. A filter's own count cannot be known otherwise. */
function assertCount(where: string, rowsIn: number, rowsOut: number): void {
  if (rowsIn === rowsOut) return;
  throw new PlatformError(
    'COUNTS_MISMATCH',
    `${where} took ${rowsIn} rows and accounts for ${rowsOut}. Nothing was written; start the run again and report this if it stays.`,
  );
}
