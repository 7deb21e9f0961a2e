import type { DuckDBConnection } from '@duckdb/node-api';
import { openSandbox } from '../../lib/duckdb-sandbox.js';

/** Beside the run's own database, in the same process. */
const memoryBytes = 96 * 2 ** 20;

/** A DuckDB that reads and writes in these folders only. Who opens it closes it. */
export function openDatabase(folders: readonly string[], spillFolder: string | null): Promise<DuckDBConnection> {
  return openSandbox({ folders, spillFolder, memoryBytes });
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
