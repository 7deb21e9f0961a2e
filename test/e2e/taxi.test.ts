import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { connect, downstream, edgesInto, namespaceOf, saveAndRun } from '../support/pipelines.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { describeWithSharedData, loadCsv } from '../support/shared-data.js';
import { startTributary, type Tributary } from '../support/tributary.js';

const files = ['taxi/yellow_tripdata_sample_2019-01.csv', 'taxi/yellow_tripdata_sample_2019-02.csv'];
const columns = `vendor_id text, pickup_datetime timestamp, dropoff_datetime timestamp, passenger_count integer, trip_distance numeric(8,2), rate_code_id integer,
  store_and_fwd_flag text, pickup_location_id integer, dropoff_location_id integer, payment_type text, fare_amount numeric(10,2), extra numeric, mta_tax numeric,
  tip_amount numeric(10,2), tolls_amount numeric(10,2), improvement_surcharge numeric, total_amount numeric(10,2), congestion_surcharge text`;

const steps = `{id: paid, filter: {from: trips, where: "fare_amount > 0 AND payment_type IN ('1', '2')"}},
  {id: typed, cast: {from: paid, columns: {congestion_surcharge: "DECIMAL(6,2)", extra: "DECIMAL(6,2)", vendor_id: SMALLINT}, onError: reject}},
  {id: shaped, map: {from: typed, columns: {vendor: vendor_id, pickup: pickup_datetime, minutes: "date_diff('second', pickup_datetime, dropoff_datetime) // 60",
    distance: trip_distance, fare: fare_amount, surcharge: "coalesce(congestion_surcharge, 0)", mta_tax: mta_tax,
    tip_share: "CASE WHEN payment_type = '1' THEN tip_amount / fare_amount END"}}}`;
const plainSql = (
  table: string,
) => `SELECT vendor_id::smallint AS vendor, pickup_datetime::text AS pickup, floor(extract(epoch FROM dropoff_datetime - pickup_datetime) / 60)::bigint AS minutes,
  trip_distance AS distance, fare_amount AS fare, coalesce(congestion_surcharge::numeric, 0)::numeric(6,2) AS surcharge, mta_tax,
  CASE WHEN payment_type = '1' THEN tip_amount::float8 / fare_amount::float8 END AS tip_share
  FROM ${table} WHERE fare_amount > 0 AND payment_type IN ('1', '2')`;
const columnsOut = 'vendor, pickup::text, minutes, distance, fare, surcharge, mta_tax, tip_share';

