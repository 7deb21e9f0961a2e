import { Client } from 'pg';

/** What a wave has changed. */
export interface ShopWave {
  /** From 1. */
  readonly number: number;
  readonly newOrders: number;
  readonly cancelledOrders: number;
  readonly correctedOrders: number;
  readonly movedCustomers: number;
}

/** Behind all times of the shop's first rows; every wave is a day later than the one before. */
const begin = "timestamptz '2026-02-01 00:00:00Z'";

const insertOrders = `
INSERT INTO orders
SELECT 200000 + $1::bigint * 1000 + n, 1 + pick(n + $1::bigint * 1000, 41, 20000), 'customer@shop.example', 'paid', 'EUR',
       CASE WHEN n % 40 = 0 THEN 'n/a' ELSE ((100 + pick(n + $1::bigint * 1000, 42, 49900)) / 100.0)::numeric(12,2)::text END,
       1, 1 + pick(n, 43, 6), $2::timestamptz, $2::timestamptz
  FROM generate_series(1, 200) AS n`;
/** Of an order that was imported twice both rows would get one time, and nobody could tell which of their customers has it. */
const single = 'order_id IN (SELECT order_id FROM orders WHERE order_id <= 200000 GROUP BY order_id HAVING count(*) = 1)';
const cancelOrders = `UPDATE orders SET status = 'cancelled', updated_at = $2 WHERE order_id % 2000 = $1::bigint % 2000 AND ${single}`;
const correctOrders = `UPDATE orders SET amount = '10.00', updated_at = $2 WHERE order_id % 2000 = ($1::bigint + 1000) % 2000 AND ${single}`;
const moveCustomers = `UPDATE customers SET country = 'ES', updated_at = $2 WHERE id % 400 = $1::bigint % 400`;

/** Lets the shop's day go on: some orders come, are cancelled and corrected, some customers move. The same in every shop. */
export async function makeWave(url: string): Promise<ShopWave> {
  const address = new URL(url);
  address.pathname = '/shop';
  const client = new Client({ connectionString: address.href, application_name: 'tributary-example' });
  await client.connect();
  try {
    await client.query('BEGIN; CREATE TABLE IF NOT EXISTS waves (number bigint PRIMARY KEY)');
    const { rows } = await client.query<{ number: string; at: string }>(
      `INSERT INTO waves SELECT coalesce(max(number), 0) + 1 FROM waves RETURNING number, (${begin} + number * interval '1 day')::text AS at`,
    );
    const { number = '1', at = '' } = rows[0] ?? {};
    const change = async (statement: string): Promise<number> => (await client.query(statement, [number, at])).rowCount ?? 0;
    const wave = {
      number: Number(number),
      newOrders: await change(insertOrders),
      cancelledOrders: await change(cancelOrders),
      correctedOrders: await change(correctOrders),
      movedCustomers: await change(moveCustomers),
    };
    await client.query('COMMIT');
    return wave;
  } finally {
    await client.end();
  }
}
