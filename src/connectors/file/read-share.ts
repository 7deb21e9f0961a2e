import type { SourceFile } from './list-files.js';

/** How far files that are read one after the other have been read, by their bytes on the disk. */
export class ReadShare {
  private readonly totalBytes: number;
  /** Of the files before this one. */
  private doneBytes = 0;

  constructor(files: readonly SourceFile[]) {
    this.totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  /** @param part  of this file, in (0, 1] @returns of all files, in (0, 1] */
  within({ sizeBytes }: SourceFile, part: number): number {
    return Math.min(1, (this.doneBytes + sizeBytes * part) / this.totalBytes);
  }

  next({ sizeBytes }: SourceFile): void {
    this.doneBytes += sizeBytes;
  }
}

/** How far one file has been read that is cut into pieces while it is unpacked: what has been unpacked is more than what has been cut. */
export class FileProgress {
  private takenBytes = 0;
  private unpackedBytes = 0;
  private cutBytes = 0;

  constructor(private readonly file: SourceFile) {}

  readonly onTaken = (bytes: number): void => {
    this.takenBytes += bytes;
  };

  /** All of it has been unpacked. */
  end(): void {
    this.takenBytes = this.file.sizeBytes;
  }

  unpacked(bytes: number): void {
    this.unpackedBytes += bytes;
  }

  /** @returns the part of the file that ends with this piece, in (0, 1] */
  cut(bytes: number): number {
    this.cutBytes += bytes;
    return Math.min(1, this.cutBytes / this.unpackedBytes) * Math.min(1, this.takenBytes / this.file.sizeBytes);
  }
}
