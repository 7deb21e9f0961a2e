import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SerialQueue } from '../../../src/lib/serial-queue.js';

const unhandled: unknown[] = [];
const note = (reason: unknown) => void unhandled.push(reason);
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const turns = async (count: number) => {
  for (let index = 0; index < count; index += 1) await turn();
};

beforeEach(() => void process.on('unhandledRejection', note));
afterEach(async () => {
  await turns(3);
  process.off('unhandledRejection', note);
  expect(unhandled.splice(0)).toEqual([]);
});

function gate(): { readonly open: () => void; readonly passed: Promise<void> } {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, passed };
}

describe('SerialQueue', () => {
  it('runs tasks one after another, in order', async () => {
    const queue = new SerialQueue(3);
    const log: string[] = [];
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      await queue.push(async () => {
        log.push(`${name} begins`);
        await turns(2);
        log.push(`${name} ends`);
      });
    }
    await queue.drain();
    expect(log).toEqual(['a', 'b', 'c', 'd', 'e'].flatMap((name) => [`${name} begins`, `${name} ends`]));
  });

  it('lets no more than its depth wait', async () => {
    const queue = new SerialQueue(2);
    const first = gate();
    await queue.push(() => first.passed);
    await queue.push(async () => undefined);
    let placed = false;
    const third = queue
      .push(async () => undefined)
      .then(() => {
        placed = true;
      });
    await turns(5);
    expect(placed).toBe(false);
    first.open();
    await third;
    await queue.drain();
  });

  it('gives a place to every one of several that wait', async () => {
    const queue = new SerialQueue(1);
    const first = gate();
    const done: number[] = [];
    await queue.push(() => first.passed);
    const waiting = [1, 2, 3].map((item) => queue.push(async () => void done.push(item)));
    first.open();
    await Promise.all(waiting);
    await queue.drain();
    expect(done.sort()).toEqual([1, 2, 3]);
  });

  it('is drained when everything is done, and at once when nothing was pushed', async () => {
    const queue = new SerialQueue(2);
    await queue.drain();
    let done = false;
    await queue.push(async () => {
      await turns(3);
      done = true;
    });
    await queue.drain();
    expect(done).toBe(true);
  });

  it('ends with the first failure: nothing behind it runs, and push and drain throw it', async () => {
    const queue = new SerialQueue(5);
    const ran: string[] = [];
    await queue.push(async () => {
      await turn();
      throw new Error('the first');
    });
    await queue.push(async () => void ran.push('second'));
    await queue.push(() => Promise.reject(new Error('the third')));
    await expect(queue.drain()).rejects.toThrow('the first');
    await expect(queue.push(async () => void ran.push('late'))).rejects.toThrow('the first');
    await expect(queue.drain()).rejects.toThrow('the first');
    expect(ran).toEqual([]);
  });

  it('wakes one that waits for a place when the task before it fails', async () => {
    const queue = new SerialQueue(1);
    const first = gate();
    await queue.push(() => first.passed.then(() => Promise.reject(new Error('failed'))));
    const waiting = queue.push(async () => undefined);
    first.open();
    await expect(waiting).rejects.toThrow('failed');
  });

  it('keeps a failure to itself until somebody asks', async () => {
    const queue = new SerialQueue(1);
    await queue.push(() => Promise.reject(new Error('unasked')));
    await turns(5);
  });
});
