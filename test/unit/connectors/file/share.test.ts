import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Segment } from '../../../../src/model/segment.js';
import { makeFolder, never, query, type TestFolder } from './files.js';

let folder: TestFolder;
beforeEach(async () => {
  folder = await makeFolder();
});
afterEach(() => folder.remove());

const rows = 200_000;
const csv = (from: number, to: number) => `id,v\n${Array.from({ length: to - from }, (_, index) => `${from + index},${'v'.repeat(40)}${index}\n`).join('')}`;
const ndjson = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `${JSON.stringify({ id: from + index, v: 'v'.repeat(40) + index })}\n`).join('');
const written: Readonly<Record<string, () => Promise<unknown>>> = {
  'x.csv': () => folder.write('x.csv', csv(0, rows)),
  'x.csv.gz': () => folder.write('x.csv.gz', gzipSync(csv(0, rows))),
  'x.csv.zst': () =>
    query(`COPY (SELECT i AS id, md5(i::VARCHAR) AS v FROM range(${rows}) AS r(i)) TO '${join(folder.data, 'x.csv.zst')}' (FORMAT csv, COMPRESSION zstd)`),
  'x.ndjson': () => folder.write('x.ndjson', ndjson(0, rows)),
  'x.ndjson.gz': () => folder.write('x.ndjson.gz', gzipSync(ndjson(0, rows))),
  'x.parquet': () =>
    query(
      `COPY (SELECT i AS id, repeat('v', 40) || i AS v FROM range(${rows}) AS r(i)) TO '${join(folder.data, 'x.parquet')}' (FORMAT parquet, ROW_GROUP_SIZE 4000)`,
    ),
  'x-*.csv': async () => {
    for (const [index, from] of [0, 50_000, 100_000, 150_000].entries()) await folder.write(`x-${index}.csv`, csv(from, from + 50_000));
  },
};

describe('the share of a stream that its segments tell', () => {
  it.each(Object.keys(written))('rises to 1 and says early how many rows there will be: %s', async (stream) => {
    await written[stream]?.();
    const reading = await folder.session().openReading(never);
    const request = { stream, columns: ['id', 'v'], window: null, keys: null, folder: folder.work, limits: { segmentBytes: 1_500_000 } };
    const segments: Segment[] = [];
    for await (const segment of reading.read(request)) segments.push(segment);
    await reading.close();
    expect(segments.length).toBeGreaterThan(3);
    const shares = segments.map(({ share = Number.NaN }) => share);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
    let read = 0;
    for (const { rows: count, share = 0 } of segments) {
      read += count;
      expect(read / share / rows).toBeGreaterThan(0.8);
      expect(read / share / rows).toBeLessThan(1.25);
    }
    expect(read).toBe(rows);
  });
});
