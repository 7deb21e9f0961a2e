/**
 * The rows of the example shop, the same in every installation: 20,000 customers, 200,000 orders, 400,000 payments. All values
 * come from the row's number by `pick`; dates are fixed. With dirt in it, as real tables have: missing and malformed values,
 * amounts in a text column, e-mail addresses in every spelling, orders that were imported twice, rows that arrived late.
 */
export const shopTables: readonly string[] = [
  // A whole number from 0 to `below` - 1 for the row `n`; `salt` tells the columns apart.
  `CREATE FUNCTION pick(n bigint, salt integer, below integer) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
   RETURN ((hashint8extended(n, salt) & 2147483647) % below)::integer`,

  `CREATE TABLE customers (
     id bigint PRIMARY KEY, name text NOT NULL, email text, country character(2), newsletter boolean NOT NULL,
     created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL)`,
  `INSERT INTO customers
   SELECT drawn.*, created_at FROM (SELECT n AS id,
          (ARRAY['Ada','Ben','Chiara','Dmitri','Elif','Farid','Grace','Hanna','Ines','Jonas','Kofi','Lena','Mei','Noor','Oskar','Priya'])[1 + pick(n, 1, 16)]
          || ' ' || (ARRAY['Abel','Berg','Costa','Dahl','Evans','Fischer','Garcia','Haddad','Ito','Jansen','Kaya','Lopez','Moreau','Novak'])[1 + pick(n, 2, 14)],
          CASE WHEN pick(n, 3, 50) = 0 THEN NULL
               WHEN pick(n, 3, 50) = 1 THEN 'customer' || n || ' at shop.example'
               WHEN pick(n, 3, 50) < 10 THEN '  Customer' || n || '@Shop.Example '
               ELSE 'customer' || n || '@shop.example' END,
          CASE WHEN pick(n, 4, 40) > 0 THEN (ARRAY['DE','FR','GB','IT','NL','PL','SE','US'])[1 + pick(n, 5, 8)] END,
          pick(n, 6, 3) = 0,
          timestamptz '2022-01-01 00:00:00Z' + make_interval(secs => pick(n, 7, 63072000)) AS created_at
     FROM generate_series(1, 20000) AS n) AS drawn`,

  // No primary key: the import that filled it ran twice for some orders.
  `CREATE TABLE orders (
     order_id bigint, customer_id bigint, contact_email text, status text, currency character(3), amount text,
     fx_rate numeric(9,6), items integer, ordered_at timestamptz NOT NULL, updated_at timestamptz NOT NULL)`,
  `INSERT INTO orders
   SELECT CASE WHEN pick(n, 30, 20000) > 0 THEN order_id END,
          customer_id, email,
          (ARRAY['paid','paid','paid','shipped','shipped','open','cancelled'])[1 + pick(n, 11, 7)],
          currency,
          CASE WHEN pick(n, 12, 500) = 0 THEN 'n/a'
               WHEN pick(n, 12, 500) = 1 THEN ''
               WHEN pick(n, 12, 500) = 2 THEN NULL
               WHEN pick(n, 12, 500) < 20 THEN ' ' || (cents / 100.0)::numeric(12,2) || ' '
               ELSE (cents / 100.0)::numeric(12,2)::text END,
          CASE currency WHEN 'EUR' THEN 1 WHEN 'USD' THEN 0.917431 WHEN 'GBP' THEN 1.162791 ELSE NULL END,
          1 + pick(n, 14, 6),
          ordered_at,
          ordered_at + make_interval(secs => CASE WHEN pick(n, 15, 100) = 0 THEN 3000000 + pick(n, 16, 2000000) ELSE pick(n, 16, 90000) END)
     FROM (SELECT n,
                  CASE WHEN pick(n, 17, 400) = 0 AND n > 1 THEN n - 1 ELSE n END AS order_id,
                  1 + pick(n, 18, 20000) AS customer_id,
                  100 + pick(n, 13, 49900) AS cents,
                  (ARRAY['EUR','EUR','EUR','USD','GBP'])[1 + pick(n, 19, 5)] AS currency,
                  timestamptz '2024-01-01 00:00:00Z' + make_interval(secs => n * 300.0) AS ordered_at
             FROM generate_series(1, 200000) AS n) AS drawn
     LEFT JOIN customers ON customers.id = drawn.customer_id`,

  `CREATE TABLE payments (
     id bigint PRIMARY KEY, order_id bigint NOT NULL, method text NOT NULL, amount numeric(12,2), state text NOT NULL, paid_at timestamptz)`,
  `INSERT INTO payments
   SELECT n, 1 + (n - 1) / 2,
          (ARRAY['card','card','transfer','wallet','voucher'])[1 + pick(n, 21, 5)],
          CASE WHEN pick(n, 22, 1000) > 0 THEN (50 + pick(n, 23, 24950)) / 100.0 END,
          (ARRAY['settled','settled','settled','pending','failed'])[1 + pick(n, 24, 5)],
          CASE WHEN pick(n, 25, 50) > 0 THEN timestamptz '2024-01-01 00:00:00Z' + make_interval(secs => n * 150.0 + pick(n, 26, 400000)) END
     FROM generate_series(1, 400000) AS n`,

  // What increments are read by.
  'CREATE INDEX ON customers (updated_at)',
  'CREATE INDEX ON orders (updated_at)',
  'CREATE INDEX ON orders (order_id)',
];
