import { beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { makeShop } from '../../../infrastructure/local/shop.js';
import { servers } from '../../support/servers.js';

const ask = async (sql: string): Promise<unknown[]> => {
  const url = new URL(servers.postgres.url);
  url.pathname = '/shop';
  const client = new Client({ connectionString: url.href, options: '-c TimeZone=UTC' });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
};

describe('the example shop', () => {
  // Another test may have let its day go on.
  beforeAll(async () => {
    const client = new Client({ connectionString: servers.postgres.url });
    await client.connect();
    for (const name of ['shop', 'warehouse']) await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await client.end();
  });

  it('has the same rows everywhere, and is made once', async () => {
    await makeShop(servers.postgres.url);
    expect((await makeShop(servers.postgres.url)).made).toBe(false);
    expect(
      await ask(
        'SELECT (SELECT count(*)::int FROM customers) AS customers, (SELECT count(*)::int FROM orders) AS orders, (SELECT count(*)::int FROM payments) AS payments',
      ),
    ).toEqual([{ customers: 20_000, orders: 200_000, payments: 400_000 }]);
    expect(
      await ask("SELECT md5(string_agg(orders::text, ' ' ORDER BY ordered_at)) AS hash FROM (SELECT * FROM orders WHERE order_id < 1000) AS orders"),
    ).toEqual([{ hash: '15c32da47fc998fae7593e767c2d4d9b' }]);
  });

  it('has the dirt of real tables', async () => {
    const [dirt] = await ask(`SELECT
      (SELECT count(*)::int FROM orders WHERE order_id IS NULL) AS "without id",
      (SELECT count(order_id)::int - count(DISTINCT order_id)::int FROM orders) AS "imported twice",
      (SELECT count(*)::int FROM orders WHERE amount IS NULL OR amount = '' OR amount = 'n/a') AS "without amount",
      (SELECT count(*)::int FROM orders WHERE updated_at - ordered_at > interval '30 days') AS late,
      (SELECT count(*)::int FROM customers WHERE email IS NULL) AS "without e-mail",
      (SELECT count(*)::int FROM customers WHERE email NOT LIKE '%@%') AS "with a bad e-mail"`);
    expect(dirt).toEqual({
      'without id': 12,
      'imported twice': 499,
      'without amount': 1_163,
      late: 2_044,
      'without e-mail': 360,
      'with a bad e-mail': 394,
    });
  });
});
