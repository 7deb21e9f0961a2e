import { Client, escapeIdentifier } from 'pg';
import { PartError } from './part-error.js';
import { shopTables } from './shop-tables.js';

/** Changes when the tables change: an older shop is made anew. */
const marks = 'Tributary example, version ';
const mark = `${marks}2`;

export interface ShopDatabases {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Databases: the source and the destination of the example pipelines. */
  readonly shop: 'shop';
  readonly warehouse: 'warehouse';
  /** True when the shop was made by this call. */
  readonly made: boolean;
}

/**
 * Makes the example's databases on a PostgreSQL server: `shop` with its rows, `warehouse` empty. What is there already stays.
 * @param url of a user who may create databases
 * @throws PartError when the server has a database of one of these names that is not the example's
 */
export async function makeShop(url: string): Promise<ShopDatabases> {
  const server = new URL(url);
  const made = await inDatabase(url, null, async (client) => {
    const shopMade = await makeDatabase(client, 'shop');
    await makeDatabase(client, 'warehouse');
    return shopMade;
  });
  if (made) await inDatabase(url, 'shop', fillShop);
  return {
    host: server.hostname,
    port: Number(server.port || 5432),
    user: decodeURIComponent(server.username),
    password: decodeURIComponent(server.password),
    shop: 'shop',
    warehouse: 'warehouse',
    made,
  };
}

/** @returns true when the database is new or was left half-filled */
async function makeDatabase(client: Client, name: 'shop' | 'warehouse'): Promise<boolean> {
  const { rows } = await client.query<{ comment: string | null }>(
    "SELECT shobj_description(oid, 'pg_database') AS comment FROM pg_database WHERE datname = $1",
    [name],
  );
  const [found] = rows;
  const isOlder = found?.comment?.startsWith(marks) === true && !found.comment.startsWith(mark);
  if (isOlder) await client.query(`DROP DATABASE ${escapeIdentifier(name)} WITH (FORCE)`);
  if (found === undefined || isOlder) {
    await client.query(`CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE template0 ENCODING 'UTF8'`);
    await client.query(`COMMENT ON DATABASE ${escapeIdentifier(name)} IS '${name === 'shop' ? unfinished : mark}'`);
    return true;
  }
  if (found.comment === mark) return false;
  if (found.comment === unfinished) return true;
  throw new PartError(
    'postgres',
    `The PostgreSQL server named by TRIBUTARY_EXAMPLE_POSTGRES_URL has a database "${name}" that is not the example's. Rename it, use another server, or set TRIBUTARY_EXAMPLE=no.`,
  );
}

const unfinished = `${mark}, not filled yet`;

async function fillShop(client: Client): Promise<void> {
  await client.query('BEGIN');
  for (const statement of shopTables) await client.query(statement);
  await client.query(`COMMENT ON DATABASE shop IS '${mark}'`);
  await client.query('COMMIT');
  await client.query('VACUUM ANALYZE');
}

async function inDatabase<T>(url: string, name: string | null, work: (client: Client) => Promise<T>): Promise<T> {
  const address = new URL(url);
  if (name !== null) address.pathname = `/${name}`;
  const client = new Client({ connectionString: address.href, application_name: 'tributary-example' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
