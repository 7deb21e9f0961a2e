import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { quoteText } from './duckdb-text.js';

export interface SandboxSettings {
  /** The only folders that statements may read and write. */
  readonly folders: readonly string[];
  /** Where it puts what does not fit into its memory; null: nowhere. */
  readonly spillFolder: string | null;
  readonly memoryBytes: number;
  /** Statements to run before the settings are locked. */
  readonly prepare?: readonly string[];
}

/**
 * An in-memory DuckDB of one thread in UTC, without file access outside `folders`, without network, without extensions to load, with
 * settings locked. Who opens it closes it.
 */
export async function openSandbox({ folders, spillFolder, memoryBytes, prepare = [] }: SandboxSettings): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: `${Math.floor(memoryBytes / 2 ** 20)}MiB` });
  const connection = await instance.connect();
  for (const statement of [
    `SET TimeZone = 'UTC'`,
    `SET temp_directory = ${quoteText(spillFolder ?? '')}`,
    // What is read is read once: kept pages of files would only take the memory of tables.
    'SET enable_external_file_cache = false',
    // What is freed goes back to the system at once; by default 128 MiB and more of it stay with the process.
    `SET allocator_flush_threshold = '16MiB'`,
    `SET allocator_bulk_deallocation_flush_threshold = '16MiB'`,
    ...prepare,
    `SET allowed_directories = [${folders.map(quoteText).join(', ')}]`,
    'SET enable_external_access = false',
    'SET autoinstall_known_extensions = false',
    'SET autoload_known_extensions = false',
    'SET lock_configuration = true',
  ])
    await connection.run(statement);
  return connection;
}
