import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Lease, type LeaseSettings } from '../../../src/worker/lease.js';
import { keptLog } from './scripted-run.js';

const quick: LeaseSettings = { renewEveryMs: 20, giveUpAfterMs: 200 };
const open: Lease[] = [];
afterEach(() => {
  for (const lease of open.splice(0)) lease.close();
});

function lease(answers: () => Promise<'held' | 'cancel' | 'lost'>): { events: string[]; renewals: () => number } {
  const events: string[] = [];
  let renewals = 0;
  const parts = {
    renew: () => {
      renewals += 1;
      return answers();
    },
    onCancel: () => void events.push('cancel'),
    onLost: () => void events.push('lost'),
  };
  open.push(new Lease(parts, performance.now(), quick, keptLog().logger));
  return { events, renewals: () => renewals };
}

describe('a lease', () => {
  it('is renewed again and again, longer than it would hold by itself', async () => {
    const held = lease(async () => 'held');
    await wait(500);
    expect(held.renewals()).toBeGreaterThan(5);
    expect(held.events).toEqual([]);
  });

  it('passes on that the run is to be cancelled, and is kept meanwhile', async () => {
    const cancelled = lease(async () => 'cancel');
    await wait(150);
    expect(cancelled.events.length).toBeGreaterThan(1);
    expect(new Set(cancelled.events)).toEqual(new Set(['cancel']));
  });

  it('is lost once when the graph says so, and asked for no more', async () => {
    const lost = lease(async () => 'lost');
    await wait(150);
    expect(lost.events).toEqual(['lost']);
    expect(lost.renewals()).toBe(1);
  });

  it('survives a graph that is away for a while', async () => {
    let calls = 0;
    const held = lease(async () => {
      calls += 1;
      if (calls < 4) throw new Error('away');
      return 'held';
    });
    await wait(400);
    expect(held.events).toEqual([]);
  });

  it('is given up by our own clock when no renewal comes back', async () => {
    const silent = lease(() => new Promise(() => undefined));
    await wait(400);
    expect(silent.events).toEqual(['lost']);
  });
});
