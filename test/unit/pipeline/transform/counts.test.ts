import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { runPass } from '../../../../src/pipeline/execute/run-pass.js';
import { compiledSteps, outputInto, type StepDocument, withDuckDb } from '../step-bench.js';

const types = { id: 'integer', amount: 'text' };
const map = { id: 'shaped', map: { from: 'orders', columns: { id: 'id', amount: 'amount' } } };
const cast = { id: 'typed', cast: { from: 'orders', columns: { amount: 'INTEGER' }, onError: 'reject' } };

/** A segment of three rows that is said to have four, as one cut short by a full disk. */
async function transformShort(steps: readonly StepDocument[]): Promise<unknown> {
  const compiled = await compiledSteps(types, steps);
  return withDuckDb(async (connection, folder) => {
    const path = join(folder, 'short.csv');
    await writeFile(path, '1,1,10\n2,2,x\n3,3,30\n');
    const segment = { path, columns: ['id', 'amount'], rows: 4, sizeBytes: 20, widestRowBytes: 7 };
    await runPass({
      compiled,
      outputs: compiled.outputs.map((output) => outputInto(output, [], 'run/0/1')),
      erases: false,
      read: async function* () {
        yield segment;
      },
      connection,
      folder,
      memoryBytes: 256 * 2 ** 20,
      limits: { rejectedRows: null, rejectedRatio: null },
      store: async () => undefined,
      signal: new AbortController().signal,
      onRead: () => undefined,
      onSteps: () => undefined,
    });
  });
}

describe('a segment that holds fewer rows than were read', () => {
  it.each([
    ['a map', [map], 'Step "shaped" took 4 rows and accounts for 3.'],
    ['a cast that rejects', [cast], 'Input "orders" took 4 rows and accounts for 3.'],
    ['an output that reads it as it is', [], 'took 4 rows and accounts for 3.'],
  ])('fails the run in %s', async (_, steps, message) => {
    await expect(transformShort(steps)).rejects.toMatchObject({ code: 'COUNTS_MISMATCH', message: expect.stringContaining(message) });
  });
});
