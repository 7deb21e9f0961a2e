/** A blocking step, as a document has it and as plain SQL. */
export interface BlockingCase {
  readonly name: string;
  /** The step named `result`. */
  readonly step: string;
  readonly sql: string;
}

const window = (call: string) => `${call} OVER (PARTITION BY code ORDER BY ordered_at, id)`;

export const blockingCases: readonly BlockingCase[] = [
  {
    name: 'join',
    step: `join: {left: orders, right: customers, kind: left, on: orders.customer_id = customers.id, columns: {id: orders.id, amount: orders.amount,
      note: orders.note, name: customers.name, country: customers.country}}`,
    sql: `SELECT orders.id, orders.amount, orders.note, customers.name, customers.country FROM orders LEFT JOIN customers ON orders.customer_id = customers.id`,
  },
  {
    name: 'aggregate',
    step: `aggregate: {from: orders, groupBy: [code], columns: {orders: count(*), total: sum(amount), last: max(ordered_at), note: min(note)}}`,
    sql: `SELECT code, count(*) AS orders, sum(amount) AS total, max(ordered_at) AS last, min(note) AS note FROM orders GROUP BY code`,
  },
  {
    name: 'dedupe',
    step: `dedupe: {from: orders, key: [code], orderBy: ordered_at, keep: last}`,
    sql: `SELECT * FROM orders QUALIFY row_number() OVER (PARTITION BY code ORDER BY ordered_at DESC) = 1`,
  },
  {
    name: 'window',
    step: `map: {from: orders, columns: {id: id, code: code, note: note, place: "${window('row_number()')}", before: "${window('lag(amount)')}"}}`,
    sql: `SELECT id, code, note, ${window('row_number()')} AS place, ${window('lag(amount)')} AS before FROM orders`,
  },
];

/** Each code stands in two rows and each customer in one, in no order; a time stands once. */
export const ordersSql = (rows: number): string => `SELECT i AS id, (i * 7919) % ${rows} AS customer_id, (i * 104729) % ${rows / 2} AS code,
  CAST(((i * 31) % 1000000) / 100 AS DECIMAL(12,2)) AS amount, 'a piece of text to carry ' || i AS note,
  TIMESTAMP '2024-01-01' + to_seconds((i * 7907) % ${rows}) AS ordered_at FROM range(${rows}) AS numbers(i)`;

export const customersSql = (rows: number): string =>
  `SELECT i AS id, 'Customer number ' || i AS name, CAST(i % 200 AS INTEGER) AS country FROM range(${rows}) AS numbers(i)`;
