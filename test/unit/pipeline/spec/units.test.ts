import { describe, expect, it } from '@jest/globals';
import { parseDuration, parseMemory } from '../../../../src/pipeline/spec/units.js';

describe('units', () => {
  it.each([
    ['512MiB', 536_870_912],
    ['1 GiB', 1_073_741_824],
    ['200MB', 200_000_000],
    ['0KiB', 0],
    ['512', null],
    ['1.5GiB', null],
    ['-1GiB', null],
    ['512mib', null],
    ['', null],
    ['9999999999GiB', null],
  ])('the size %j is %j bytes', (text, bytes) => {
    expect(parseMemory(text)).toBe(bytes);
  });

  it.each([
    ['PT2H', 7_200_000],
    ['PT1.5S', 1_500],
    ['P1W', 604_800_000],
    ['P1DT1M', 86_460_000],
    ['P', null],
    ['PT', null],
    ['P1DT', null],
    ['P1M', null],
    ['P1Y', null],
    ['-PT1H', null],
    ['2h', null],
    ['PT1,5S', null],
    ['', null],
  ])('the duration %j is %j ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });
});
