import { assertSame, emptyTable, makeDatabase, query } from './database.js';
import { postgresConnection, runDocument, runFloor } from './processes.js';
import { median, spread } from './results.js';

const rows = 1_000_000;
const mostRatio = 2.2;
const mostMebibytes = 350;

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

const sourceTable = `CREATE TABLE orders (id bigint PRIMARY KEY, customer_id integer, email text, amount numeric(12,2), fx_rate numeric(9,6), status text,
  note text, updated_at timestamptz, flag boolean, code text)`;
const destinationTable = `CREATE TABLE orders (id bigint PRIMARY KEY, customer_id integer, email text, amount numeric(12,2), total numeric(18,2), status text,
  note text, updated_at timestamptz, flag boolean, code integer)`;
const fill = `INSERT INTO orders SELECT i, i * 7919 % 100000, ' User' || i || '@Example.com ', ((i * 31) % 1000000) / 100.0, 1 + (i % 1000) / 1000.0,
  CASE WHEN i % 4 = 0 THEN 'cancelled' ELSE 'paid' END, 'a longer piece of text to carry ' || i, timestamptz '2024-01-01' + i * interval '1 second', i % 2 = 0,
  (i * 13 % 1000)::text FROM generate_series(1, ${rows}::bigint) AS i`;
const expected = `SELECT count(*)::int AS rows, sum(id)::text AS ids, sum(round(amount * fx_rate, 2))::text AS totals, sum(code::int)::text AS codes FROM orders WHERE status <> 'cancelled'`;
const found = `SELECT count(*)::int AS rows, sum(id)::text AS ids, sum(total)::text AS totals, sum(code)::text AS codes FROM orders`;

/** 1,000,000 rows × 10 columns, filter + map + cast + upsert by primary key, beside a bare copy of the same rows. */
export async function postgresUpsert(server: URL, rounds: number, log: (line: string) => void): Promise<{ text: string; withinLimits: boolean }> {
  const source = await makeDatabase(server, 'bench_source');
  const destination = await makeDatabase(server, 'bench_destination');
  await query(source, sourceTable);
  await query(source, fill);
  await query(source, 'VACUUM ANALYZE orders');
  const figures: { floor: number; ours: number; mebibytes: number }[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    await emptyTable(destination, sourceTable);
    const floor = await runFloor('copy-floor.js', source.href, destination.href, 'orders');
    await emptyTable(destination, destinationTable);
    const run = await runDocument(document, [postgresConnection('source', source), postgresConnection('destination', destination)]);
    if (run.summary.metrics.rowsRead !== rows) throw new Error(`${run.summary.metrics.rowsRead} of ${rows} rows were read.`);
    assertSame(await query(source, expected), await query(destination, found));
    log(
      `${round === 0 ? 'warm-up' : `round ${round}`}: copy ${floor.toFixed(2)} s, run ${run.seconds.toFixed(2)} s, ratio ${(run.seconds / floor).toFixed(2)}, ${run.mebibytes.toFixed(0)} MiB`,
    );
    if (round > 0) figures.push({ floor, ours: run.seconds, mebibytes: run.mebibytes });
  }
  const ratios = figures.map(({ floor, ours }) => ours / floor);
  const mebibytes = Math.max(...figures.map((figure) => figure.mebibytes));
  const withinLimits = median(ratios) <= mostRatio && mebibytes <= mostMebibytes;
  const text = [
    `PostgreSQL to PostgreSQL, ${rows.toLocaleString('en')} rows × 10 columns, filter + map + cast + upsert; ${rounds} rounds after a warm-up:`,
    '',
    '| figure | value | limit |',
    '|---|---|---|',
    `| time ÷ time of COPY to COPY of the same rows | ${spread(ratios)} | ${mostRatio} |`,
    `| seconds of the run | ${spread(figures.map(({ ours }) => ours))} | |`,
    `| seconds of the copy | ${spread(figures.map(({ floor }) => floor))} | |`,
    `| rows read a second | ${Math.round(rows / median(figures.map(({ ours }) => ours))).toLocaleString('en')} | |`,
    `| peak RSS of the run's process, MiB | ${mebibytes.toFixed(0)} | ${mostMebibytes} |`,
  ].join('\n');
  return { text, withinLimits };
}
