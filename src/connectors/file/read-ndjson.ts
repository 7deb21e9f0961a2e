import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { DuckDBConnection } from '@duckdb/node-api';
import { quoteText } from '../../lib/duckdb-text.js';
import type { Segment, SegmentLimits } from '../../model/segment.js';
import { runCounted } from './database.js';
import { malformed, messageOf } from './errors.js';
import { fileBytes } from './file-bytes.js';
import type { SourceFile } from './list-files.js';
import { FileProgress, ReadShare } from './read-share.js';
import { type Piece, SegmentFiles, writtenPiece } from './segment-files.js';
import { kindOf } from './stream-name.js';

export interface JsonRead {
  readonly files: readonly SourceFile[];
  readonly columns: readonly string[];
  /** Those whose text is JSON itself. */
  readonly nested: ReadonlySet<string>;
  readonly folder: string;
  readonly limits: SegmentLimits;
  readonly connection: DuckDBConnection;
  readonly signal: AbortSignal;
}

interface Lines {
  readonly piece: Piece;
  readonly file: SourceFile;
  /** Line of its first one. */
  readonly line: number;
  /** Of the file, that ends with them. */
  readonly part: number;
}

const lineFeed = 0x0a;
const longestLineBytes = 64 * 2 ** 20;
/** What a line that is no JSON object is told by. */
const notAnObject = '_tributary_not_an_object_';

/** Node cuts the files at line ends; DuckDB makes the segments of the pieces. */
export async function* readNdjson(read: JsonRead): AsyncGenerator<Segment> {
  let position = 1;
  const share = new ReadShare(read.files);
  for (const file of read.files) {
    for await (const lines of cutLines(file, read.folder, read.limits)) {
      try {
        const path = `${lines.piece.path}.rows.csv`;
        const rows = await convert(lines, path, position, read);
        if (rows === 0) await rm(path, { force: true });
        else yield { ...(await writtenPiece(path, rows)), columns: read.columns, share: share.within(file, lines.part) };
        position += rows;
      } finally {
        await rm(lines.piece.path, { force: true });
      }
    }
    share.next(file);
  }
}

async function convert({ piece, file, line }: Lines, path: string, position: number, { connection, columns, nested, signal }: JsonRead): Promise<number> {
  const names = columns.map((name) => quoteText(pointer(name))).join(', ');
  const items = columns.map((name, index) => (nested.has(name) ? `, nullif(j[${index + 1}], 'null')` : `, t[${index + 1}]`)).join('');
  const lists = [`json_extract_string(json, [${names}]) AS t`, ...(nested.size > 0 ? [`json_extract(json, [${names}]) AS j`] : [])];
  const rows = `SELECT CASE WHEN coalesce(starts_with(ltrim(json, e' \\t'), '{'), false) THEN _row ELSE error('${notAnObject}' || _row) END AS _row
    ${columns.length > 0 ? `, ${lists.join(', ')}` : ''} FROM (SELECT json, row_number() OVER () AS _row FROM ${objects(piece)})`;
  const select = `SELECT _row + ${position - 1}${items} FROM (${rows})`;
  try {
    return await runCounted(
      connection,
      `COPY (${select}) TO ${quoteText(path)} (FORMAT csv, HEADER false, DELIMITER ',', QUOTE '"', ESCAPE '"', NULLSTR '')`,
      signal,
    );
  } catch (error) {
    signal.throwIfAborted();
    const ordinal = new RegExp(`${notAnObject}(\\d+)`).exec(String(error))?.[1];
    if (ordinal === undefined) throw malformed(file.name, null, messageOf(error));
    throw malformed(file.name, line + (await lineOf(piece.path, Number(ordinal))) - 1, 'the line is no JSON object, or its text is not UTF-8');
  }
}

/** A line that is no JSON is NULL; a blank line is none. */
export function objects({ path, widestRowBytes }: Piece): string {
  return `read_ndjson_objects(${quoteText(path)}, ignore_errors = true, compression = 'uncompressed', maximum_object_size = ${Math.max(widestRowBytes + 1, 1 << 20)})`;
}

/** Pieces of whole lines. */
export async function* cutLines(file: SourceFile, folder: string, { segmentBytes }: SegmentLimits): AsyncGenerator<Lines> {
  const pieces = new SegmentFiles(folder, segmentBytes);
  const progress = new FileProgress(file);
  let [line, rowBytes] = [1, 0];
  try {
    for await (const chunk of fileBytes(file, kindOf(file.name, { format: 'ndjson' }).compression, progress.onTaken)) {
      progress.unpacked(chunk.length);
      let [end, rows, widest] = [0, 0, 0];
      for (let found = chunk.indexOf(lineFeed); found >= 0; found = chunk.indexOf(lineFeed, end)) {
        widest = Math.max(widest, found + 1 - end + rowBytes);
        [end, rows, rowBytes] = [found + 1, rows + 1, 0];
      }
      rowBytes += chunk.length - end;
      if (rowBytes > longestLineBytes) throw malformed(file.name, line + rows, `a line of more than ${longestLineBytes / 2 ** 20} MiB begins there`);
      const piece = await pieces.write({ bytes: chunk, end, rows, widest });
      if (!piece) continue;
      yield { piece, file, line, part: progress.cut(piece.sizeBytes) };
      line += piece.rows;
    }
    progress.end();
    const full = rowBytes > 0 ? await pieces.write({ bytes: Buffer.from('\n'), end: 1, rows: 1, widest: rowBytes + 1 }) : null;
    const last = full ?? (await pieces.finish());
    if (last) yield { piece: last, file, line, part: progress.cut(last.sizeBytes) };
  } finally {
    await pieces.close();
  }
}

/** JSON Pointer (RFC 6901). */
function pointer(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** The line of the nth object, blank lines not counted as one. */
async function lineOf(path: string, ordinal: number): Promise<number> {
  let [line, objectsSeen] = [0, 0];
  for await (const text of createInterface({ input: createReadStream(path) })) {
    line += 1;
    if (text.trim() !== '') objectsSeen += 1;
    if (objectsSeen === ordinal) return line;
  }
  return line;
}
