import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { PlatformError } from '../../model/errors.js';
import type { Segment } from '../../model/segment.js';

const quote = 0x22;
const lineFeed = 0x0a;

export interface CutOptions {
  readonly folder: string;
  readonly columns: readonly string[];
  /** A segment is closed at the first row end at or behind this size, in bytes. */
  readonly segmentBytes: number;
  /** Beginning of the files' names, `read` unless given: another one for each read into one folder. */
  readonly name?: string;
}

/**
 * Cuts a CSV byte stream into files that end at row ends: a line feed outside quotes, that is, one before which the count of
 * quote bytes is even. Chunks may end anywhere, also inside quotes. No row is decoded.
 */
export async function* cutSegments(bytes: AsyncIterable<Buffer>, options: CutOptions): AsyncGenerator<Segment> {
  const cutter = new Cutter(options);
  try {
    for await (const chunk of bytes) {
      const segment = await cutter.write(chunk);
      if (segment) yield segment;
    }
    const last = await cutter.finish();
    if (last) yield last;
  } finally {
    await cutter.close();
  }
}

class Cutter {
  private file: FileHandle | null = null;
  private path = '';
  private count = 0;
  private insideQuotes = false;
  private rows = 0;
  private sizeBytes = 0;
  /** Bytes of the row under way that earlier chunks held. */
  private rowBytes = 0;
  private widestRowBytes = 0;

  constructor(private readonly options: CutOptions) {}

  /** At most one segment a chunk: chunks are smaller than segments. */
  async write(chunk: Buffer): Promise<Segment | null> {
    const end = this.scan(chunk);
    if (end === 0 || this.sizeBytes + end < this.options.segmentBytes) {
      await this.append(chunk);
      return null;
    }
    const rest = chunk.subarray(end);
    await this.append(chunk.subarray(0, end));
    const segment = await this.cut();
    if (rest.length > 0) await this.append(rest);
    return segment;
  }

  async finish(): Promise<Segment | null> {
    if (this.insideQuotes || this.rowBytes > 0)
      throw new PlatformError('SOURCE_MALFORMED', 'The source ended in the middle of a row. Start the run again.', { retryable: true });
    return this.rows > 0 ? this.cut() : null;
  }

  async close(): Promise<void> {
    await this.file?.close();
    this.file = null;
  }

  /** Counts rows and widths; returns the index behind the last row end, 0 when the chunk has none. */
  private scan(chunk: Buffer): number {
    let inside = this.insideQuotes;
    let start = -this.rowBytes;
    let end = 0;
    let { rows, widestRowBytes } = this;
    for (let index = 0; index < chunk.length; index += 1) {
      const byte = chunk[index];
      if (byte === quote) inside = !inside;
      else if (byte === lineFeed && !inside) {
        end = index + 1;
        rows += 1;
        if (end - start > widestRowBytes) widestRowBytes = end - start;
        start = end;
      }
    }
    this.insideQuotes = inside;
    this.rows = rows;
    this.widestRowBytes = widestRowBytes;
    this.rowBytes = chunk.length - start;
    return end;
  }

  private async append(bytes: Buffer): Promise<void> {
    if (!this.file) {
      this.count += 1;
      this.path = join(this.options.folder, `${this.options.name ?? 'read'}-${this.count}.csv`);
      this.file = await open(this.path, 'wx', 0o600);
    }
    await this.file.appendFile(bytes);
    this.sizeBytes += bytes.length;
  }

  private async cut(): Promise<Segment> {
    await this.close();
    const segment = { path: this.path, columns: this.options.columns, rows: this.rows, sizeBytes: this.sizeBytes, widestRowBytes: this.widestRowBytes };
    this.rows = 0;
    this.sizeBytes = 0;
    this.widestRowBytes = 0;
    return segment;
  }
}
