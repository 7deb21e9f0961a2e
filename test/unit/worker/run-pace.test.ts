import { describe, expect, it } from '@jest/globals';
import { noMetrics } from '../../../src/model/run.js';
import type { RunPlace } from '../../../src/model/run-log.js';
import { RunPace } from '../../../src/worker/run-pace.js';

function paceAt(start: string): (nowMs: number, rowsRead: number, place?: Partial<RunPlace>) => ReturnType<RunPace['seen']> {
  let clockMs = 0;
  const pace = new RunPace(start, () => clockMs);
  return (nowMs, rowsRead, place = {}) => {
    clockMs = nowMs;
    return pace.seen({ metrics: { ...noMetrics, rowsRead }, steps: [], place: { stage: 'reading', step: null, rowsExpected: null, ...place } });
  };
}

describe('the pace of a run', () => {
  it('is that of the last five seconds', () => {
    const seen = paceAt('1970-01-01T00:00:00Z');
    expect(seen(1_000, 0).rowsPerSecond).toBeNull();
    expect(seen(2_000, 100)).toMatchObject({ rowsPerSecond: 100, durationMs: 2_000, at: '1970-01-01T00:00:02.000Z' });
    expect(seen(6_000, 100).rowsPerSecond).toBe(20);
    expect(seen(11_000, 1_100).rowsPerSecond).toBe(200);
  });

  it('says how long reading will take where the sources say how much there is', () => {
    const seen = paceAt('1970-01-01T00:00:00Z');
    seen(0, 0, { rowsExpected: 1_000 });
    expect(seen(2_000, 400, { rowsExpected: 1_000 }).secondsLeft).toBe(3);
    expect(seen(3_000, 600).secondsLeft).toBeNull();
  });

  it('says nothing of the rest when the estimate was wrong, nothing moves, or reading is over', () => {
    const seen = paceAt('1970-01-01T00:00:00Z');
    expect(seen(0, 0, { rowsExpected: 100 }).secondsLeft).toBeNull();
    expect(seen(1_000, 0, { rowsExpected: 100 }).secondsLeft).toBeNull();
    expect(seen(2_000, 101, { rowsExpected: 100 }).secondsLeft).toBeNull();
    expect(seen(3_000, 50, { rowsExpected: 100, stage: 'committing' }).secondsLeft).toBeNull();
  });
});
