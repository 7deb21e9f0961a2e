import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { makeShop, type ShopDatabases } from '../../infrastructure/local/shop.js';
import { makeWave } from '../../infrastructure/local/shop-waves.js';
import { showFirstRun } from '../../src/cli/first-run.js';
import { projectRoot } from '../../src/lib/project-root.js';
import { servers } from '../support/servers.js';
import { startTributary, type Tributary } from '../support/tributary.js';

const plain = (text: string) => text;

describe('the example: staging, mart and report, with waves of changes', () => {
  let shop: ShopDatabases;
  let tributary: Tributary;
  let lines: string[] = [];
  const passing: string[] = [];

  beforeAll(async () => {
    shop = await makeShop(servers.postgres.url);
    tributary = await startTributary({ TRIBUTARY_SECRET_EXAMPLE_POSTGRES: shop.password });
  });
  afterAll(() => tributary?.stop());

  const ask = async (database: 'shop' | 'warehouse', sql: string): Promise<unknown[]> => {
    const url = new URL(servers.postgres.url);
    url.pathname = `/${database}`;
    const client = new Client({ connectionString: url.href });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  };
  const run = async () => {
    lines = [];
    await showFirstRun({
      url: tributary.url,
      token: null,
      signal: new AbortController().signal,
      examples: join(projectRoot, 'examples'),
      server: { host: shop.host, port: shop.port, user: shop.user },
      databases: { shop: shop.shop, warehouse: shop.warehouse },
      nextWave: async () => `wave ${(await makeWave(servers.postgres.url)).number}`,
      terminal: { line: (text = '') => void lines.push(text), passing: (text) => void passing.push(text), bold: plain, faint: plain, good: plain, bad: plain },
    });
  };

  /** What the mart must hold: of rows with one order id the latest that is a number counts. */
  const sales = `
    WITH typed AS (
      SELECT DISTINCT ON (order_id) order_id, customer_id, status, (trim(amount)::numeric(12,2) * fx_rate)::numeric(12,2) AS total
      FROM orders WHERE order_id IS NOT NULL AND (amount IS NULL OR amount ~ '^ *[0-9]+[.][0-9]+ *$') ORDER BY order_id, updated_at DESC
    )
    SELECT customer_id::text, lower(trim(email)) AS email, coalesce(country, '??') AS country, count(*)::text AS orders, sum(total)::numeric(14,2)::text AS total
    FROM typed JOIN customers ON id = customer_id WHERE status <> 'cancelled' GROUP BY 1, 2, 3`;

  it.each([
    ['the first start and its wave', 0],
    ['eight waves, another start and its wave', 8],
  ])(
    'gives what one statement over the shop gives, after %s',
    async (_, waves) => {
      for (let wave = 0; wave < waves; wave += 1) await makeWave(servers.postgres.url);
      await run();
      expect(lines.filter((line) => /COMPLETE/.test(line))).toHaveLength(6);
      expect(lines.join('\n')).not.toMatch(/did not run|failed/);
      expect(passing).toContainEqual(expect.stringMatching(/^ {2}shop\/orders {2}reading {2}[\d,]+ rows read/));
      const expected = await ask('shop', `SELECT * FROM (${sales}) AS sales ORDER BY customer_id`);
      expect(
        await ask('warehouse', 'SELECT customer_id::text, email, country, orders::text, total::text FROM mart.customer_sales ORDER BY customer_id::text'),
      ).toEqual(expected);
      expect(await ask('warehouse', 'SELECT country, customers::text, orders::text, total::text FROM report.sales_by_country ORDER BY country')).toEqual(
        await ask(
          'shop',
          `SELECT country, count(*)::text AS customers, sum(orders::bigint)::text AS orders, sum(total::numeric)::numeric(16,2)::text AS total FROM (${sales}) AS sales GROUP BY country ORDER BY country`,
        ),
      );
    },
    300_000,
  );

  it('reads little the second time, and says what the loss of a column breaks', async () => {
    const table = lines.filter((line) => /shop\/(orders|customer_sales) .*COMPLETE/.test(line)).slice(2);
    const read = table.map((line) => Number(/COMPLETE +([\d,]+)/.exec(line)?.[1]?.replaceAll(',', '')));
    expect(read[0]).toBeLessThan(2_000);
    expect(read[1]).toBeLessThan(20_000);
    expect(lines.join('\n')).toContain('BREAKS jobs downstream');
    expect(lines.join('\n')).toContain('shop/orders');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
  });
});
