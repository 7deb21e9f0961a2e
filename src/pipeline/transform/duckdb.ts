import type { DuckDBConnection } from '@duckdb/node-api';
import { openSandbox } from '../../lib/duckdb-sandbox.js';
import { quoteText } from '../../lib/duckdb-text.js';
import { declareParams, type ParamValue } from './params.js';

export interface DuckDbOptions {
  /** The only folder that statements may read and write. */
  readonly folder: string;
  readonly memoryBytes: number;
  /** What now(), today(), current_timestamp and current_date are: RFC 3339. */
  readonly now: string;
  /** What `$name` is in expressions. */
  readonly params?: readonly ParamValue[];
}

/**
 * An in-memory DuckDB without file access outside `folder`, without network, without extensions to load, with settings locked.
 * The clock functions are macros over the built-in ones, so that an expression gives the same in every segment and attempt.
 *
 * @throws PlatformError BAD_USER_INPUT for a parameter whose value is not of its type
 */
export async function openDuckDb({ folder, memoryBytes, now, params = [] }: DuckDbOptions): Promise<DuckDBConnection> {
  const at = quoteText(now.replace('Z', '+00'));
  const clock: Readonly<Record<string, string>> = { now: 'TIMESTAMPTZ', get_current_timestamp: 'TIMESTAMPTZ', today: 'DATE', current_date: 'DATE' };
  const connection = await openSandbox({
    folders: [folder],
    spillFolder: `${folder}/spill`,
    memoryBytes,
    prepare: [
      `SET preserve_insertion_order = true`,
      `SET home_directory = ${quoteText(folder)}`,
      ...Object.entries(clock).map(([name, type]) => `CREATE MACRO ${name}() AS CAST(TIMESTAMPTZ ${at} AS ${type})`),
    ],
  });
  await declareParams(connection, params);
  return connection;
}
