import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { prefetch } from '../../../src/lib/prefetch.js';

const unhandled: unknown[] = [];
const note = (reason: unknown) => void unhandled.push(reason);
const turn = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => void process.on('unhandledRejection', note));
afterEach(async () => {
  await turn();
  process.off('unhandledRejection', note);
  expect(unhandled.splice(0)).toEqual([]);
});

/** Counts to `last`; tells what it has made and whether it was stopped. */
class Counter {
  made = 0;
  stopped = false;
  running = 0;

  async *upTo(last: number, failAt = Number.POSITIVE_INFINITY): AsyncGenerator<number> {
    try {
      while (this.made < last) {
        this.running += 1;
        expect(this.running).toBe(1);
        await turn();
        this.running -= 1;
        this.made += 1;
        if (this.made === failAt) throw new Error(`fails at ${failAt}`);
        yield this.made;
      }
    } finally {
      this.stopped = true;
    }
  }
}

describe('prefetch', () => {
  it.each([1, 2, 5, 100])('hands on every item in order, %d ahead', async (depth) => {
    const items: number[] = [];
    for await (const item of prefetch(new Counter().upTo(20), depth)) items.push(item);
    expect(items).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  it('ends at once when there is nothing', async () => {
    const counter = new Counter();
    expect(await prefetch(counter.upTo(0), 3).next()).toEqual({ done: true, value: undefined });
    expect(counter.stopped).toBe(true);
  });

  it('works ahead of a slow reader, and no further than it may', async () => {
    const counter = new Counter();
    const items = prefetch(counter.upTo(100), 3);
    expect((await items.next()).value).toBe(1);
    for (let turns = 0; turns < 50; turns += 1) await turn();
    expect(counter.made).toBe(4);
    await items.return(undefined);
  });

  it('hands an error on behind the items before it', async () => {
    const items: number[] = [];
    const read = async () => {
      for await (const item of prefetch(new Counter().upTo(10, 4), 2)) items.push(item);
    };
    await expect(read()).rejects.toThrow('fails at 4');
    expect(items).toEqual([1, 2, 3]);
  });

  it('stops the source when the reader stops', async () => {
    const counter = new Counter();
    for await (const item of prefetch(counter.upTo(100), 2)) if (item === 3) break;
    expect(counter.stopped).toBe(true);
    expect(counter.made).toBeLessThan(7);
  });

  it('keeps quiet about an error that a reader who stopped never reached', async () => {
    for await (const item of prefetch(new Counter().upTo(10, 3), 3)) if (item === 1) break;
  });

  it('hands the error of a reader on, not one of the source', async () => {
    const read = async () => {
      for await (const item of prefetch(new Counter().upTo(10, 3), 3)) if (item === 1) throw new Error('of the reader');
    };
    await expect(read()).rejects.toThrow('of the reader');
  });
});
