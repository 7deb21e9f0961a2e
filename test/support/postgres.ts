import { randomBytes } from 'node:crypto';
import { Client, Pool, type QueryResultRow } from 'pg';
import { servers } from './servers.js';

export interface TestDatabase {
  readonly name: string;
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Rows as objects. */
  query<Row extends QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Ends every session in it and removes it. */
  drop(): Promise<void>;
}

/** A new empty database on the test PostgreSQL. `purpose`: lower-case letters, part of its name. */
export async function createDatabase(purpose: string): Promise<TestDatabase> {
  const name = `test_${purpose}_${randomBytes(6).toString('hex')}`;
  await asAdministrator(`CREATE DATABASE "${name}"`);
  const url = new URL(servers.postgres.url);
  url.pathname = `/${name}`;
  const pool = new Pool({ connectionString: url.href, max: 4 });
  // Sessions are ended by drop(); an idle one then says so.
  pool.on('error', () => undefined);
  return {
    name,
    url: url.href,
    host: url.hostname,
    port: Number(url.port),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    query: async <Row extends QueryResultRow>(sql: string, values: readonly unknown[] = []) => (await pool.query<Row>(sql, [...values])).rows,
    drop: async () => {
      await pool.end();
      await asAdministrator(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
    },
  };
}

async function asAdministrator(statement: string): Promise<void> {
  const client = new Client({ connectionString: servers.postgres.url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
