import { dirname } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { PlatformError } from '../../model/errors.js';
import type { FoundWindow, Reading, ReadKeys, ReadRequest } from '../../model/reading.js';
import type { Segment } from '../../model/segment.js';
import type { FileConfig } from './config.js';
import { openDatabase } from './database.js';
import { describeFiles, formatOf } from './describe.js';
import type { SourceFile } from './list-files.js';
import { readCsv } from './read-csv.js';
import { readNdjson } from './read-ndjson.js';
import { readParquet } from './read-parquet.js';

/** Files as they were found when a stream was first asked for: one that differs when it is read ends the run, which may be tried again. */
export class FileReading implements Reading {
  private readonly found = new Map<string, Promise<SourceFile[]>>();
  private readonly connections: DuckDBConnection[] = [];

  constructor(
    private readonly config: FileConfig,
    private readonly list: (stream: string) => Promise<SourceFile[]>,
    private readonly signal: AbortSignal,
  ) {}

  async window(): Promise<FoundWindow> {
    throw noIncrements();
  }

  async touched(): Promise<ReadKeys['rows'] | null> {
    throw noIncrements();
  }

  async *read(request: ReadRequest): AsyncGenerator<Segment> {
    if (request.window !== null || request.keys !== null) throw noIncrements();
    const { columns, folder, limits } = request;
    const { config, signal } = this;
    const files = await this.filesOf(request.stream);
    if (files.length === 0)
      throw new PlatformError('STREAM_NOT_FOUND', `No file is there for ${request.stream}. Check the stream of the input.`, { retryable: true });
    const format = formatOf(files, config);
    if (format === 'csv') return yield* readCsv({ files, csv: config.csv, columns, folder, limits, signal });
    const connection = await openDatabase([folder, ...new Set(files.map(({ path }) => dirname(path)))], folder);
    this.connections.push(connection);
    if (format === 'parquet') return yield* readParquet({ files, columns, folder, limits, connection, signal });
    const types = await describeFiles(files, config);
    const nested = new Set(types.filter(({ type }) => type === 'JSON').map(({ name }) => name));
    yield* readNdjson({ files, columns, nested, folder, limits, connection, signal });
  }

  async close(): Promise<void> {
    for (const connection of this.connections.splice(0)) connection.closeSync();
  }

  private filesOf(stream: string): Promise<SourceFile[]> {
    const found = this.found.get(stream) ?? this.list(stream);
    this.found.set(stream, found);
    return found;
  }
}

function noIncrements(): PlatformError {
  return new PlatformError('INVALID_SPEC', 'Files are read whole: remove "incremental" and "recompute" from the input, or name only new files in its stream.');
}
