import type { CsvConfig } from './config.js';
import type { CsvDialect } from './csv-scanner.js';
import { malformed } from './errors.js';
import { asUtf8, fileBytes, type OnTaken } from './file-bytes.js';
import type { SourceFile } from './list-files.js';
import { type Compression, isTabbed } from './stream-name.js';

/** A CSV file opened behind its header. */
export interface OpenedCsv {
  /** In file order; of a file without a header `column1`, `column2`, … Empty: the file is empty. */
  readonly names: readonly string[];
  readonly dialect: CsvDialect;
  /** The rows. */
  readonly bytes: AsyncIterable<Buffer>;
  /** Of the first row, from 1. */
  readonly line: number;
  close(): Promise<void>;
}

interface FirstRow {
  readonly fields: string[];
  readonly end: number;
  readonly lines: number;
}

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);
const longestHeaderBytes = 4 * 2 ** 20;

export function dialectOf(name: string, csv: CsvConfig): CsvDialect {
  return { delimiter: csv.delimiter ?? (isTabbed(name) ? '\t' : ','), quote: csv.quote, escape: csv.escape };
}

/** @throws PlatformError SOURCE_MALFORMED */
export async function openCsv(file: SourceFile, compression: Compression, csv: CsvConfig, onTaken?: OnTaken): Promise<OpenedCsv> {
  const dialect = dialectOf(file.name, csv);
  const source = fileBytes(file, compression, onTaken);
  const iterator = (/^utf-?8$/i.test(csv.encoding) ? source : asUtf8(source, csv.encoding, file.name))[Symbol.asyncIterator]();
  const close = async (): Promise<void> => void (await iterator.return?.());
  try {
    let begun: Buffer = Buffer.alloc(0);
    for (;;) {
      const { value, done } = await iterator.next();
      if (!done) begun = Buffer.concat([begun, value]);
      const text = begun.subarray(0, 3).equals(byteOrderMark) ? begun.subarray(3) : begun;
      const first = firstRow(text, dialect, done === true);
      if (first) {
        const names = csv.header ? namesOf(first.fields, file.name) : first.fields.map((_, index) => `column${index + 1}`);
        const rest = csv.header ? text.subarray(first.end) : text;
        return { names, dialect, bytes: behind(rest, iterator), line: csv.header ? first.lines + 1 : 1, close };
      }
      if (done) return { names: [], dialect, bytes: behind(Buffer.alloc(0), iterator), line: 1, close };
      if (begun.length > longestHeaderBytes)
        throw malformed(file.name, 1, `its first row is longer than ${longestHeaderBytes / 2 ** 20} MiB; a quote may not be closed`);
    }
  } catch (error) {
    await close();
    throw error;
  }
}

async function* behind(first: Buffer, iterator: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (first.length > 0) yield first;
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
}

function namesOf(fields: readonly string[], file: string): string[] {
  const names = fields.map((field, index) => (field.trim() === '' ? `column${index + 1}` : field.trim()));
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name.toLowerCase()))
      throw malformed(file, 1, `its header has "${name}" twice (upper and lower case are one). Give each column a name of its own`);
    seen.add(name.toLowerCase());
  }
  return names;
}

/** The first row that is not empty; null: it has no end yet. Bytes of UTF-8 that are no ASCII are never mistaken for one of the signs. */
function firstRow(bytes: Buffer, dialect: CsvDialect, atEnd: boolean): FirstRow | null {
  const { delimiter, quote } = dialect;
  const text = bytes.toString('latin1');
  const fields: string[] = [];
  let [field, quoted, lines] = ['', false, 0];
  const close = () => {
    fields.push(Buffer.from(field.endsWith('\r') ? field.slice(0, -1) : field, 'latin1').toString('utf8'));
    field = '';
  };
  for (let index = 0; index < text.length; index += 1) {
    const sign = text[index] as string;
    if (sign === '\n') lines += 1;
    if (quoted) {
      if (sign === dialect.escape && (dialect.escape !== quote || text[index + 1] === quote)) {
        index += 1;
        field += text[index] ?? '';
      } else if (sign === quote) quoted = false;
      else field += sign;
    } else if (sign === quote && quote !== '' && field === '') quoted = true;
    else if (sign === delimiter) close();
    else if (sign !== '\n') field += sign;
    else if (fields.length > 0 || field.replace('\r', '') !== '') {
      close();
      return { fields, end: index + 1, lines };
    }
  }
  if (!atEnd || quoted || (fields.length === 0 && field === '')) return null;
  close();
  return { fields, end: text.length, lines };
}
