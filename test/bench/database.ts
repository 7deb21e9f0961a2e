import pg from 'pg';

/** An empty database of this name, in place of one that is there. */
export async function makeDatabase(server: URL, name: string): Promise<URL> {
  await query(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  await query(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url;
}

/** An empty table `orders`, and a checkpoint before each measurement, so that none pays for what another wrote. */
export async function emptyTable(url: URL, create: string): Promise<void> {
  for (const statement of ['DROP TABLE IF EXISTS orders', create, 'CHECKPOINT']) await query(url, statement);
}

export function query(url: URL, sql: string): Promise<pg.QueryResult> {
  return connected(url, (client) => client.query(sql));
}

export async function connected<T>(url: URL, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** @throws Error when the two rows of figures are not the same */
export function assertSame(wanted: pg.QueryResult, found: pg.QueryResult): void {
  const [one, other] = [JSON.stringify(wanted.rows[0]), JSON.stringify(found.rows[0])];
  if (one !== other) throw new Error(`The table is not what plain SQL gives: expected ${one}, found ${other}.`);
}
