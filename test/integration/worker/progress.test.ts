import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunEvent } from '../../../src/model/run-log.js';
import { openWorkBench, type WorkBench } from './work-bench.js';

let bench: WorkBench;

beforeAll(async () => {
  bench = await openWorkBench();
  // Rows of 100 kB, so that a segment is a fraction of a second; 8 s in all.
  await bench.database.query("CREATE TABLE wide AS SELECT n AS id, repeat('x', 100000) AS note FROM generate_series(1, 1000) n");
  await bench.database.query('ANALYZE wide');
  await bench.database.query("CREATE VIEW slow AS SELECT id, note || (SELECT '' FROM pg_sleep(CASE WHEN id > 0 THEN 0.008 END))::text AS note FROM wide");
  await bench.worker().start();
}, 300_000);
afterAll(() => bench?.close());

describe('the progress of a run', () => {
  it('is logged several times a second, with what has been read, how fast, and how long it will take', async () => {
    const id = await bench.queue(
      'slow',
      `inputs: {slow: {connection: $db, stream: public.slow}}, steps: [{id: shaped, map: {from: slow, columns: {id: id, size: "length(note)"}}}],
       outputs: [{from: shaped, connection: $db, stream: mart.slow, load: {mode: append}}]`,
    );
    expect(await bench.ended(id)).toMatchObject({ state: 'COMPLETE', metrics: { rowsRead: 1_000 } });
    await bench.live.log.settled();
    const events = (await bench.live.events.page(id, { first: 1_000, after: null })).items.map(({ node }) => node);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));

    const progress = events.filter(({ kind }) => kind === 'progress');
    expect(progress.length).toBeGreaterThan(8);
    const times = progress.map(({ at }) => Date.parse(at));
    // The clock of a timer and that of `at` differ by a few milliseconds.
    for (const [index, at] of times.entries()) if (index > 0) expect(at - (times[index - 1] ?? 0)).toBeGreaterThan(240);
    expect(times.some((at, index) => index > 0 && at - (times[index - 1] ?? 0) < 1_000)).toBe(true);

    const estimated = progress.filter(({ secondsLeft }) => secondsLeft !== null);
    const [first, last] = [estimated[0], estimated.at(-1)] as [RunEvent, RunEvent];
    expect(estimated.length).toBeGreaterThanOrEqual(2);
    for (const { stage, metrics, rowsPerSecond } of estimated) {
      expect(stage).toBe('reading');
      expect(metrics.bytesRead / metrics.rowsRead).toBeGreaterThan(100_000);
      expect(rowsPerSecond).toBeGreaterThan(0);
    }
    expect(last.secondsLeft).toBeLessThan((first.secondsLeft ?? 0) / 2);
    expect(last.metrics.rowsRead).toBeGreaterThan(first.metrics.rowsRead);
    const end = events.at(-1);
    expect(end).toMatchObject({ kind: 'state', state: 'COMPLETE', stage: null, secondsLeft: null });
    const tookSeconds = (Date.parse(end?.at ?? '') - Date.parse(first.at)) / 1_000;
    expect((first.secondsLeft ?? 0) / tookSeconds).toBeGreaterThan(0.25);
    expect((first.secondsLeft ?? 0) / tookSeconds).toBeLessThan(4);
  }, 60_000);
});
