import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cutSegments } from '../../../src/connectors/postgres/cut-segments.js';
import { formatCsv, parseCsv, type TextRow } from '../pipeline/csv.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-cut-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Cut {
  readonly text: string;
  readonly rows: number;
  readonly sizeBytes: number;
  readonly widestRowBytes: number;
}

async function* chunksOf(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  for (let start = 0, turn = 0; start < bytes.length; turn += 1) {
    const size = Math.max(sizes[turn % sizes.length] ?? 1, 1);
    yield bytes.subarray(start, start + size);
    start += size;
  }
}

async function cut(csv: string, chunkSizes: readonly number[], segmentBytes: number): Promise<Cut[]> {
  const segments: Cut[] = [];
  for await (const { path, ...segment } of cutSegments(chunksOf(Buffer.from(csv), chunkSizes), { folder, columns: ['a', 'b'], segmentBytes })) {
    expect(segment.columns).toEqual(['a', 'b']);
    segments.push({ ...segment, text: await readFile(path, 'utf8') });
    await rm(path);
  }
  return segments;
}

const cell = fc.option(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('"', '\n', ',', '\r', '\\', 'a', 'é', '\u2028') })));
const rowsOf = fc.array(
  fc.tuple(cell, cell).map((cells): TextRow => cells),
  { maxLength: 30 },
);

describe('cutSegments', () => {
  it('cuts at row ends only and loses nothing, whatever the rows, the chunks and the size', async () => {
    await fc.assert(
      fc.asyncProperty(
        rowsOf,
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 200 }),
        async (rows, chunkSizes, segmentBytes) => {
          const csv = formatCsv(rows);
          const segments = await cut(csv, chunkSizes, segmentBytes);
          expect(segments.map(({ text }) => text).join('')).toBe(csv);
          for (const { text, rows: count, sizeBytes, widestRowBytes } of segments) {
            const parsed = parseCsv(text);
            expect(parsed).toHaveLength(count);
            expect(count).toBeGreaterThan(0);
            expect(sizeBytes).toBe(Buffer.byteLength(text));
            expect(formatCsv(parsed)).toBe(text);
            expect(widestRowBytes).toBe(Math.max(...parsed.map((row) => Buffer.byteLength(formatCsv([row])))));
          }
          // Every segment but the last has the size that was asked for.
          for (const { sizeBytes } of segments.slice(0, -1)) expect(sizeBytes).toBeGreaterThanOrEqual(segmentBytes);
          expect(segments.flatMap(({ text }) => parseCsv(text))).toEqual(rows);
          expect(await readdir(folder)).toEqual([]);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('closes a segment at the last row end of the chunk that fills it', async () => {
    const row = `"${'x'.repeat(7)}"\n`;
    expect((await cut(row.repeat(10), [25], 20)).map(({ rows }) => rows)).toEqual([2, 3, 2, 3]);
  });

  it('makes no segment of nothing', async () => {
    expect(await cut('', [10], 10)).toEqual([]);
  });

  it.each([
    ['in a row', 'a,b\nc'],
    ['in quotes', 'a,b\n"c\n'],
    ['behind quotes', 'a,b\n"c"'],
  ])('refuses a source that ends %s', async (_, csv) => {
    await expect(cut(csv, [3], 1_000)).rejects.toMatchObject({ code: 'SOURCE_MALFORMED', retryable: true });
  });

  it('hands on the error of the source and closes its file', async () => {
    async function* failing(): AsyncGenerator<Buffer> {
      yield Buffer.from('a,b\n');
      throw new Error('the source is gone');
    }
    const read = async () => {
      for await (const _ of cutSegments(failing(), { folder, columns: ['a', 'b'], segmentBytes: 1_000 }));
    };
    await expect(read()).rejects.toThrow('the source is gone');
  });
});
