import { randomBytes } from 'node:crypto';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ScannedChunk } from './csv-scanner.js';

/** A piece of a stream: a file of whole rows. */
export interface Piece {
  readonly path: string;
  readonly rows: number;
  readonly sizeBytes: number;
  readonly widestRowBytes: number;
}

/** Writes whole rows into files of about one size. */
export class SegmentFiles {
  private readonly prefix = `file-${randomBytes(6).toString('hex')}`;
  private file: FileHandle | null = null;
  private path = '';
  private count = 0;
  private rows = 0;
  private sizeBytes = 0;
  private widest = 0;

  constructor(
    private readonly folder: string,
    private readonly segmentBytes: number,
  ) {}

  /** A path for the next file. */
  next(extension: string): string {
    this.count += 1;
    return join(this.folder, `${this.prefix}-${this.count}.${extension}`);
  }

  /** A piece when it is full. At most one a chunk: chunks are smaller than segments. */
  async write({ bytes, end, rows, widest }: ScannedChunk): Promise<Piece | null> {
    this.rows += rows;
    this.widest = Math.max(this.widest, widest);
    if (end === 0 || this.sizeBytes + end < this.segmentBytes) {
      await this.append(bytes);
      return null;
    }
    await this.append(bytes.subarray(0, end));
    const piece = await this.cut();
    await this.append(bytes.subarray(end));
    return piece;
  }

  /** What is left; null: nothing. */
  async finish(): Promise<Piece | null> {
    return this.rows > 0 ? this.cut() : null;
  }

  async close(): Promise<void> {
    await this.file?.close();
    this.file = null;
  }

  private async append(bytes: Buffer): Promise<void> {
    if (bytes.length === 0) return;
    if (!this.file) {
      this.path = this.next('csv');
      this.file = await open(this.path, 'wx', 0o600);
    }
    await this.file.appendFile(bytes);
    this.sizeBytes += bytes.length;
  }

  private async cut(): Promise<Piece | null> {
    await this.close();
    const piece = { path: this.path, rows: this.rows, sizeBytes: this.sizeBytes, widestRowBytes: this.widest };
    [this.rows, this.sizeBytes, this.widest] = [0, 0, 0];
    return piece;
  }
}

/** A piece that DuckDB has written: its widest row is not known, and not wider than the file. */
export async function writtenPiece(path: string, rows: number): Promise<Piece> {
  const { size } = await stat(path);
  return { path, rows, sizeBytes: size, widestRowBytes: size };
}
