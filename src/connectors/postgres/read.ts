import { to as copyTo } from 'pg-copy-streams';
import type { ReadRequest } from '../../model/connector.js';
import { PlatformError } from '../../model/errors.js';
import type { Segment } from '../../model/segment.js';
import { connect, destroy, end, ownSearchPath } from './client.js';
import type { PostgresConfig } from './config.js';
import { cutSegments } from './cut-segments.js';
import { toPostgresError } from './errors.js';
import { quoteIdentifier, quoteTable, type TableName } from './identifiers.js';

/** Reads a table or view with `COPY … TO STDOUT`, in one snapshot: PostgreSQL writes the CSV, Node only cuts it into files. */
export async function* readTable(config: PostgresConfig, table: TableName, request: ReadRequest, signal: AbortSignal): AsyncGenerator<Segment> {
  const client = await connect(config);
  const cut = () => destroy(client);
  signal.addEventListener('abort', cut, { once: true });
  let finished = false;
  try {
    signal.throwIfAborted();
    await client.query(ownSearchPath);
    const bytes = client.query(copyTo(copyStatement(table, request.columns), { highWaterMark: 1 << 20 }));
    yield* cutSegments(bytes, { folder: request.folder, columns: request.columns, segmentBytes: request.limits.segmentBytes });
    finished = true;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw toReadError(error, table);
  } finally {
    signal.removeEventListener('abort', cut);
    if (!finished) destroy(client); // a COPY that was not read to its end leaves the connection unusable
    await end(client);
  }
}

function copyStatement(table: TableName, columns: readonly string[]): string {
  const selected = ['pg_catalog.row_number() OVER () AS _pos', ...columns.map(quoteIdentifier)].join(', ');
  return `COPY (SELECT ${selected} FROM ${quoteTable(table)}) TO STDOUT (FORMAT csv, HEADER false)`;
}

function toReadError(error: unknown, table: TableName): PlatformError {
  if (error instanceof PlatformError) return error;
  return toPostgresError(error, 'read', `Reading ${table.schema}.${table.table}`);
}