describeWithSharedData('ten thousand real taxi trips for each of two months', files, () => {
  let city: TestDatabase;
  let warehouse: TestDatabase;
  let tributary: Tributary;

  beforeAll(async () => {
    [city, warehouse] = await Promise.all([createDatabase('taxi'), createDatabase('taximart')]);
    await loadCsv(city, files[0] ?? '', 'january', columns);
    await loadCsv(city, files[1] ?? '', 'february', columns);
    tributary = await startTributary({ TRIBUTARY_SECRET_TEST: city.password });
    for (const database of [city, warehouse]) await connect(tributary, database);
  });
  afterAll(async () => {
    await tributary?.stop();
    await Promise.all([city?.drop(), warehouse?.drop()]);
  });

  const month = (table: string) =>
    saveAndRun(
      tributary,
      `{version: 1, name: ${table}, namespace: ${warehouse.name}, inputs: {trips: {connection: ${city.name}, stream: ${table}}}, steps: [${steps}],
        outputs: [{from: shaped, connection: ${warehouse.name}, stream: mart.trips, load: {mode: append}}]}`,
    );
  const difference = (from: string, taken: string) => `SELECT count(*)::int AS rows FROM (${from} EXCEPT ALL ${taken}) AS difference`;

  it('appends January as plain SQL gives it, trip for trip', async () => {
    const run = await month('january');
    const expected = await city.query<Record<string, unknown>>(plainSql('january'));
    expect(run).toMatchObject({ state: 'COMPLETE', metrics: { rowsRead: 10_000, rowsWritten: expected.length, rowsRejected: 0 } });
    const loaded = await warehouse.query<Record<string, unknown>>(`SELECT ${columnsOut} FROM mart.trips`);
    const lines = (rows: readonly Record<string, unknown>[]) => rows.map((row) => JSON.stringify(row)).sort();
    const [found, wanted] = [lines(loaded), lines(expected)];
    expect(found.filter((line, index) => line !== wanted[index]).slice(0, 3)).toEqual([]);
    expect(found.length).toBe(wanted.length);
  });

  it('appends February behind it and leaves January alone', async () => {
    await warehouse.query('CREATE TABLE january_before AS SELECT * FROM mart.trips');
    const run = await month('february');
    const [expected] = await city.query(
      `SELECT count(*)::int AS trips, sum(fare)::text AS fares, sum(minutes)::text AS minutes, count(tip_share)::int AS shares FROM (${plainSql('february')}) AS trips`,
    );
    const added = 'SELECT * FROM mart.trips EXCEPT ALL SELECT * FROM january_before';
    expect(
      await warehouse.query(
        `SELECT count(*)::int AS trips, sum(fare)::text AS fares, sum(minutes)::text AS minutes, count(tip_share)::int AS shares FROM (${added}) AS trips`,
      ),
    ).toEqual([expected]);
    expect(await warehouse.query(difference('SELECT * FROM january_before', 'SELECT * FROM mart.trips'))).toEqual([{ rows: 0 }]);
    expect(run.state).toBe('COMPLETE');
  });

  it('knows of both months which column each column comes from', async () => {
    const from = (table: string) => [
      `${city.name}.public.${table}.congestion_surcharge -> (dataset) INDIRECT FILTER: CAST(congestion_surcharge AS DECIMAL(6,2))`,
      `${city.name}.public.${table}.congestion_surcharge -> surcharge DIRECT TRANSFORMATION: CAST(congestion_surcharge AS DECIMAL(6,2)) + DIRECT TRANSFORMATION: coalesce(congestion_surcharge, 0)`,
      `${city.name}.public.${table}.dropoff_datetime -> minutes DIRECT TRANSFORMATION: date_diff('second', pickup_datetime, dropoff_datetime) // 60`,
      `${city.name}.public.${table}.extra -> (dataset) INDIRECT FILTER: CAST(extra AS DECIMAL(6,2))`,
      `${city.name}.public.${table}.fare_amount -> (dataset) INDIRECT FILTER: fare_amount > 0 AND payment_type IN ('1', '2')`,
      `${city.name}.public.${table}.fare_amount -> fare DIRECT IDENTITY`,
      `${city.name}.public.${table}.fare_amount -> tip_share DIRECT TRANSFORMATION: CASE WHEN payment_type = '1' THEN tip_amount / fare_amount END`,
      `${city.name}.public.${table}.mta_tax -> mta_tax DIRECT IDENTITY`,
      `${city.name}.public.${table}.payment_type -> (dataset) INDIRECT FILTER: fare_amount > 0 AND payment_type IN ('1', '2')`,
      `${city.name}.public.${table}.payment_type -> tip_share INDIRECT CONDITIONAL: CASE WHEN payment_type = '1' THEN tip_amount / fare_amount END`,
      `${city.name}.public.${table}.pickup_datetime -> minutes DIRECT TRANSFORMATION: date_diff('second', pickup_datetime, dropoff_datetime) // 60`,
      `${city.name}.public.${table}.pickup_datetime -> pickup DIRECT IDENTITY`,
      `${city.name}.public.${table}.tip_amount -> tip_share DIRECT TRANSFORMATION: CASE WHEN payment_type = '1' THEN tip_amount / fare_amount END`,
      `${city.name}.public.${table}.trip_distance -> distance DIRECT IDENTITY`,
      `${city.name}.public.${table}.vendor_id -> (dataset) INDIRECT FILTER: CAST(vendor_id AS SMALLINT)`,
      `${city.name}.public.${table}.vendor_id -> vendor DIRECT TRANSFORMATION: CAST(vendor_id AS SMALLINT)`,
    ];
    expect(await edgesInto(tributary, warehouse, 'mart.trips')).toEqual([...from('february'), ...from('january')]);
    const reached = await downstream(tributary, { namespace: namespaceOf(city), dataset: `${city.name}.public.january`, name: 'mta_tax' });
    expect(reached).toEqual([['1', `${warehouse.name}.mart.trips.mta_tax`]]);
  });
});
