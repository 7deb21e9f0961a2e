import { describe, expect, it } from '@jest/globals';
import { Turns } from '../../../src/lib/turns.js';

describe('turns', () => {
  it('of one key come one after another, also behind one that failed, and those of others do not wait', async () => {
    const turns = new Turns();
    const order: string[] = [];
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const first = turns.of('a', async () => {
      await gate;
      order.push('first');
      throw new Error('failed');
    });
    const second = turns.of('a', async () => order.push('second'));
    await turns.of('b', async () => order.push('other'));
    open();
    await expect(first).rejects.toThrow('failed');
    await second;
    expect(order).toEqual(['other', 'first', 'second']);
  });
});
