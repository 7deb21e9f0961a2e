import pg from 'pg';
import type { PostgresConfig } from './config.js';
import { type Doing, toPostgresError } from './errors.js';

const connectTimeoutMs = 10_000;

/**
 * Everything that the text form of a value depends on, and no search path, so that types are described with their schema. Every name
 * that we send is qualified.
 */
const pinned = `SET DateStyle = 'ISO, YMD'; SET IntervalStyle = postgres; SET TimeZone = 'UTC'; SET extra_float_digits = 1; SET bytea_output = hex;
SET client_encoding = 'UTF8'; SET lc_monetary = 'C'; SET xmloption = content; SET standard_conforming_strings = on; SET search_path = '';
SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET client_min_messages = error`;
/**
 * Not offered by every system, hence apart. A session whose client has died ends its statement within two seconds, one whose client's
 * machine is gone within two minutes; a snapshot or a load may last for hours.
 */
const wherePossible = `SELECT set_config(name, wanted, false) FROM (VALUES ('client_connection_check_interval', '2s'), ('transaction_timeout', '0'),
  ('tcp_keepalives_idle', '60'), ('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '6')) AS setting (name, wanted)
  WHERE current_setting(name, true) IS NOT NULL`;

/** For statements that call functions of the database's own (views, triggers, defaults), which may name tables without a schema. */
export const ownSearchPath = 'RESET search_path';

export type PostgresClient = pg.Client;

/** One connection to the server, with its session pinned. Who asks for it ends it. `name` is what the server calls it. */
export async function connect(config: PostgresConfig, name = 'tributary'): Promise<PostgresClient> {
  const where = `PostgreSQL at ${config.host}:${config.port}, database "${config.database}"`;
  const client = new pg.Client({ ...config, connectionTimeoutMillis: connectTimeoutMs, application_name: name, keepAlive: true });
  // Without a listener a cut connection would end the process; whoever awaits a query gets the error anyway.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(pinned);
  } catch (error) {
    await end(client);
    throw toPostgresError(error, 'connect', where);
  }
  await client.query(wherePossible).catch(() => undefined);
  return client;
}

/** Runs `work` on a connection of its own. */
export async function withClient<T>(config: PostgresConfig, doing: Doing, work: (client: PostgresClient) => Promise<T>): Promise<T> {
  const client = await connect(config);
  try {
    return await work(client);
  } catch (error) {
    throw toPostgresError(error, doing, `PostgreSQL database "${config.database}"`);
  } finally {
    await end(client);
  }
}

export async function end(client: PostgresClient): Promise<void> {
  await client.end().catch(() => undefined);
}

/** Cuts the connection at once; the server rolls back what was open. */
export function destroy(client: PostgresClient): void {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}
