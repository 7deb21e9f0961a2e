import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { reachableReaders } from '../../../src/services/impact/reachable-readers.js';
import { type Drawn, draw } from './drawn-lineage.js';
import { openShop, type Shop } from './shop.js';

let shop: Shop;
let drawn: Drawn;
let namespace: string;

beforeAll(async () => {
  shop = await openShop('readers');
  drawn = await draw(shop, { datasets: { raw: ['id'], middle: ['id'], wide: Array.from({ length: 1_100 }, (_, index) => `c${index + 1}`) }, edges: [] });
  namespace = `${drawn.namespace} jobs`;
}, 60_000);
afterEach(() => shop.query('MATCH (job:Job {namespace: $namespace}) DETACH DELETE job', { namespace }));
afterAll(() => shop.close());

/** Jobs whose documents nobody can read, which is nothing that this is about. */
async function jobs(prefix: string, count: number, reads: readonly string[], writes: readonly string[] = []): Promise<void> {
  await shop.query(
    `UNWIND range(1, toInteger($count)) AS number
     CREATE (job:Job:Pipeline {id: $namespace + $prefix + number, namespace: $namespace, name: $prefix + number, owners: [], spec: '{}', version: 1})
     WITH job
     CALL (job) { MATCH (dataset:Dataset) WHERE dataset.id IN $reads CREATE (job)-[:READS]->(dataset) }
     CALL (job) { MATCH (dataset:Dataset) WHERE dataset.id IN $writes CREATE (job)-[:WRITES]->(dataset) }`,
    { prefix, count, namespace, reads: reads.map(drawn.id), writes: writes.map(drawn.id) },
  );
}

describe('the readers that a change can reach', () => {
  it('are found behind others that read both what changes and what is made of it', async () => {
    await jobs('both', 600, ['raw', 'middle']);
    await jobs('maker', 1, ['raw'], ['middle']);
    await jobs('only the second', 1, ['middle']);
    const { readers, truncated } = await reachableReaders(shop.graph, [{ namespace: drawn.namespace, name: 'raw' }]);
    expect([readers.size, truncated]).toEqual([602, false]);
    expect([...readers.values()].map(({ pipeline }) => pipeline.name)).toContain('only the second1');
  });

  it('are the nearest 1,000 where there are more, and it is said that there are', async () => {
    await jobs('maker', 1, ['raw'], ['middle']);
    await jobs('near', 400, ['raw']);
    await jobs('far', 700, ['middle']);
    const { readers, truncated } = await reachableReaders(shop.graph, [{ namespace: drawn.namespace, name: 'raw' }]);
    expect([readers.size, truncated]).toEqual([1_000, true]);
    expect([...readers.values()].filter(({ pipeline }) => pipeline.name.startsWith('near'))).toHaveLength(400);
  });

  it('with more writers than are judged, leave a report that says so', async () => {
    await jobs('writer', 101, [], ['raw']);
    const column = { namespace: drawn.namespace, dataset: 'raw', name: 'id' };
    const { truncated, unjudged } = await shop.impacts.report({ kind: 'dropColumn', column }, null);
    expect(truncated).toEqual(['MAX_NODES']);
    expect(unjudged).toHaveLength(100);
  });

  it('of a table with more than 1,000 columns are judged by all of them', async () => {
    const drop = (name: string) => shop.impacts.report({ kind: 'dropColumn', column: { namespace: drawn.namespace, dataset: 'wide', name } }, null);
    expect(await drop('c1100')).toMatchObject({ verdict: 'NONE', truncated: [] });
    await expect(drop('c1101')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(/has no column "c1101"\. It has c1, .*c30 and 1070 more\.$/),
    });
  });
});
