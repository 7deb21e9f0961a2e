import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CrashLoop, countsOf, killsOf } from './crash/loop.js';

/**
 * Pipelines run one after the other while rows come and anything is killed at random times: in every test run a few times, with
 * `npm run test:kill` a hundred times in ten minutes. CRASH_SEED repeats a sequence.
 */
describe('pipelines that run while processes are killed at random', () => {
  const kills = killsOf(process.env);
  let loop: CrashLoop;

  beforeAll(async () => {
    loop = await CrashLoop.start();
  }, 180_000);
  afterAll(() => loop?.close(), 60_000);

  it(
    `lose no row and double none (${kills.length} kills)`,
    async () => {
      const begun = performance.now();
      const seen = await loop.run(kills);
      const { CRASH_KILLS, CRASH_SEED = '1' } = process.env;
      if (CRASH_KILLS !== undefined) console.log(JSON.stringify({ seed: CRASH_SEED, seconds: Math.round((performance.now() - begun) / 1_000), ...seen }));
      expect(seen.rows).toBeGreaterThan(0);
      expect(seen).toEqual({
        rows: seen.rows,
        appended: { lost: 0, doubled: 0 },
        merged: { differences: 0 },
        killed: countsOf(kills.map(({ victim }) => victim)),
      });
    },
    kills.length * 30_000 + 240_000,
  );
});
