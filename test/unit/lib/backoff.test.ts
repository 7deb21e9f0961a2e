import { describe, expect, it } from '@jest/globals';
import { backoffMs } from '../../../src/lib/backoff.js';

describe('backoff', () => {
  it.each([
    [0, 999],
    [1, 1_999],
    [2, 3_999],
    [9, 59_999],
    [5_000, 59_999],
  ])('before retry %d waits at most %d ms and at least none', (attempt, longest) => {
    expect(backoffMs(attempt, 1_000, 60_000, () => 1 - 1e-9)).toBe(longest);
    expect(backoffMs(attempt, 1_000, 60_000, () => 0)).toBe(0);
  });

  it('spreads evenly', () => {
    expect([0.25, 0.5, 0.75].map((share) => backoffMs(3, 1_000, 60_000, () => share))).toEqual([2_000, 4_000, 6_000]);
  });

  it.each([-1, 0.5, Number.NaN])('refuses %d retries', (attempt) => {
    expect(() => backoffMs(attempt, 1_000, 60_000)).toThrow(RangeError);
  });
});
