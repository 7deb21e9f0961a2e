import { describe, expect, it } from '@jest/globals';
import { tableLines, withCommas } from '../../../src/cli/table.js';

describe('tableLines', () => {
  it('makes each column as wide as its widest cell', () => {
    const columns = [
      { title: 'Pipeline', align: 'left' },
      { title: 'Read', align: 'right' },
    ] as const;
    expect(
      tableLines(columns, [
        ['shop/orders', '200,000'],
        ['a', '1'],
      ]),
    ).toEqual(['Pipeline        Read', 'shop/orders  200,000', 'a                  1']);
  });
});

describe('withCommas', () => {
  it('groups thousands', () => {
    expect([withCommas(0), withCommas(999), withCommas(1_234_567.4)]).toEqual(['0', '999', '1,234,567']);
  });
});
