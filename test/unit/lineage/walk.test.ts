import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { select } from '../../../src/lineage/selection.js';
import { reachedDepths } from '../../../src/lineage/walk.js';
import type { WalkNode } from '../../../src/model/walk-node.js';
import { arbitraryLineage, type ColumnLineage, naiveDepths, walkNodes } from './column-lineage.js';

function node(id: string, edges: readonly string[], columns: readonly string[] = []): WalkNode {
  return { id, edges, columns };
}

describe('the depth of a column walk', () => {
  it('counts edges and lets an influenced dataset pass it on to its columns at no cost', () => {
    const nodes = [node('a', ['D', 'b']), node('D', [], ['d1', 'd2']), node('d1', ['e']), node('b', ['c']), node('c', ['d2'])];
    expect([...reachedDepths(nodes, [{ id: 'a', depth: 0 }], 'DOWNSTREAM')]).toEqual(
      expect.arrayContaining([
        ['D', 1],
        ['d1', 1],
        ['d2', 1],
        ['b', 1],
        ['e', 2],
        ['c', 2],
      ]),
    );
  });

  it('passes a dataset upstream without reaching it', () => {
    const nodes = [node('d1', ['x'], ['D']), node('D', ['a'], []), node('a', ['z'])];
    expect(Object.fromEntries(reachedDepths(nodes, [{ id: 'd1', depth: 0 }], 'UPSTREAM'))).toEqual({ x: 1, a: 1, z: 2 });
  });

  it('does not count the start, also when a cycle leads back to it', () => {
    expect(Object.fromEntries(reachedDepths([node('a', ['b']), node('b', ['a'])], [{ id: 'a', depth: 0 }], 'DOWNSTREAM'))).toEqual({ b: 1 });
  });

  it('counts what a job writes as one edge away', () => {
    expect(Object.fromEntries(reachedDepths([node('a', ['b'])], [{ id: 'a', depth: 1 }], 'DOWNSTREAM'))).toEqual({ a: 1, b: 2 });
  });

  it('is exact for every maxDepth, in both directions, as a naive search finds it', () => {
    fc.assert(
      fc.property(
        arbitraryLineage,
        fc.constantFrom('UPSTREAM' as const, 'DOWNSTREAM' as const),
        fc.integer({ min: 0, max: 5 }),
        (lineage: ColumnLineage, direction, maxDepth) => {
          const start = lineage.starts[0] ?? '';
          const expected = naiveDepths(lineage, start, direction);
          const reached = reachedDepths(walkNodes(lineage, direction), [{ id: start, depth: 0 }], direction);
          expect(Object.fromEntries(reached)).toEqual(Object.fromEntries(expected));
          const { hits, totalNodes, truncated } = select(reached, maxDepth, 1000);
          const within = [...expected].filter(([, depth]) => depth <= maxDepth);
          expect(new Map(hits.map(({ nodeId, depth }) => [nodeId, depth]))).toEqual(new Map(within));
          expect(totalNodes).toBe(within.length);
          expect(truncated).toEqual(within.length < expected.size ? ['MAX_DEPTH'] : []);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is found along a chain of 200,000 columns', () => {
    const chain = Array.from({ length: 200_000 }, (_, index) => node(`c${index}`, [`c${index + 1}`]));
    expect(reachedDepths(chain, [{ id: 'c0', depth: 0 }], 'DOWNSTREAM').get('c200000')).toBe(200_000);
  });
});

describe('the nodes shown', () => {
  const depths = new Map([
    ['far', 3],
    ['b', 1],
    ['a', 1],
    ['mid', 2],
  ]);

  it('are the nearest, and the total counts those left out', () => {
    expect(select(depths, null, 3)).toEqual({
      hits: [
        { nodeId: 'a', depth: 1 },
        { nodeId: 'b', depth: 1 },
        { nodeId: 'mid', depth: 2 },
      ],
      totalNodes: 4,
      truncated: ['MAX_NODES'],
    });
  });

  it('say when both bounds left something out', () => {
    expect(select(depths, 2, 1)).toEqual({ hits: [{ nodeId: 'a', depth: 1 }], totalNodes: 3, truncated: ['MAX_NODES', 'MAX_DEPTH'] });
  });

  it('are all when nothing is left out', () => {
    expect(select(depths, 3, 4)).toMatchObject({ totalNodes: 4, truncated: [] });
  });
});
