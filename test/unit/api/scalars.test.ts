import { describe, expect, it } from '@jest/globals';
import { parseValue } from 'graphql';
import { DateTimeScalar, JsonScalar } from '../../../src/api/scalars.js';

describe('DateTime', () => {
  it.each([
    ['2026-01-31T22:00:00Z', '2026-01-31T22:00:00Z'],
    ['2026-01-31T22:00:00.123456Z', '2026-01-31T22:00:00.123456Z'],
    ['2026-02-01T00:00:00.1+02:00', '2026-01-31T22:00:00.1Z'],
    ['2026-01-31t22:00:00z', '2026-01-31T22:00:00Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00Z'],
  ])('takes %s as %s', (text, expected) => {
    expect(DateTimeScalar.parseValue(text)).toBe(expected);
    expect(DateTimeScalar.parseLiteral(parseValue(JSON.stringify(text)))).toBe(expected);
    expect(DateTimeScalar.serialize(text)).toBe(expected);
  });

  it.each([
    '2026-02-30T00:00:00Z',
    '2026-01-31',
    '2026-01-31T22:00:00',
    '2026-01-31T25:00:00Z',
    '2026-01-31T22:00:00.1234567Z',
    '2026-01-31T22:00:00+99:00',
    'now',
    '',
    5,
    null,
    {},
  ])('refuses %p', (value) => {
    expect(() => DateTimeScalar.parseValue(value)).toThrow(/DateTime must be an RFC 3339 time/);
  });
});

describe('JSON', () => {
  it('reads literals with variables in them', () => {
    const literal = parseValue('{a: [1, 2.5, "x", true, null, RED], __proto__: {b: 1}}');
    const value = JsonScalar.parseLiteral(literal) as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(['a', '__proto__']);
    expect(value['a']).toEqual([1, 2.5, 'x', true, null, 'RED']);
    expect(({} as Record<string, unknown>)['b']).toBeUndefined();
  });
});
