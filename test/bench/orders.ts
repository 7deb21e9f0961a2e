import { emptyTable, makeDatabase, query } from './database.js';
import { type MeasuredRun, postgresConnection, runDocument } from './processes.js';

const document = `
version: 1
name: orders
namespace: bench
inputs: {orders: {connection: source, stream: public.orders}}
steps:
  - {id: open, filter: {from: orders, where: "status <> 'cancelled'"}}
  - {id: shaped, map: {from: open, columns: {id: id, customer_id: customer_id, email: "lower(trim(email))", amount: amount,
      total: "CAST(amount * fx_rate AS DECIMAL(18,2))", status: status, note: note, updated_at: updated_at, flag: flag, code: code}}}
  - {id: typed, cast: {from: shaped, columns: {code: INTEGER}, onError: reject}}
outputs:
  - {from: typed, connection: destination, stream: public.orders, load: {mode: upsert, key: [id], orderBy: updated_at}}
`;

export const sourceTable = `CREATE TABLE orders (id bigint PRIMARY KEY, customer_id integer, email text, amount numeric(12,2), fx_rate numeric(9,6), status text,
  note text, updated_at timestamptz, flag boolean, code text)`;
const destinationTable = `CREATE TABLE orders (id bigint PRIMARY KEY, customer_id integer, email text, amount numeric(12,2), total numeric(18,2), status text,
  note text, updated_at timestamptz, flag boolean, code integer)`;
const fill = (
  rows: number,
) => `INSERT INTO orders SELECT i, i * 7919 % 100000, ' User' || i || '@Example.com ', ((i * 31) % 1000000) / 100.0, 1 + (i % 1000) / 1000.0,
  CASE WHEN i % 4 = 0 THEN 'cancelled' ELSE 'paid' END, 'a longer piece of text to carry ' || i, timestamptz '2024-01-01' + i * interval '1 second', i % 2 = 0,
  (i * 13 % 1000)::text FROM generate_series(1, ${rows}::bigint) AS i`;
export const expectedOrders = `SELECT count(*)::int AS rows, sum(id)::text AS ids, sum(round(amount * fx_rate, 2))::text AS totals, sum(code::int)::text AS codes FROM orders WHERE status <> 'cancelled'`;
export const foundOrders = `SELECT count(*)::int AS rows, sum(id)::text AS ids, sum(total)::text AS totals, sum(code)::text AS codes FROM orders`;

/** A database with a table of orders, 10 columns wide, of which a quarter is cancelled. */
export async function makeOrders(server: URL, rows: number): Promise<URL> {
  const source = await makeDatabase(server, 'bench_source');
  await query(source, sourceTable);
  await query(source, fill(rows));
  await query(source, 'VACUUM ANALYZE orders');
  return source;
}

/** Filter, map, cast and upsert by primary key into an empty table. */
export async function upsertOrders(source: URL, destination: URL, rows: number): Promise<MeasuredRun> {
  await emptyTable(destination, destinationTable);
  const run = await runDocument(document, [postgresConnection('source', source), postgresConnection('destination', destination)]);
  if (run.summary.metrics.rowsRead !== rows) throw new Error(`${run.summary.metrics.rowsRead} of ${rows} rows were read.`);
  return run;
}
