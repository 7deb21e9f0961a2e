import { describe, expect, it } from '@jest/globals';
import { checkParams, paramTexts } from '../../../src/services/run-params.js';

const specs = {
  since: { type: 'DATE' },
  rate: { type: 'DECIMAL(12, 2)', default: '1.10' },
  strict: { type: 'boolean', default: 'false' },
  region: { type: 'VARCHAR', default: null },
};

describe('the params that a run is started with', () => {
  it('are taken as they were given, and texts are made of them, defaults filled in', () => {
    const given = checkParams(specs, { since: '2026-01-31', rate: 0.1, strict: true });
    expect(given).toEqual({ since: '2026-01-31', rate: 0.1, strict: true });
    expect(paramTexts(specs, given)).toEqual({ since: '2026-01-31', rate: '0.1', strict: 'true', region: null });
    expect(paramTexts(specs, { since: null })).toEqual({ since: null, rate: '1.10', strict: 'false', region: null });
  });

  it('may be left out where they have a default', () => {
    expect(checkParams({ rate: specs.rate }, null)).toBeNull();
    expect(checkParams({}, {})).toBeNull();
    expect(paramTexts({ rate: specs.rate }, null)).toEqual({ rate: '1.10' });
  });

  it('keep every digit of a number that is written as a string', () => {
    expect(paramTexts({ id: { type: 'HUGEINT' } }, checkParams({ id: { type: 'HUGEINT' } }, { id: '123456789012345678901234567890' }))).toEqual({
      id: '123456789012345678901234567890',
    });
  });

  it.each([
    [{ since: '2026-01-01', until: 1 }, /no param "until"; it has "since", "rate", "strict", "region"/],
    [{}, /"since" \(DATE\) has no default/],
    [{ since: 20260131 }, /"since" is of type DATE, so that its value must be a string; it is a number/],
    [{ since: 'x', rate: true }, /"rate" is of type DECIMAL\(12, 2\).* a number, or a string that holds one; it is true or false/],
    [{ since: 'x', strict: 'true' }, /"strict" is of type boolean, so that its value must be true or false; it is a string/],
    [{ since: 'x', region: ['a'] }, /"region".*a list/],
    [{ since: 'x', region: {} }, /"region".*an object/],
    [{ since: 'x', rate: 2 ** 60 }, /more digits than a JSON number keeps/],
    [['2026'], /`params` is a list; it must be an object/],
    ['since', /`params` is a string/],
    [JSON.parse('{"__proto__": 1}'), /no param "__proto__"/],
    [{ since: 'x'.repeat(100_001) }, /longer than 100000 characters/],
  ])('%# are refused by name', (given, message) => {
    expect(() => checkParams(specs, given)).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT', message: expect.stringMatching(message) }));
  });
});
