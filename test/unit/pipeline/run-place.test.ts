import { describe, expect, it } from '@jest/globals';
import { RunPlaceMark } from '../../../src/pipeline/run-place.js';

describe('the rows that a run expects', () => {
  it('are those of all its inputs, once each of them has said something', () => {
    const mark = new RunPlaceMark();
    mark.expect(
      new Map([
        ['orders', 1_000],
        ['files', null],
      ]),
    );
    expect(mark.place.rowsExpected).toBeNull();
    mark.told('files', 50, 0.25);
    expect(mark.place.rowsExpected).toBe(1_200);
    mark.told('files', 180, 0.5);
    expect(mark.place.rowsExpected).toBe(1_360);
    mark.at('transforming', 'joined');
    expect(mark.place).toEqual({ stage: 'transforming', step: 'joined', rowsExpected: 1_360 });
  });

  it('are not known where later passes will read more', () => {
    const mark = new RunPlaceMark();
    mark.expect(new Map());
    mark.told('files', 50, 0.25);
    expect(mark.place.rowsExpected).toBeNull();
  });
});
