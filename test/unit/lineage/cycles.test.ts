import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cycles } from '../../../src/lineage/cycles.js';

describe('cycles', () => {
  it('are the sets of nodes that reach one another', () => {
    expect(
      cycles([
        ['a', 'b'],
        ['b', 'a'],
        ['b', 'c'],
        ['c', 'd'],
        ['d', 'e'],
        ['e', 'c'],
        ['e', 'f'],
      ]),
    ).toEqual([
      ['c', 'd', 'e'],
      ['a', 'b'],
    ]);
  });

  it('include a node that leads to itself', () => {
    expect(
      cycles([
        ['a', 'a'],
        ['a', 'b'],
      ]),
    ).toEqual([['a']]);
  });

  it('are none in a graph without them', () => {
    expect(
      cycles([
        ['a', 'b'],
        ['a', 'c'],
        ['b', 'd'],
        ['c', 'd'],
      ]),
    ).toEqual([]);
  });

  it('are found in a ring of 200,000 nodes without overflowing the stack', () => {
    const size = 200_000;
    const ring = Array.from({ length: size }, (_, index) => [`n${index}`, `n${(index + 1) % size}`] as const);
    expect(cycles(ring).map((cycle) => cycle.length)).toEqual([size]);
  });

  it('are those that a search from every node finds', () => {
    const node = fc.integer({ min: 0, max: 8 }).map(String);
    fc.assert(
      fc.property(fc.array(fc.tuple(node, node), { maxLength: 25 }), (pairs) => {
        const reach = (from: string): Set<string> => {
          const found = new Set<string>();
          const waiting = [from];
          for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
            for (const [a, b] of pairs) {
              if (a !== next || found.has(b)) continue;
              found.add(b);
              waiting.push(b);
            }
          }
          return found;
        };
        const nodes = [...new Set(pairs.flat())].sort();
        const together = (a: string, b: string): boolean => reach(a).has(b) && reach(b).has(a);
        const expected = new Set(nodes.filter((a) => reach(a).has(a)).map((a) => nodes.filter((b) => together(a, b)).join()));
        expect(new Set(cycles(pairs).map((cycle) => cycle.join()))).toEqual(expected);
      }),
    );
  });
});
