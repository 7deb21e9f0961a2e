import { describe, expect, it } from '@jest/globals';
import { exceededBudget } from '../../../../src/pipeline/execute/rejected-table.js';

describe('the budget of rejected rows', () => {
  it.each([
    ['allows any number without a limit', null, null, 1_000_000, 1_000_000],
    ['allows none where there is none', 0, 0, 0, 5_000],
    ['allows fewer than maxRows', 5, null, 4, 10],
    ['allows exactly maxRows', 5, null, 5, 10],
    ['does not look at the ratio below 1,000 rows read', null, 0.01, 999, 999],
    ['allows less than maxRatio', null, 0.01, 9, 1_000],
    ['allows exactly maxRatio', null, 0.01, 10, 1_000],
    ['allows all of the rows by a ratio of 1', null, 1, 2_000, 2_000],
    ['allows what neither limit forbids', 20, 0.01, 20, 2_000],
  ])('%s', (_, rejectedRows, rejectedRatio, rejected, read) => {
    expect(exceededBudget({ rejectedRows, rejectedRatio }, rejected, read)).toBeNull();
  });

  it.each([
    ['one row more than maxRows', 5, null, 6, 10, 'Of 10 rows read, 6 were rejected, which is more than limits.rejected.maxRows (5) allows'],
    ['one row where none may be', 0, null, 1, 1, 'Of 1 rows read, 1 were rejected, which is more than limits.rejected.maxRows (0) allows'],
    ['one row more than maxRatio', null, 0.01, 11, 1_000, 'Of 1000 rows read, 11 were rejected, which is more than limits.rejected.maxRatio (0.01) allows'],
    ['one row in 1,000 by a ratio of 0', null, 0, 1, 1_000, 'Of 1000 rows read, 1 were rejected, which is more than limits.rejected.maxRatio (0) allows'],
    ['maxRows, whatever the ratio allows', 5, 0.5, 6, 1_000, 'Of 1000 rows read, 6 were rejected, which is more than limits.rejected.maxRows (5) allows'],
    [
      'maxRatio, whatever maxRows allows',
      50,
      0.01,
      21,
      2_000,
      'Of 2000 rows read, 21 were rejected, which is more than limits.rejected.maxRatio (0.01) allows',
    ],
  ])('is exceeded by %s', (_, rejectedRows, rejectedRatio, rejected, read, sentence) => {
    expect(exceededBudget({ rejectedRows, rejectedRatio }, rejected, read)).toBe(sentence);
  });
});
