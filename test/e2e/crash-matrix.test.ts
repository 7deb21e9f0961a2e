import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CrashBench } from './crash/bench.js';
import { wantedCases } from './crash/cases.js';

/**
 * Kills each process of a run at each point of its way, for each way to load: afterwards everything is as if nothing had happened. In
 * every test run a few cases; `npm run test:crash` tries all.
 */
describe('a run from which something is killed', () => {
  let bench: CrashBench;

  beforeAll(async () => {
    bench = await CrashBench.start();
  }, 180_000);
  afterAll(() => bench?.close(), 60_000);

  it.each(wantedCases(process.env))(
    '$number: $point, $victim, $mode',
    async (each) => {
      const { found, undisturbed } = await bench.run(each);
      expect(found).toEqual(undisturbed);
    },
    240_000,
  );
});
