import { isUtf8 } from 'node:buffer';
import { malformed } from './errors.js';
import { Utf8Check } from './utf8-check.js';

/** The dialect of one file. */
export interface CsvDialect {
  readonly delimiter: string;
  readonly quote: string;
  readonly escape: string;
}

/** Whole rows and the beginning of the next one. */
export interface ScannedChunk {
  readonly bytes: Buffer;
  /** Index behind the last row end; 0: none. */
  readonly end: number;
  readonly rows: number;
  /** In bytes, of the rows that end here. */
  readonly widest: number;
}

const lineFeed = 0x0a;
const longestRowBytes = 64 * 2 ** 20;

const ordinary = 0;
const isLineFeed = 1;
const isReturn = 2;
const isDelimiter = 3;
const isQuote = 4;
const isEscape = 5;

const fieldStart = 0;
const unquoted = 1;
const quoted = 2;
const behindQuote = 3;
const escaped = 4;
const behindReturn = 5;

/**
 * Follows the bytes of a CSV file by the rules of its dialect: finds row ends, counts fields, looks at quotes and UTF-8, and refuses
 * what breaks the rules, naming the line. No row is decoded. What comes out ends each row by LF alone and has no empty line
 * (but in a file of one column, where it is a row with NULL).
 */
export class CsvScanner {
  private readonly kinds = new Uint8Array(256);
  private readonly utf8 = new Utf8Check();
  private state = fieldStart;
  private fieldsSeen = 1;
  private rowBytes = 0;
  private rowLine: number;
  private readonly doubled: boolean;

  /** @param line  of the first byte, from 1 */
  constructor(
    dialect: CsvDialect,
    private readonly fields: number,
    private readonly file: string,
    private line: number,
  ) {
    this.rowLine = line;
    const { delimiter, quote } = dialect;
    this.doubled = dialect.escape === quote;
    if (dialect.escape !== '') this.kinds[dialect.escape.charCodeAt(0)] = isEscape;
    if (quote !== '') this.kinds[quote.charCodeAt(0)] = isQuote;
    this.kinds[delimiter.charCodeAt(0)] = isDelimiter;
    this.kinds[lineFeed] = isLineFeed;
    this.kinds[0x0d] = isReturn;
  }

  /** The chunk is changed in place. */
  scan(chunk: Buffer): ScannedChunk {
    if (!this.utf8.accepts(chunk)) throw malformed(this.file, this.lineOfBadText(chunk), 'its text is not UTF-8. Set "encoding" in the connection\'s "csv"');
    const { kinds } = this;
    let [state, kept, from, start, end, rows, widest] = [this.state, 0, 0, -this.rowBytes, 0, 0, 0];
    for (let index = 0; index < chunk.length; index += 1) {
      const kind = kinds[chunk[index] as number] as number;
      if (kind === ordinary && (state === unquoted || state === quoted)) continue;
      const before = state;
      state = this.next(state, kind);
      if (kind === isReturn && state === behindReturn) {
        kept = keep(chunk, from, index, kept);
        from = index + 1;
      } else if (kind === isLineFeed && before !== quoted && state === fieldStart) {
        const isEmpty = this.fieldsSeen === 1 && before !== behindQuote && kept + index - from - start === 0;
        if (isEmpty && this.fields > 1) {
          kept = keep(chunk, from, index, kept);
          from = index + 1;
        } else {
          this.countFields();
          end = kept + index + 1 - from;
          rows += 1;
          if (end - start > widest) widest = end - start;
          start = end;
        }
        this.fieldsSeen = 1;
        this.rowLine = this.line;
      }
    }
    const length = keep(chunk, from, chunk.length, kept);
    this.state = state;
    this.rowBytes = length - start;
    if (this.rowBytes > longestRowBytes)
      throw malformed(this.file, this.rowLine, `a row of more than ${longestRowBytes / 2 ** 20} MiB begins there; a quote may not be closed`);
    return { bytes: chunk.subarray(0, length), end, rows, widest };
  }

  /** The end of the last row when the file does not have it. */
  finish(): ScannedChunk | null {
    if (!this.utf8.ends()) throw malformed(this.file, this.line, 'it ends within a character');
    if (this.state === quoted || this.state === escaped) throw malformed(this.file, this.rowLine, 'a quote is opened there and never closed');
    if (this.rowBytes === 0 && this.state !== behindReturn) return null;
    if (this.rowBytes === 0 && this.fields > 1) return null;
    this.countFields();
    return { bytes: Buffer.from('\n'), end: 1, rows: 1, widest: this.rowBytes + 1 };
  }

  private next(state: number, kind: number): number {
    if (kind === isLineFeed) this.line += 1;
    if (state === quoted) return this.nextQuoted(kind);
    if (state === escaped) return quoted;
    if (kind === isLineFeed) return fieldStart;
    if (state === behindReturn) throw malformed(this.file, this.line, 'a carriage return stands in a field that is not quoted');
    if (kind === isReturn) return behindReturn;
    if (kind === isDelimiter) {
      this.fieldsSeen += 1;
      return fieldStart;
    }
    if (state === behindQuote) return this.nextBehindQuote(kind);
    if (kind !== isQuote) return unquoted;
    if (state === fieldStart) return quoted;
    throw malformed(
      this.file,
      this.line,
      'a quote stands in a field that does not begin with one. Set "quote" in the connection\'s "csv" (empty: nothing is quoted)',
    );
  }

  private nextQuoted(kind: number): number {
    if (kind === isQuote) return behindQuote;
    return kind === isEscape ? escaped : quoted;
  }

  private nextBehindQuote(kind: number): number {
    if (kind === isQuote && this.doubled) return quoted;
    throw malformed(this.file, this.line, 'behind a closing quote stands neither the delimiter nor the end of the row');
  }

  private countFields(): void {
    if (this.fieldsSeen === this.fields) return;
    throw malformed(this.file, this.rowLine, `the row has ${this.fieldsSeen} ${this.fieldsSeen === 1 ? 'field' : 'fields'} where ${this.fields} are expected`);
  }

  /** Of the first line in the chunk that is not UTF-8; the chunk's own first line when it is none of the others. */
  private lineOfBadText(chunk: Buffer): number {
    let line = this.line;
    for (let start = chunk.indexOf(lineFeed) + 1; start > 0; ) {
      line += 1;
      const end = chunk.indexOf(lineFeed, start);
      if (end < 0) return isUtf8(chunk.subarray(start)) ? this.line : line;
      if (!isUtf8(chunk.subarray(start, end))) return line;
      start = end + 1;
    }
    return this.line;
  }
}

/** Moves what is kept to the front; returns how many bytes are kept now. */
function keep(chunk: Buffer, from: number, to: number, kept: number): number {
  if (from !== kept) chunk.copyWithin(kept, from, to);
  return kept + to - from;
}
