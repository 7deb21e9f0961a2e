import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { declareParams, type ParamValue } from './params.js';
import { quoteText } from './sql-text.js';

export { duckDbMessage, quoteIdentifier, quoteText } from './sql-text.js';

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
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    memory_limit: `${Math.floor(memoryBytes / 2 ** 20)}MiB`,
    temp_directory: `${folder}/spill`,
  });
  const connection = await instance.connect();
  const at = quoteText(now.replace('Z', '+00'));
  const clock: Readonly<Record<string, string>> = { now: 'TIMESTAMPTZ', get_current_timestamp: 'TIMESTAMPTZ', today: 'DATE', current_date: 'DATE' };
  for (const statement of [
    `SET TimeZone = 'UTC'`,
    `SET preserve_insertion_order = true`,
    `SET home_directory = ${quoteText(folder)}`,
    ...Object.entries(clock).map(([name, type]) => `CREATE MACRO ${name}() AS CAST(TIMESTAMPTZ ${at} AS ${type})`),
    `SET allowed_directories = [${quoteText(folder)}]`,
    'SET enable_external_access = false',
    'SET autoinstall_known_extensions = false',
    'SET autoload_known_extensions = false',
    'SET lock_configuration = true',
  ]) {
    await connection.run(statement);
  }
  await declareParams(connection, params);
  return connection;
}
