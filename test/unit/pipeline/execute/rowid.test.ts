import { describe, expect, it } from '@jest/globals';
import { runDocument } from '../pass-bench.js';

const rows = { o: Array.from({ length: 30 }, (_, index) => [String(((index * 7) % 30) + 1000), String(index % 5)]) };
describe('a column named rowid', () => {
  for (const [name, sizes] of [
    ['held', undefined],
    ['in files', { bufferBytes: 200, partBytes: 300, streamBytes: 0, parts: 3 }],
  ] as const)
    it(`goes through a dedupe, ${name}`, async () => {
      const document = { inputs: { o: { rowid: 'integer', k: 'integer' } }, steps: [{ id: 'd', dedupe: { from: 'o', key: ['rowid'] } }] };
      const run = await runDocument(document, rows, sizes ? { sizes } : {});
      expect(run.rows.map(([id]) => id).sort()).toEqual(rows.o.map(([id]) => id).sort());
    });
});
