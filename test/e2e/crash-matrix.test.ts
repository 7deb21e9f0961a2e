import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CrashBench } from './crash/bench.js';
import { leastAttempts, wantedCases } from './crash/cases.js';

/**
 * Kills each process of a run at each point of its way, for each way to load: afterwards everything is as if nothing had happened. In
 * every test run a few cases; `npm run test:crash` tries all.
 */
describe('a run from which something is killed', () => {
  const cases = wantedCases(process.env);
  const begun = performance.now();
  let passed = 0;
  let bench: CrashBench;

  beforeAll(async () => {
    bench = await CrashBench.start();
  }, 180_000);
  afterAll(async () => {
    await bench?.close();
    if (process.env['CRASH_CASES'] === undefined) return;
    console.log(`${passed} of ${cases.length} cases passed in ${Math.round((performance.now() - begun) / 1_000)} s.`);
  }, 60_000);

  it.each(cases)(
    '$number: $point, $victim, $mode',
    async (each) => {
      const { found, undisturbed, expected, attempts } = await bench.run(each);
      expect(undisturbed).toMatchObject(expected);
      expect(found).toEqual(undisturbed);
      expect(attempts).toBeGreaterThanOrEqual(leastAttempts(each));
      passed += 1;
    },
    240_000,
  );
});
