import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';

/** Beside the run's own database, in the same process. */
const memoryLimit = '96MiB';

/** An in-memory DuckDB that reads and writes in these folders only. Who opens it closes it. */
export async function openDatabase(folders: readonly string[], spillFolder: string | null): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: memoryLimit });
  const connection = await instance.connect();
  for (const statement of [
    `SET TimeZone = 'UTC'`,
    `SET temp_directory = ${quoteText(spillFolder ?? '')}`,
    `SET allowed_directories = [${folders.map(quoteText).join(', ')}]`,
    'SET enable_external_access = false',
    'SET autoinstall_known_extensions = false',
    'SET autoload_known_extensions = false',
    'SET lock_configuration = true',
  ])
    await connection.run(statement);
  return connection;
}

/** Runs a statement that a signal ends; returns the number of rows it says it made. */
export async function runCounted(connection: DuckDBConnection, sql: string, signal: AbortSignal): Promise<number> {
  signal.throwIfAborted();
  const interrupt = () => connection.interrupt();
  signal.addEventListener('abort', interrupt, { once: true });
  try {
    const reader = await connection.runAndReadAll(sql);
    return Number(reader.getRows()[0]?.[0] ?? 0);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error;
  } finally {
    signal.removeEventListener('abort', interrupt);
  }
}

export async function queryRows<Row>(connection: DuckDBConnection, sql: string): Promise<Row[]> {
  return (await connection.runAndReadAll(sql)).getRowObjects() as Row[];
}

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
