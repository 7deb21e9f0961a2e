import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it } from '@jest/globals';
import type { CommittedLoad, Load, RefusedRow } from '../../../src/model/connector.js';
import type { RejectedRow } from '../../../src/model/dead-letter.js';
import { storeLoadRejects, storeTransformRejects } from '../../../src/pipeline/rejected-rows.js';

const million = 1_000_000;

describe('rejected rows', () => {
  it('of the steps are stored at most 1,000 at a time', async () => {
    expect(await sizesOfTransformBatches(2_500, 1)).toEqual([1_000, 1_000, 500]);
  });

  it('of the steps are stored as soon as their text is 4 MiB long', async () => {
    expect(await sizesOfTransformBatches(12, million)).toEqual([5, 5, 2]);
  });

  it('that the destination refuses are stored as soon as their text is 4 MiB long', async () => {
    const rows = Array.from({ length: 12 }, (_, index): RefusedRow => ({ ...nullKey, position: index, ordinal: index + 1 }));
    const sizes: number[] = [];
    const stored = await storeLoadRejects(loadThatRefuses(rows), 'load', 'orders', remember(sizes), new AbortController().signal);
    expect({ stored, sizes }).toEqual({ stored: 12, sizes: [5, 5, 2] });
  });
});

const nullKey = { code: 'NULL_KEY', message: 'The key is NULL.', row: { id: null, text: 'x'.repeat(million) } } as const;

async function sizesOfTransformBatches(rows: number, textLength: number): Promise<number[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const sizes: number[] = [];
  try {
    await connection.run(`CREATE TABLE rejects AS SELECT 'transform' AS stage, 'VALUE_UNCONVERTIBLE' AS code, 'cast' AS step, i AS pos, 'Not a number' AS message,
      '{"text":"' || repeat('x', ${textLength}) || '"}' AS "row" FROM range(${rows}) AS t(i)`);
    expect(await storeTransformRejects(connection, 'rejects', new Set(['cast']), 'load', remember(sizes))).toBe(rows);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
  return sizes;
}

function remember(sizes: number[]): (rows: readonly RejectedRow[]) => Promise<void> {
  return async (rows) => {
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
    sizes.push(rows.length);
    await Promise.resolve();
  };
}

function loadThatRefuses(rows: readonly RefusedRow[]): Load {
  return {
    stage: () => Promise.resolve(),
    stageErased: () => Promise.resolve(),
    refused: async function* () {
      yield await Promise.resolve(rows);
    },
    commit: () => Promise.reject<CommittedLoad>(new Error('This load is not committed.')),
    abort: () => Promise.resolve(),
  };
}
