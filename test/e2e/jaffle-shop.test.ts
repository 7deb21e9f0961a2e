import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { connect, downstream, edgesInto, namespaceOf, saveAndRun, startRun } from '../support/pipelines.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { describeWithSharedData, loadCsv } from '../support/shared-data.js';
import { startTributary, type Tributary } from '../support/tributary.js';

const files = ['jaffle-shop/raw_customers.csv', 'jaffle-shop/raw_orders.csv', 'jaffle-shop/raw_payments.csv'];

describeWithSharedData('the jaffle shop, through pipelines over GraphQL', files, () => {
  let shop: TestDatabase;
  let warehouse: TestDatabase;
  let tributary: Tributary;

  beforeAll(async () => {
    [shop, warehouse] = await Promise.all([createDatabase('jaffle'), createDatabase('jafflemart')]);
    await loadCsv(shop, files[0] ?? '', 'raw_customers', 'id integer, first_name text, last_name text');
    await loadCsv(shop, files[1] ?? '', 'raw_orders', 'id integer, user_id integer, order_date date, status text');
    await loadCsv(shop, files[2] ?? '', 'raw_payments', 'id integer, order_id integer, payment_method text, amount integer');
    tributary = await startTributary({ TRIBUTARY_SECRET_TEST: shop.password });
    for (const database of [shop, warehouse]) await connect(tributary, database);
  });
  afterAll(async () => {
    await tributary?.stop();
    await Promise.all([shop?.drop(), warehouse?.drop()]);
  });

  const save = (name: string, from: string, steps: string, output: string, load: string, connection = shop.name) =>
    saveAndRun(
      tributary,
      `{version: 1, name: ${name}, namespace: ${warehouse.name}, inputs: {source: {connection: ${connection}, stream: ${from}}},
        steps: [${steps}], outputs: [{from: result, connection: ${warehouse.name}, stream: ${output}, load: ${load}}]}`,
    );

  it('gives payments in dollars, as plain SQL does', async () => {
    const run = await save(
      'payments',
      'raw_payments',
      '{id: result, map: {from: source, columns: {payment_id: id, order_id: order_id, method: "upper(payment_method)", amount: "CAST(amount / 100 AS DECIMAL(10,2))"}}}',
      'staging.payments',
      '{mode: upsert, key: [payment_id]}',
    );
    expect(run).toMatchObject({ state: 'COMPLETE', error: null, metrics: { rowsRead: 113, rowsWritten: 113, rowsRejected: 0 } });
    expect(await warehouse.query('SELECT * FROM staging.payments ORDER BY payment_id')).toEqual(
      await shop.query(
        'SELECT id AS payment_id, order_id, upper(payment_method) AS method, (amount / 100.0)::numeric(10,2) AS amount FROM raw_payments ORDER BY id',
      ),
    );
    expect(await edgesInto(tributary, warehouse, 'staging.payments')).toEqual([
      `${shop.name}.public.raw_payments.amount -> amount DIRECT TRANSFORMATION: CAST(amount / 100 AS DECIMAL(10,2))`,
      `${shop.name}.public.raw_payments.id -> payment_id DIRECT IDENTITY`,
      `${shop.name}.public.raw_payments.order_id -> order_id DIRECT IDENTITY`,
      `${shop.name}.public.raw_payments.payment_method -> method DIRECT TRANSFORMATION: upper(payment_method)`,
    ]);
  });

  it('keeps the orders that count, as plain SQL does', async () => {
    const run = await save(
      'orders',
      'raw_orders',
      `{id: kept, filter: {from: source, where: "status NOT IN ('returned', 'return_pending')"}},
       {id: result, map: {from: kept, columns: {order_id: id, customer_id: user_id, ordered: order_date, placed: "CASE WHEN status = 'placed' THEN id ELSE NULL END"}}}`,
      'staging.orders',
      '{mode: upsert, key: [order_id]}',
    );
    const expected = await shop.query(
      `SELECT id AS order_id, user_id AS customer_id, order_date::text AS ordered, CASE WHEN status = 'placed' THEN id END AS placed FROM raw_orders
       WHERE status NOT IN ('returned', 'return_pending') ORDER BY id`,
    );
    expect(run.steps).toEqual([
      { step: 'kept', rowsIn: 99, rowsOut: expected.length, rowsRejected: 0 },
      { step: 'result', rowsIn: expected.length, rowsOut: expected.length, rowsRejected: 0 },
    ]);
    expect(await warehouse.query('SELECT order_id, customer_id, ordered::text, placed FROM staging.orders ORDER BY order_id')).toEqual(expected);
    expect(await edgesInto(tributary, warehouse, 'staging.orders')).toEqual([
      `${shop.name}.public.raw_orders.id -> order_id DIRECT IDENTITY`,
      `${shop.name}.public.raw_orders.id -> placed DIRECT TRANSFORMATION: CASE WHEN status = 'placed' THEN id ELSE NULL END`,
      `${shop.name}.public.raw_orders.order_date -> ordered DIRECT IDENTITY`,
      `${shop.name}.public.raw_orders.status -> (dataset) INDIRECT FILTER: status NOT IN ('returned', 'return_pending')`,
      `${shop.name}.public.raw_orders.status -> placed INDIRECT CONDITIONAL: CASE WHEN status = 'placed' THEN id ELSE NULL END`,
      `${shop.name}.public.raw_orders.user_id -> customer_id DIRECT IDENTITY`,
    ]);
  });

  it('masks names, and says so on the edge', async () => {
    await save(
      'customers',
      'raw_customers',
      '{id: result, map: {from: source, columns: {customer_id: id, first_name: first_name, secret_name: sha256(last_name)}}}',
      'staging.customers',
      '{mode: upsert, key: [customer_id]}',
    );
    expect(await warehouse.query('SELECT * FROM staging.customers ORDER BY customer_id')).toEqual(
      await shop.query(
        `SELECT id AS customer_id, first_name, encode(sha256(convert_to(last_name, 'UTF8')), 'hex') AS secret_name FROM raw_customers ORDER BY id`,
      ),
    );
    expect(await edgesInto(tributary, warehouse, 'staging.customers')).toEqual([
      `${shop.name}.public.raw_customers.first_name -> first_name DIRECT IDENTITY`,
      `${shop.name}.public.raw_customers.id -> customer_id DIRECT IDENTITY`,
      `${shop.name}.public.raw_customers.last_name -> secret_name DIRECT TRANSFORMATION (masking): sha256(last_name)`,
    ]);
  });

  it('follows a column through two pipelines', async () => {
    await save(
      'big',
      'staging.payments',
      '{id: result, filter: {from: source, where: amount >= 20}}',
      'mart.big_payments',
      '{mode: upsert, key: [payment_id]}',
      warehouse.name,
    );
    expect(await warehouse.query('SELECT * FROM mart.big_payments ORDER BY payment_id')).toEqual(
      await warehouse.query('SELECT * FROM staging.payments WHERE amount >= 20 ORDER BY payment_id'),
    );
    const amount = { namespace: namespaceOf(shop), dataset: `${shop.name}.public.raw_payments`, name: 'amount' };
    expect(await downstream(tributary, amount)).toEqual([
      ['1', `${warehouse.name}.staging.payments.amount`],
      ['2', `${warehouse.name}.mart.big_payments`],
      ['2', `${warehouse.name}.mart.big_payments.amount`],
      ['2', `${warehouse.name}.mart.big_payments.method`],
      ['2', `${warehouse.name}.mart.big_payments.order_id`],
      ['2', `${warehouse.name}.mart.big_payments.payment_id`],
    ]);
  });

  it('finds nothing to do when it runs again', async () => {
    const id = await startRun(tributary, { namespace: warehouse.name, name: 'payments' });
    expect(await tributary.finishedRun(id)).toMatchObject({ state: 'COMPLETE', metrics: { rowsRead: 113, rowsWritten: 0 } });
  });
});
