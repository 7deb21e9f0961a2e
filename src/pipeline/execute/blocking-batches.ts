import { quoteIdentifier } from '../../lib/duckdb-text.js';
import type { CompiledStep } from '../../model/compiled-pipeline.js';
import { locateFailure } from '../transform/locate-failure.js';
import { Batch, type BatchParts, dropRelation, offsetSql } from './batch.js';
import { type Part, Parts } from './parts.js';
import type { Route } from './plan.js';
import { assertReconciled } from './step-counts.js';
import { storedName } from './stored-values.js';

/** Rows of a result that go on at a time. */
const sliceRows = 250_000;

/** Runs a blocking step over the rows it has collected, part by part, and takes the results through its route. */
export async function runBlocking(parts: BatchParts, step: CompiledStep, route: Route, onDone: () => Promise<void>): Promise<void> {
  const counted = parts.counts.of(step.id);
  const started = performance.now();
  let elsewhere = 0;
  try {
    for await (const part of new Parts(step, parts.exchanges.of(step.id))) {
      const rows = await compute(parts, step, part);
      counted.rowsOut += rows;
      const since = performance.now();
      await handOn(parts, step, route, rows);
      await onDone();
      elsewhere += performance.now() - since;
    }
    assertReconciled(step, counted.rowsIn, counted.rowsOut, 0);
  } catch (error) {
    throw await locateFailure(parts.statements, error, { input: null, step, numbered: false });
  } finally {
    counted.durationMs += performance.now() - started - elsewhere;
    await parts.exchanges.close(step.id);
  }
}

/** The result waits under a name of its own and with numbers for column names, so that it can go on in slices. */
function resultTable(step: CompiledStep): string {
  return `_result:${step.id}`;
}

async function compute({ statements, counts, types }: BatchParts, step: CompiledStep, part: Part): Promise<number> {
  const relations = [...new Set(step.from)];
  try {
    for (const relation of relations) await statements.run(`CREATE VIEW ${quoteIdentifier(relation)} AS ${part[step.from.indexOf(relation)]}`);
    const columns = (types.get(step.id) ?? []).map((_, index) => storedName(index));
    const result = `(${offsetSql(step, counts.of(step.id).rowsOut)}) AS result(${columns.join(', ')})`;
    return await statements.run(`CREATE TABLE ${quoteIdentifier(resultTable(step))} AS SELECT * FROM ${result}`);
  } catch (error) {
    throw await locateFailure(statements, error, { input: null, step, numbered: false });
  } finally {
    for (const relation of relations) await dropRelation(statements, relation);
  }
}

async function handOn(parts: BatchParts, step: CompiledStep, route: Route, rows: number): Promise<void> {
  const { statements, types } = parts;
  const items = (types.get(step.id) ?? []).map(({ name }, index) => `${storedName(index)} AS ${quoteIdentifier(name)}`);
  const table = quoteIdentifier(resultTable(step));
  try {
    for (let start = 0; start < rows; start += sliceRows) {
      const end = Math.min(start + sliceRows, rows);
      await statements.run(`CREATE VIEW ${quoteIdentifier(step.id)} AS SELECT ${items.join(', ')} FROM ${table} WHERE rowid >= ${start} AND rowid < ${end}`);
      await new Batch(parts, route, null).run(step.id, end - start);
    }
  } finally {
    await dropRelation(statements, step.id);
    await statements.clear(`DROP TABLE IF EXISTS ${table}`);
  }
}
