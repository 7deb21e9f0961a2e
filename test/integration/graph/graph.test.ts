import { availableParallelism } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Graph } from '../../../src/graph/graph.js';
import { readMeta } from '../../../src/graph/meta.js';
import { schemaVersion } from '../../../src/graph/migrations.js';
import type { Statement } from '../../../src/graph/statement.js';
import { servers } from '../../support/servers.js';
import { openShop, type Shop } from './shop.js';

let shop: Shop;

beforeAll(async () => {
  shop = await openShop('graphing');
});
afterAll(() => shop.close());

describe('the graph', () => {
  it('has a format version and can be brought to it again and by several at once', async () => {
    await Promise.all([shop.graph.migrate(), shop.graph.migrate(), shop.graph.migrate()]);
    expect(await shop.query('MATCH (meta:Meta) RETURN meta.schemaVersion AS version, meta.revision >= 0 AS hasRevision')).toEqual([
      { version: schemaVersion, hasRevision: true },
    ]);
  });

  it('refuses a graph that a newer program has written', async () => {
    await shop.query('MATCH (meta:Meta) SET meta.schemaVersion = toInteger($version)', { version: schemaVersion + 1 });
    try {
      await expect(shop.graph.migrate()).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: `The graph has format ${schemaVersion + 1}, but this program knows formats up to ${schemaVersion} only: start the newer program that wrote it, or point NEO4J_URI at another graph.`,
      });
    } finally {
      await shop.query('MATCH (meta:Meta) SET meta.schemaVersion = toInteger($version)', { version: schemaVersion });
    }
  });

  it('says that a server is not there, and that it does not let us in', async () => {
    const absent = new Graph({ ...servers.neo4j, uri: 'bolt://127.0.0.1:1' });
    await expect(absent.ready()).rejects.toMatchObject({ code: 'GRAPH_UNAVAILABLE', retryable: true });
    await absent.close();
    const stranger = new Graph({ ...servers.neo4j, password: 'not the password' });
    await expect(stranger.ready()).rejects.toMatchObject({
      code: 'GRAPH_UNAVAILABLE',
      message: expect.stringContaining('check NEO4J_USER and NEO4J_PASSWORD'),
    });
    await stranger.close();
    await expect(shop.graph.ready()).resolves.toBeUndefined();
  });

  it('ends a read that takes longer than it is given', async () => {
    const text = 'UNWIND range(1, 100000000000) AS number WITH number WHERE number < 0 RETURN count(*) AS none';
    const endless: Statement<Record<never, never>, null> = { file: 'endless', text, parameters: [], decode: () => null };
    await expect(shop.graph.read(endless, {}, { timeoutMs: 200 })).rejects.toMatchObject({ code: 'GRAPH_TIMEOUT', retryable: true });
  });

  it('lets as many large reads in at once as there are cores, and the others wait their turn', async () => {
    let inside = 0;
    let most = 0;
    const read = () =>
      shop.graph.readTransaction(
        async (transaction) => {
          inside += 1;
          most = Math.max(most, inside);
          await transaction.run(readMeta, {});
          inside -= 1;
        },
        { large: true },
      );
    await Promise.all(Array.from({ length: 5 * availableParallelism() }, read));
    expect(most).toBeLessThanOrEqual(availableParallelism());
  });
});
