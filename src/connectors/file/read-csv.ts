import { quoteIdentifier, quoteText } from '../../lib/duckdb-text.js';
import type { Segment, SegmentLimits } from '../../model/segment.js';
import type { CsvConfig } from './config.js';
import { openCsv } from './csv-header.js';
import { type CsvDialect, CsvScanner } from './csv-scanner.js';
import type { SourceFile } from './list-files.js';
import { FileProgress, ReadShare } from './read-share.js';
import { type Piece, SegmentFiles } from './segment-files.js';
import { kindOf } from './stream-name.js';

export interface CsvRead {
  readonly files: readonly SourceFile[];
  readonly csv: CsvConfig;
  readonly columns: readonly string[];
  readonly folder: string;
  readonly limits: SegmentLimits;
  readonly signal: AbortSignal;
}

/** Node cuts the files at row ends and looks at every byte; DuckDB reads the pieces as they are, by the file's own dialect. */
export async function* readCsv(read: CsvRead): AsyncGenerator<Segment> {
  let position = 1;
  const share = new ReadShare(read.files);
  for (const file of read.files) {
    for await (const { piece, part, names, dialect } of cutFile(file, read)) {
      const segment = toSegment(piece, { names, dialect, columns: read.columns, nullText: read.csv.nullText, position });
      yield { ...segment, share: share.within(file, part) };
      position += piece.rows;
    }
    share.next(file);
  }
}

interface CutPiece {
  readonly piece: Piece;
  /** Of the file, that ends with the piece. */
  readonly part: number;
  readonly names: readonly string[];
  readonly dialect: CsvDialect;
}

async function* cutFile(file: SourceFile, { csv, folder, limits, signal }: CsvRead): AsyncGenerator<CutPiece> {
  const progress = new FileProgress(file);
  const opened = await openCsv(file, kindOf(file.name, { format: 'csv' }).compression, csv, progress.onTaken);
  const { names, dialect } = opened;
  const cut = (piece: Piece): CutPiece => ({ piece, part: progress.cut(piece.sizeBytes), names, dialect });
  const scanner = new CsvScanner(dialect, names.length, file.name, opened.line);
  const pieces = new SegmentFiles(folder, limits.segmentBytes);
  try {
    for await (const chunk of opened.bytes) {
      signal.throwIfAborted();
      progress.unpacked(chunk.length);
      const piece = await pieces.write(scanner.scan(chunk));
      if (piece) yield cut(piece);
    }
    progress.end();
    const end = names.length > 0 ? scanner.finish() : null;
    const full = end && (await pieces.write(end));
    if (full) yield cut(full);
    const last = await pieces.finish();
    if (last) yield cut(last);
  } finally {
    await pieces.close();
    await opened.close();
  }
}

interface PieceForm {
  readonly names: readonly string[];
  readonly dialect: CsvDialect;
  readonly columns: readonly string[];
  readonly nullText: string;
  readonly position: number;
}

/** Column names of several files are one when they differ in case only; a column that a file does not have is NULL. */
function toSegment(piece: Piece, { names, dialect, columns, nullText, position }: PieceForm): Segment {
  const own = new Map(names.map((name, index) => [name.toLowerCase(), `c${index}`]));
  const items = columns.map((name) => `${own.get(name.toLowerCase()) ?? 'CAST(NULL AS VARCHAR)'} AS ${quoteIdentifier(name)}`);
  const sql = `(SELECT ${items.length > 0 ? items.join(', ') : '1 AS "_"'} FROM ${csvScan(piece, dialect, nullText, names.length)})`;
  return { ...piece, columns, scan: { sql, firstPosition: position } };
}

/** Columns are named c0, c1, … Line and buffer size must exceed the widest row. */
function csvScan({ path, sizeBytes, widestRowBytes }: Piece, dialect: CsvDialect, nullText: string, count: number): string {
  const columns = Array.from({ length: count }, (_, index) => `'c${index}': 'VARCHAR'`).join(', ');
  const lineBytes = Math.max(widestRowBytes + 1, 65_536);
  return `read_csv(${quoteText(path)}, header = false, auto_detect = false, delim = ${quoteText(dialect.delimiter)}, quote = ${quoteText(dialect.quote)}, escape = ${quoteText(dialect.escape)},
    new_line = '\\n', nullstr = ${quoteText(nullText)}, allow_quoted_nulls = false, strict_mode = true, max_line_size = ${lineBytes},
    buffer_size = ${Math.max(sizeBytes + 1, lineBytes * 2)}, columns = {${columns}})`;
}

/** The first rows of a file, about `segmentBytes` of them; the caller removes the piece. null: it has none. */
export async function firstCsvRows(read: CsvRead): Promise<Segment | null> {
  for await (const segment of readCsv(read)) return segment;
  return null;
}
