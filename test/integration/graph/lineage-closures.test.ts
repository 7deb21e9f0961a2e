import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nearest } from '../../../src/lineage/selection.js';
import { arbitraryLineage, columnsOf, naiveDepths } from '../../unit/lineage/column-lineage.js';
import { draw } from './drawn-lineage.js';
import { openShop, type Shop } from './shop.js';

let shop: Shop;

beforeAll(async () => {
  shop = await openShop('closures');
});
afterAll(() => shop.close());

describe('depths in the graph', () => {
  it('are those of a naive search for every maxDepth, with the edges between what is shown', async () => {
    const property = fc.asyncProperty(
      arbitraryLineage,
      fc.constantFrom('UPSTREAM' as const, 'DOWNSTREAM' as const),
      fc.option(fc.integer({ min: 0, max: 4 })),
      fc.boolean(),
      async (lineage, direction, maxDepth, wholeDataset) => {
        const datasets = Object.fromEntries(lineage.datasets.map((dataset) => [dataset, columnsOf(dataset).map((column) => column.slice(2))]));
        const drawn = await draw(shop, { datasets, edges: [...lineage.derives, ...lineage.influences].map(([from, to]) => ({ from, to })) });
        const column = lineage.starts[0] ?? '';
        const start = wholeDataset ? column.slice(0, 1) : column;
        const answer = await shop.lineage.graph({ of: [{ id: drawn.id(start) }], direction, level: 'COLUMN', maxDepth, maxNodes: 1000, filter: null });
        const starts = wholeDataset ? columnsOf(start) : [start];
        const excluded = new Set([...starts, start]);
        const expected = [...nearest(starts.map((id) => naiveDepths(lineage, id, direction)))].filter(
          ([id, depth]) => !excluded.has(id) && (maxDepth === null || depth <= maxDepth),
        );
        expect(new Map(answer.hits.map(({ nodeId, depth }) => [drawn.name(nodeId), depth]))).toEqual(new Map(expected));
        const shown = new Set([...excluded, ...expected.map(([name]) => name)]);
        const passed = direction === 'UPSTREAM' ? [...shown].map((column) => column.slice(0, 1)) : [];
        const among = new Set([...shown, ...passed]);
        const edges = [...lineage.derives, ...lineage.influences].filter(([from, to]) => among.has(from) && among.has(to));
        expect(answer.edges.map(({ fromId, toId }) => `${drawn.name(fromId)}>${drawn.name(toId)}`).sort()).toEqual(
          edges.map(([from, to]) => `${from}>${to}`).sort(),
        );
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });

  it('are found quickly in 12 layers of 20 columns that are fully connected, which have more paths than can be walked', async () => {
    const layers = Array.from({ length: 12 }, (_, layer) => `layer${layer}`);
    const columns = Array.from({ length: 20 }, (_, index) => `c${index}`);
    const edges = layers.slice(1).flatMap((to, above) => columns.flatMap((a) => columns.map((b) => ({ from: `layer${above}.${a}`, to: `${to}.${b}` }))));
    const drawn = await draw(shop, { datasets: Object.fromEntries(layers.map((layer) => [layer, columns])), edges });
    const ask = (name: string, direction: 'UPSTREAM' | 'DOWNSTREAM') =>
      shop.lineage.graph({ of: [{ id: drawn.id(name) }], direction, level: 'COLUMN', maxDepth: null, maxNodes: 1000, filter: null });
    const startedAt = performance.now();
    const [one, all, upstream] = [await ask('layer0.c0', 'DOWNSTREAM'), await ask('layer0', 'DOWNSTREAM'), await ask('layer11', 'UPSTREAM')];
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect([one.totalNodes, all.totalNodes, upstream.totalNodes]).toEqual([220, 220, 220]);
    expect([one.edges.length, all.edges.length]).toEqual([20 + 10 * 400, 11 * 400]);
    expect(Math.max(...one.hits.map(({ depth }) => depth))).toBe(11);
  });
});
