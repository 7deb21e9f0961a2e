import { isUtf8 } from 'node:buffer';

const longestCharacter = 4;

/** Looks whether a stream of chunks is UTF-8; a character may be cut by the end of a chunk. */
export class Utf8Check {
  private rest: Buffer = Buffer.alloc(0);

  /** False when a byte of this chunk, or of what was left of the one before, cannot be UTF-8. */
  accepts(chunk: Buffer): boolean {
    let start = 0;
    if (this.rest.length > 0) {
      // The character under way is completed by the bytes that continue it.
      while (start < chunk.length && start < longestCharacter && ((chunk[start] ?? 0) & 0xc0) === 0x80) start += 1;
      const character = Buffer.concat([this.rest, chunk.subarray(0, start)]);
      if (start === chunk.length && isBegun(character)) {
        this.rest = character;
        return true;
      }
      if (!isUtf8(character)) return false;
    }
    const end = chunk.length - begunBytes(chunk);
    this.rest = Buffer.from(chunk.subarray(Math.max(end, start)));
    return end <= start || isUtf8(chunk.subarray(start, end));
  }

  /** False when the last character was never completed. */
  ends(): boolean {
    return this.rest.length === 0;
  }
}

/** How many bytes at the end begin a character that is not whole. */
function begunBytes(chunk: Buffer): number {
  for (let length = 1; length < longestCharacter && length <= chunk.length; length += 1) {
    const byte = chunk[chunk.length - length] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    return isBegun(chunk.subarray(chunk.length - length)) ? length : 0;
  }
  return 0;
}

function isBegun(bytes: Buffer): boolean {
  const first = bytes[0] ?? 0;
  const needed = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return bytes.length < needed;
}
