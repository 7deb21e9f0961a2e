import type { DuckDBConnection } from '@duckdb/node-api';
import { quoteIdentifier, quoteText } from '../../lib/duckdb-text.js';
import type { Segment, SegmentLimits } from '../../model/segment.js';
import { queryRows, runCounted } from './database.js';
import { malformed, messageOf } from './errors.js';
import { assertStillThere } from './file-bytes.js';
import type { SourceFile } from './list-files.js';
import { ReadShare } from './read-share.js';
import { SegmentFiles, writtenPiece } from './segment-files.js';
import { writeConversion } from './types.js';

export interface ParquetRead {
  readonly files: readonly SourceFile[];
  readonly columns: readonly string[];
  readonly folder: string;
  readonly limits: SegmentLimits;
  readonly connection: DuckDBConnection;
  readonly signal: AbortSignal;
}

export interface ParquetColumn {
  readonly column_name: string;
  readonly column_type: string;
}

const leastRows = 1_000;

/** Ranges of rows, each about a segment: DuckDB skips the row groups outside of one, so that memory does not grow with the file. */
export async function* readParquet(read: ParquetRead): AsyncGenerator<Segment> {
  const { columns, folder, limits, connection, signal } = read;
  const paths = new SegmentFiles(folder, limits.segmentBytes);
  let position = 1;
  const share = new ReadShare(read.files);
  for (const file of read.files) {
    const { rows, bytes } = await sizeOf(connection, file);
    const items = await textsOf(connection, file, columns);
    let step = Math.max(leastRows, Math.floor((limits.segmentBytes * rows) / Math.max(bytes, 1)));
    for (let start = 0; start < rows; ) {
      const end = Math.min(start + step, rows);
      const path = paths.next('csv');
      const select = `SELECT file_row_number + ${position}${items} FROM read_parquet(${quoteText(file.path)}, file_row_number = true) WHERE file_row_number >= ${start} AND file_row_number < ${end}`;
      const written = await copy(
        connection,
        `COPY (${select}) TO ${quoteText(path)} (FORMAT csv, HEADER false, DELIMITER ',', QUOTE '"', ESCAPE '"', NULLSTR '')`,
        file,
        signal,
      );
      await assertStillThere(file);
      if (written !== end - start) throw malformed(file.name, null, `it says that it has ${rows} rows, and rows ${start + 1} to ${end} are ${written}`);
      const piece = await writtenPiece(path, written);
      yield { ...piece, columns, share: share.within(file, end / rows) };
      // Text takes another space than what Parquet says of its pages.
      step = Math.max(leastRows, Math.min(step * 2, Math.floor((limits.segmentBytes * written) / piece.sizeBytes)));
      start = end;
    }
    position += rows;
    share.next(file);
  }
}

async function copy(connection: DuckDBConnection, sql: string, file: SourceFile, signal: AbortSignal): Promise<number> {
  try {
    return await runCounted(connection, sql, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw unreadable(file, error);
  }
}

export async function parquetColumns(connection: DuckDBConnection, file: SourceFile): Promise<ParquetColumn[]> {
  try {
    return await queryRows<ParquetColumn>(connection, `DESCRIBE SELECT * FROM read_parquet(${quoteText(file.path)})`);
  } catch (error) {
    throw unreadable(file, error);
  }
}

async function sizeOf(connection: DuckDBConnection, file: SourceFile): Promise<{ rows: number; bytes: number }> {
  await assertStillThere(file);
  try {
    const [found] = await queryRows<{ rows: bigint; bytes: bigint | null }>(
      connection,
      `SELECT (SELECT num_rows FROM parquet_file_metadata(${quoteText(file.path)})) AS rows,
        (SELECT CAST(sum(total_uncompressed_size) AS BIGINT) FROM parquet_metadata(${quoteText(file.path)})) AS bytes`,
    );
    return { rows: Number(found?.rows ?? 0), bytes: Number(found?.bytes ?? 0) };
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** Texts of the wanted columns; one that this file does not have is NULL, and what is nested is JSON. */
async function textsOf(connection: DuckDBConnection, file: SourceFile, wanted: readonly string[]): Promise<string> {
  const own = new Map((await parquetColumns(connection, file)).map((column) => [column.column_name.toLowerCase(), column]));
  const items = wanted.map((name) => {
    const column = own.get(name.toLowerCase());
    if (!column) return ', NULL';
    const value = quoteIdentifier(column.column_name);
    const conversion = writeConversion(column.column_type);
    return `, ${conversion ? conversion.expression.replaceAll('{}', () => value) : `CAST(to_json(${value}) AS VARCHAR)`}`;
  });
  return items.join('');
}

function unreadable(file: SourceFile, error: unknown): Error {
  return malformed(file.name, null, `it cannot be read as Parquet: ${messageOf(error)}`);
}
