import { constants, type FileHandle, open, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Decompress } from 'fzstd';
import { PlatformError } from '../../model/errors.js';
import { malformed, messageOf, toFileError } from './errors.js';
import { markOf, type SourceFile } from './list-files.js';
import type { Compression } from './stream-name.js';

const chunkBytes = 1 << 18;
/** A few bytes can stand for very many: what one push may unfold to is bounded by pushing few. */
const compressedChunkBytes = 1 << 12;

/** Told how many bytes of the file what comes next was made of, in pieces. */
export type OnTaken = (bytes: number) => void;

const notTaken: OnTaken = () => undefined;

/**
 * The content of a file, decompressed. A chunk is the caller's own.
 *
 * @throws PlatformError SOURCE_FAILED (retryable) when it is not the file that was found, before or behind reading; SOURCE_MALFORMED
 *   when it is not compressed as its name says, or cut off
 */
export function fileBytes(file: SourceFile, compression: Compression, onTaken: OnTaken = notTaken): AsyncIterable<Buffer> {
  if (compression === 'gzip') return gunzipped(file, onTaken);
  return compression === 'zstd' ? unzstd(file, onTaken) : rawBytes(file, onTaken);
}

async function* rawBytes(file: SourceFile, onTaken: OnTaken): AsyncGenerator<Buffer> {
  let handle: FileHandle;
  try {
    handle = await open(file.path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    throw toFileError(error, 'read', file.name);
  }
  try {
    assertUnchanged(file, await handle.stat({ bigint: true }));
    for (;;) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes);
      if (bytesRead === 0) break;
      onTaken(bytesRead);
      yield buffer.subarray(0, bytesRead);
    }
    assertUnchanged(file, await handle.stat({ bigint: true }));
    await assertStillThere(file);
  } finally {
    await handle.close();
  }
}

/** Another file may have been put in its place. */
export async function assertStillThere(file: SourceFile): Promise<void> {
  const found = await stat(file.path, { bigint: true }).catch((error: unknown) => {
    throw toFileError(error, 'read', file.name);
  });
  assertUnchanged(file, found);
}

function assertUnchanged(file: SourceFile, found: Parameters<typeof markOf>[0]): void {
  if (markOf(found) === file.mark) return;
  throw new PlatformError(
    'SOURCE_FAILED',
    `${file.name} was changed while it was read. Let files be put in their place whole (write beside, then rename), and start the run again.`,
    { retryable: true },
  );
}

async function* gunzipped(file: SourceFile, onTaken: OnTaken): AsyncGenerator<Buffer> {
  // The source's own error is what the iteration of the last stream fails with.
  const unzipped = pipeline(rawBytes(file, notTaken), createGunzip({ chunkSize: chunkBytes }), () => undefined);
  let taken = 0;
  try {
    for await (const chunk of unzipped) {
      onTaken(unzipped.bytesWritten - taken);
      taken = unzipped.bytesWritten;
      yield chunk as Buffer;
    }
  } catch (error) {
    throw notCompressed(file, error, 'gzip');
  } finally {
    unzipped.destroy();
  }
}

async function* unzstd(file: SourceFile, onTaken: OnTaken): AsyncGenerator<Buffer> {
  const unfolded: Buffer[] = [];
  const decompress = new Decompress((chunk) => unfolded.push(Buffer.from(chunk)));
  try {
    for await (const chunk of rawBytes(file, notTaken)) {
      for (let start = 0; start < chunk.length; start += compressedChunkBytes) {
        const compressed = chunk.subarray(start, start + compressedChunkBytes);
        decompress.push(compressed);
        onTaken(compressed.length);
        yield* unfolded.splice(0);
      }
    }
    decompress.push(new Uint8Array(0), true);
    yield* unfolded;
  } catch (error) {
    throw notCompressed(file, error, 'zstd');
  }
}

function notCompressed(file: SourceFile, error: unknown, compression: string): PlatformError {
  if (error instanceof PlatformError) return error;
  return malformed(file.name, null, `it cannot be unpacked as ${compression}: ${messageOf(error)}. Put the whole file there`);
}

/** The same text in UTF-8. @throws PlatformError SOURCE_MALFORMED where a byte means nothing in that encoding */
export async function* asUtf8(bytes: AsyncIterable<Buffer>, encoding: string, name: string): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const decode = (chunk: Buffer | undefined): Buffer => {
    try {
      return Buffer.from(decoder.decode(chunk, { stream: chunk !== undefined }));
    } catch (error) {
      throw malformed(name, null, `its text is not ${encoding}: ${messageOf(error)}. Set "encoding" in the connection's "csv"`);
    }
  };
  for await (const chunk of bytes) yield decode(chunk);
  yield decode(undefined);
}
