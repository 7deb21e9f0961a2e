import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Transformer } from '../../../../src/pipeline/transform/transformer.js';
import { compiledSteps, type StepDocument, withDuckDb } from '../step-bench.js';

const types = { id: 'integer', amount: 'text' };
const map = { id: 'shaped', map: { from: 'orders', columns: { id: 'id', amount: 'amount' } } };
const cast = { id: 'typed', cast: { from: 'orders', columns: { amount: 'INTEGER' }, onError: 'reject' } };

/** A segment of three rows that is said to have four, as one cut short by a full disk. */
async function transformShort(steps: readonly StepDocument[]): Promise<unknown> {
  const compiled = await compiledSteps(types, steps);
  const [input] = compiled.inputs;
  if (!input) throw new Error('The pipeline has an input.');
  return withDuckDb(async (connection, folder) => {
    const path = join(folder, 'short.csv');
    await writeFile(path, '1,1,10\n2,2,x\n3,3,30\n');
    const transformer = new Transformer(connection, input, compiled, folder);
    await transformer.prepare();
    const segment = { path, columns: ['id', 'amount'], rows: 4, sizeBytes: 20, widestRowBytes: 7 };
    return transformer.transform(segment, new AbortController().signal);
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
