import { describe, expect, it } from '@jest/globals';
import { readArguments } from '../../../src/config/arguments.js';

describe('readArguments', () => {
  it.each([
    [[], 'all'],
    [['--only', 'api'], 'api'],
    [['--only', 'worker'], 'worker'],
    [['--only=worker'], 'worker'],
  ])('reads %j as the role %s', (given, role) => {
    expect(readArguments(given)).toEqual({ role });
  });

  it.each([
    [['--onyl', 'api'], 'There is no argument "--onyl".'],
    [['worker'], 'There is no argument "worker".'],
    [['--only'], '--only must be followed by api or worker.'],
    [['--only', 'all'], '--only must be followed by api or worker, not "all".'],
    [['--only', 'api', '--only', 'worker'], 'There is an argument too many: "--only".'],
  ])('refuses %j', (given, problem) => {
    expect(readArguments(given)).toEqual({ problem });
  });

  it('knows the question for help', () => {
    expect(readArguments(['--help'])).toBe('help');
  });
});
