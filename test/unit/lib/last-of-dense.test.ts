import { describe, expect, it } from '@jest/globals';
import { lastOfDense } from '../../../src/lib/last-of-dense.js';

describe('the last number of a sequence without gaps', () => {
  it.each([-1, 0, 1, 2, 3, 4, 31, 32, 33, 1_000, 99_999, 123_456_789])('is found when it is %p', async (last) => {
    let questions = 0;
    const found = await lastOfDense(0, async (candidates) => {
      questions += 1;
      expect(candidates.length).toBeLessThanOrEqual(64);
      return candidates.filter((candidate) => candidate <= last).reverse();
    });
    expect(found).toBe(last);
    expect(questions).toBeLessThanOrEqual(8);
  });

  it('is found from a number that is known to be in it', async () => {
    expect(await lastOfDense(70, async (candidates) => candidates.filter((candidate) => candidate <= 75))).toBe(75);
  });
});
