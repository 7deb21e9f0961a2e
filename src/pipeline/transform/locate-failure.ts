import { duckDbMessage, quoteIdentifier } from '../../lib/duckdb-text.js';
import type { CompiledInput, CompiledStep } from '../../model/compiled-pipeline.js';
import { PlatformError } from '../../model/errors.js';
import { StatementError, type Statements } from '../execute/statements.js';
import { rawRelation, valueSql } from './input-relation.js';

/** Where a statement failed. */
export interface FailurePlace {
  /** The input whose rows were under way; null behind a blocking step. */
  readonly input: CompiledInput | null;
  /** null: the input itself, or what is written for an output. */
  readonly step: CompiledStep | null;
  /** The step's rows have the positions of the source. */
  readonly numbered: boolean;
}

interface Suspect {
  readonly relation: string;
  readonly column: string | null;
  readonly sql: string;
  readonly code: 'VALUE_UNCONVERTIBLE' | 'EXPRESSION_FAILED';
  readonly where: string;
  readonly numbered: boolean;
}

/** A failed statement as an error that names step, column and row. What is no failed statement stays as it is. */
export async function locateFailure(statements: Statements, error: unknown, place: FailurePlace): Promise<unknown> {
  if (!(error instanceof StatementError)) return error;
  const { input, step } = place;
  const options = { cause: error.cause, ...(step && { step: step.id }) };
  const lacking = lackOfSpace(error, step, options);
  if (lacking) return lacking;
  if (input) {
    const unreadable = await failure(statements, `SELECT count(COLUMNS(*)) FROM ${rawRelation(input.alias)}`);
    if (unreadable) return new PlatformError('SOURCE_MALFORMED', `What ${input.stream} sent cannot be read as rows: ${duckDbMessage(unreadable)}.`, options);
  }
  for (const suspect of suspects(place)) {
    const cause = await failure(statements, countSql(suspect, suspect.relation));
    if (!cause) continue;
    const row = suspect.numbered ? await firstFailingRow(statements, suspect) : null;
    const named = suspect.column === null ? '' : `, column "${suspect.column}"`;
    const numbered = row === null ? '' : `, row ${row}`;
    return new PlatformError(suspect.code, `${suspect.where}${named}${numbered}: ${duckDbMessage(cause)}.`, {
      ...options,
      ...(row !== null && { context: { row } }),
    });
  }
  return new PlatformError('EXPRESSION_FAILED', `${whereOf(place)} failed: ${duckDbMessage(error)}.`, options);
}

function whereOf({ input, step }: FailurePlace): string {
  if (step) return `Step "${step.id}"`;
  return input ? `Input "${input.alias}"` : 'Writing the rows of an output';
}

function lackOfSpace(error: Error, step: CompiledStep | null, options: { readonly cause: unknown }): PlatformError | null {
  const where = step ? `Step "${step.id}"` : 'The run';
  if (/max_temp_directory_size|No space left on device/i.test(error.message))
    return new PlatformError(
      'DISK_FULL',
      `${where} needs more disk space than there is for what does not fit into memory: ${duckDbMessage(error)}. Free some.`,
      {
        ...options,
        retryable: true,
      },
    );
  if (!/^Out of Memory/i.test(error.message)) return null;
  const advice = step?.blocking
    ? 'Too many of its rows have the same key, or values are very large. Leave out rows or columns that are not needed before it, or raise limits.memory.'
    : 'Raise limits.memory.';
  return new PlatformError('MEMORY_LIMIT', `${where} needs more memory than the run has: ${duckDbMessage(error)}. ${advice}`, options);
}

function suspects({ input, step, numbered }: FailurePlace): Suspect[] {
  const conversions = (input?.columns ?? [])
    .filter(({ value }) => value)
    .map(
      (column): Suspect => ({
        relation: rawRelation(input?.alias ?? ''),
        column: column.name,
        sql: valueSql(column),
        code: 'VALUE_UNCONVERTIBLE',
        where: `Input "${input?.alias}"`,
        numbered: true,
      }),
    );
  const expressions = (step?.expressions ?? []).map(
    ({ column, sql }): Suspect => ({
      relation: quoteIdentifier(step?.from[0] ?? ''),
      column,
      sql,
      code: step?.kind === 'cast' ? 'VALUE_UNCONVERTIBLE' : 'EXPRESSION_FAILED',
      where: `Step "${step?.id}"`,
      numbered: numbered && !step?.blocking,
    }),
  );
  return [...conversions, ...expressions];
}

/** In a subquery, so that it may hold a window. */
function countSql({ sql }: Suspect, source: string): string {
  return `SELECT count(value) FROM (SELECT ${sql} AS value FROM ${source})`;
}

/** Halves the range of positions until one row is left: some twenty statements for a million rows. */
async function firstFailingRow(statements: Statements, suspect: Suspect): Promise<number> {
  const [range = []] = await statements.rows(`SELECT min(_pos), max(_pos) FROM ${suspect.relation}`);
  let low = Number(range[0]);
  let high = Number(range[1]);
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const fails = await failure(statements, countSql(suspect, `(SELECT * FROM ${suspect.relation} WHERE _pos BETWEEN ${low} AND ${middle})`));
    if (fails) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** null: it succeeds, or it cannot be asked like this. */
async function failure(statements: Statements, sql: string): Promise<unknown> {
  try {
    await statements.run(sql);
    return null;
  } catch (error) {
    if (!(error instanceof StatementError)) throw error;
    return /^(Binder|Catalog|Parser) Error/.test(error.message) ? null : error;
  }
}
