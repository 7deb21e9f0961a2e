import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { ChangeStreamWakeUps } from '../../../src/documents/change-stream-wake-ups.js';
import { eventually } from '../../support/eventually.js';
import { keptLog } from '../worker/scripted-run.js';

/** A change stream that does what the test says. */
class Stream extends EventEmitter {
  closed = 0;

  async close(): Promise<void> {
    this.closed += 1;
    this.emit('close');
  }
}

function opened(): { readonly streams: Stream[]; readonly wakeUps: ChangeStreamWakeUps; readonly lines: string[] } {
  const streams: Stream[] = [];
  const { logger, lines } = keptLog();
  const watch = (): Stream => {
    const stream = new Stream();
    streams.push(stream);
    return stream;
  };
  return { streams, wakeUps: new ChangeStreamWakeUps(watch, logger), lines };
}

describe('wake-ups by a change stream', () => {
  it('come with every change, and at once from the own process', async () => {
    const { streams, wakeUps } = opened();
    let woken = 0;
    wakeUps.announce();
    expect(streams).toEqual([]);
    await wakeUps.listen(() => {
      woken += 1;
    });
    streams[0]?.emit('change', {});
    wakeUps.announce();
    expect(woken).toBe(2);
    await wakeUps.close();
    expect(streams.map(({ closed }) => closed)).toEqual([1]);
  });

  it('go on with another stream when one has ended, and tell the reason without addresses', async () => {
    const { streams, wakeUps, lines } = opened();
    let woken = 0;
    await wakeUps.listen(() => {
      woken += 1;
    });
    streams[0]?.emit('error', Object.assign(new Error('mongodb://user:hidden@host'), { name: 'MongoNetworkError' }));
    await eventually('another one is opened', async () => streams.length === 2);
    streams[1]?.emit('change', {});
    expect(woken).toBe(1);
    expect(lines.join('')).toContain('MongoNetworkError');
    expect(lines.join('')).not.toContain('hidden');
    await wakeUps.close();
    streams[1]?.emit('error', new Error('late'));
    expect(streams).toHaveLength(2);
  });
});
