import { quoteIdentifier } from '../../lib/duckdb-text.js';
import type { CompiledInput, CompiledStep } from '../../model/compiled-pipeline.js';
import { inputSql, rawRelation } from '../transform/input-relation.js';
import { textColumn } from '../transform/relation.js';
import type { Statements } from './statements.js';

export interface TypedColumn {
  readonly name: string;
  /** DuckDB's word. */
  readonly type: string;
}

/** Columns of every relation, by its name: found by binding all statements over empty tables, of which nothing is left. */
export async function describeRelations(
  statements: Statements,
  inputs: readonly CompiledInput[],
  steps: readonly CompiledStep[],
): Promise<ReadonlyMap<string, readonly TypedColumn[]>> {
  const made: string[] = [];
  const types = new Map<string, readonly TypedColumn[]>();
  const make = async (table: string, definition: string): Promise<void> => {
    await statements.run(`CREATE TABLE ${table} ${definition}`);
    made.push(table);
  };
  try {
    for (const input of inputs) {
      const raw = ['_pos BIGINT', ...input.columns.map(({ name }) => `${textColumn(name)} VARCHAR`)];
      await make(rawRelation(input.alias), `(${raw.join(', ')})`);
      await make(quoteIdentifier(input.alias), `AS ${inputSql(input)} WITH NO DATA`);
      types.set(input.alias, await describe(statements, input.alias));
    }
    for (const step of steps) {
      await make(quoteIdentifier(step.id), `AS ${step.selects.join(' UNION ALL ')} WITH NO DATA`);
      types.set(step.id, await describe(statements, step.id));
    }
  } finally {
    for (const table of made) await statements.clear(`DROP TABLE ${table}`);
  }
  return types;
}

async function describe(statements: Statements, relation: string): Promise<TypedColumn[]> {
  return (await statements.rows(`DESCRIBE ${quoteIdentifier(relation)}`)).map(([name, type]) => ({ name: String(name), type: String(type) }));
}

/** A SELECT with these columns and no rows. */
export function emptySql(columns: readonly TypedColumn[]): string {
  return `SELECT ${columns.map(({ name, type }) => `CAST(NULL AS ${type}) AS ${quoteIdentifier(name)}`).join(', ')} WHERE false`;
}
