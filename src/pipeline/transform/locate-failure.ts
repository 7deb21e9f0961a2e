import type { DuckDBConnection } from '@duckdb/node-api';
import type { CompiledInput, CompiledStep } from '../../model/compiled-pipeline.js';
import { PlatformError } from '../../model/errors.js';
import { duckDbMessage, quoteIdentifier } from './duckdb.js';
import { rawRelation, valueSql } from './input-relation.js';

interface Suspect {
  readonly relation: string;
  readonly column: string | null;
  readonly sql: string;
  readonly code: 'VALUE_UNCONVERTIBLE' | 'EXPRESSION_FAILED';
  readonly where: string;
}

/** A failed statement as an error that names step, column and row. */
export async function locateFailure(connection: DuckDBConnection, error: unknown, input: CompiledInput, step: CompiledStep | null): Promise<PlatformError> {
  if (/^Out of Memory/i.test(String((error as Error).message))) {
    return new PlatformError('MEMORY_LIMIT', `The step needs more memory than the run has: ${duckDbMessage(error)}. Raise limits.memory.`, {
      cause: error,
      ...(step && { step: step.id }),
    });
  }
  const unreadable = await failure(connection, `SELECT count(COLUMNS(*)) FROM ${rawRelation(input.alias)}`);
  if (unreadable)
    return new PlatformError('SOURCE_MALFORMED', `What ${input.stream} sent cannot be read as rows: ${duckDbMessage(unreadable)}.`, { cause: error });
  for (const suspect of suspects(input, step)) {
    const cause = await failure(connection, `SELECT count(${suspect.sql}) FROM ${suspect.relation}`);
    if (!cause) continue;
    const row = await firstFailingRow(connection, suspect);
    const named = suspect.column === null ? '' : `, column "${suspect.column}"`;
    return new PlatformError(suspect.code, `${suspect.where}${named}, row ${row}: ${duckDbMessage(cause)}.`, {
      cause: error,
      ...(step && { step: step.id }),
      context: { row },
    });
  }
  return new PlatformError('EXPRESSION_FAILED', `${step ? `Step "${step.id}"` : `Input "${input.alias}"`} failed: ${duckDbMessage(error)}.`, {
    cause: error,
    ...(step && { step: step.id }),
  });
}

function suspects(input: CompiledInput, step: CompiledStep | null): Suspect[] {
  const conversions = input.columns
    .filter(({ value }) => value)
    .map(
      (column): Suspect => ({
        relation: rawRelation(input.alias),
        column: column.name,
        sql: valueSql(column),
        code: 'VALUE_UNCONVERTIBLE',
        where: `Input "${input.alias}"`,
      }),
    );
  const expressions = (step?.expressions ?? []).map(
    ({ column, sql }): Suspect => ({
      relation: quoteIdentifier(step?.from ?? ''),
      column,
      sql,
      code: step?.kind === 'cast' ? 'VALUE_UNCONVERTIBLE' : 'EXPRESSION_FAILED',
      where: `Step "${step?.id}"`,
    }),
  );
  return [...conversions, ...expressions];
}

/** Halves the range of positions until one row is left: some twenty statements for a million rows. */
async function firstFailingRow(connection: DuckDBConnection, { relation, sql }: Suspect): Promise<number> {
  const range = (await connection.runAndReadAll(`SELECT min(_pos), max(_pos) FROM ${relation}`)).getRows()[0] ?? [];
  let low = Number(range[0]);
  let high = Number(range[1]);
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const fails = await failure(connection, `SELECT count(${sql}) FROM (SELECT * FROM ${relation} WHERE _pos BETWEEN ${low} AND ${middle})`);
    if (fails) high = middle;
    else low = middle + 1;
  }
  return low;
}

async function failure(connection: DuckDBConnection, sql: string): Promise<unknown> {
  try {
    await connection.run(sql);
    return null;
  } catch (error) {
    return error;
  }
}
