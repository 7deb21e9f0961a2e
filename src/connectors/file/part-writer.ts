import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { quoteIdentifier, quoteText } from '../../lib/duckdb-text.js';
import type { LoadColumn } from '../../model/connector.js';
import { PlatformError } from '../../model/errors.js';
import type { Segment } from '../../model/segment.js';
import type { CsvConfig } from './config.js';
import { dialectOf } from './csv-header.js';
import { openDatabase, runCounted } from './database.js';
import { messageOf } from './errors.js';
import type { FileKind } from './stream-name.js';
import { jsonOf, parquetType, valueFrom } from './types.js';

export interface PartOptions {
  /** The file that is made. */
  readonly path: string;
  /** A folder to work in. */
  readonly stage: string;
  readonly kind: FileKind;
  readonly columns: readonly LoadColumn[];
  readonly csv: CsvConfig;
  readonly stream: string;
}

const rowGroupBytes = 16 * 2 ** 20;
const vector = 2_048;
const mostGroupRows = 60 * vector;
const rawText = `FORMAT csv, HEADER false, DELIMITER '\x01', QUOTE '', ESCAPE '', NULLSTR ''`;

/** Makes one file of segments: each becomes a piece by DuckDB, and pieces of text or of a compressed text are put one behind the other. */
export class PartWriter {
  rows = 0;
  private bytes = 0;
  private pieces = 0;
  private connection: DuckDBConnection | null = null;

  constructor(private readonly options: PartOptions) {}

  async add(segment: Segment, signal: AbortSignal): Promise<void> {
    const texts = new Set(segment.columns);
    const from = `(SELECT * FROM ${segmentScan(segment)})`;
    await this.addPiece(from, (name) => (texts.has(name) ? quoteIdentifier(name) : 'CAST(NULL AS VARCHAR)'), segment.rows, dirname(segment.path), signal);
    this.rows += segment.rows;
    this.bytes += segment.sizeBytes;
  }

  /** @returns the size of the file in bytes */
  async finish(signal: AbortSignal): Promise<number> {
    const { path, kind, stage } = this.options;
    if (this.pieces === 0) await this.addPiece('(SELECT 1 WHERE false)', () => 'CAST(NULL AS VARCHAR)', 0, stage, signal);
    if (kind.format === 'parquet') {
      if (this.pieces === 1) await rename(this.piecePath(1), path);
      else await this.joinParquet(signal);
    }
    return (await stat(path)).size;
  }

  async close(): Promise<void> {
    this.connection?.closeSync();
    this.connection = null;
  }

  private async addPiece(from: string, text: (name: string) => string, expected: number, folder: string, signal: AbortSignal): Promise<void> {
    const { kind, path, stage } = this.options;
    const connection = this.connection ?? (await openDatabase([stage, folder], stage));
    this.connection = connection;
    this.pieces += 1;
    const piece = this.piecePath(this.pieces);
    const written = await this.copy(connection, `COPY (${this.select(text)} FROM ${from}) TO ${quoteText(piece)} (${this.format(expected)})`, signal);
    if (written !== expected)
      throw new PlatformError(
        'COUNTS_MISMATCH',
        `${expected} rows were sent to ${this.options.stream} and ${written} arrived. Nothing was written; start the run again.`,
      );
    if (kind.format === 'parquet') return;
    if (this.pieces === 1) await writeFile(path, '', { flag: 'wx', mode: 0o644 });
    await pipeline(createReadStream(piece, { highWaterMark: 1 << 20 }), createWriteStream(path, { flags: 'a' }), { signal });
    await rm(piece);
  }

  private async copy(connection: DuckDBConnection, sql: string, signal: AbortSignal): Promise<number> {
    try {
      return await runCounted(connection, sql, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!/^(Conversion|Invalid Input|Out of Range) Error/.test(String((error as Error).message))) throw error;
      throw new PlatformError('DESTINATION_REFUSED', `${this.options.stream} cannot hold a value: ${messageOf(error)}. Mend the rows in a step.`, {
        cause: error,
      });
    }
  }

  private select(text: (name: string) => string): string {
    const { columns, kind } = this.options;
    if (kind.format === 'csv') return `SELECT ${columns.map(({ name }) => `${text(name)} AS ${quoteIdentifier(name)}`).join(', ')}`;
    if (kind.format === 'parquet')
      return `SELECT ${columns.map(({ name, type }) => `CAST(${valueFrom(text(name), type)} AS ${parquetType(type)}) AS ${quoteIdentifier(name)}`).join(', ')}`;
    const members = columns.map(({ name, type }) => `${quoteText(`${JSON.stringify(name)}:`)} || coalesce(${jsonOf(text(name), type)}, 'null')`);
    return `SELECT '{' || ${members.join(` || ',' || `)} || '}'`;
  }

  private format(rows: number): string {
    const { kind, csv, stream } = this.options;
    if (kind.format === 'parquet') return `FORMAT parquet, ROW_GROUP_SIZE ${this.groupRows(rows)}`;
    const compression = kind.compression === 'none' ? '' : `, COMPRESSION ${kind.compression}`;
    if (kind.format === 'ndjson') return rawText + compression;
    const dialect = dialectOf(stream, csv);
    const signs = `DELIMITER ${quoteText(dialect.delimiter)}, QUOTE ${quoteText(dialect.quote)}, ESCAPE ${quoteText(dialect.escape)}, NULLSTR ${quoteText(csv.nullText)}`;
    return `FORMAT csv, HEADER ${csv.header && this.pieces === 1}, ${signs}${compression}`;
  }

  private async joinParquet(signal: AbortSignal): Promise<void> {
    const paths = Array.from({ length: this.pieces }, (_, index) => this.piecePath(index + 1));
    const select = `SELECT * FROM read_parquet([${paths.map(quoteText).join(', ')}])`;
    await this.copy(this.connection as DuckDBConnection, `COPY (${select}) TO ${quoteText(this.options.path)} (${this.format(this.rows)})`, signal);
    for (const path of paths) await rm(path);
  }

  /** So many rows that a group fits into memory. */
  private groupRows(rows: number): number {
    const wanted = this.bytes === 0 ? rows : (rowGroupBytes * this.rows) / this.bytes;
    return Math.min(mostGroupRows, Math.max(1, Math.floor(wanted / vector)) * vector);
  }

  private piecePath(number: number): string {
    return join(this.options.stage, `piece-${number}`);
  }
}

function segmentScan({ path, columns, sizeBytes }: Segment): string {
  const names = ["'_pos': 'BIGINT'", ...columns.map((name) => `${quoteText(name)}: 'VARCHAR'`)].join(', ');
  const lineBytes = Math.max(sizeBytes + 1, 65_536);
  return `read_csv(${quoteText(path)}, header = false, auto_detect = false, delim = ',', quote = '"', escape = '"', new_line = '\\n', nullstr = '',
    allow_quoted_nulls = false, strict_mode = true, max_line_size = ${lineBytes}, buffer_size = ${lineBytes * 2}, columns = {${names}})`;
}
