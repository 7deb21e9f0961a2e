import { hasUniqueKey, type LoadRequest } from '../../model/connector.js';
import { PlatformError } from '../../model/errors.js';
import { lockByName } from './bookkeeping.js';
import { describeTables } from './catalogue.js';
import type { PostgresClient } from './client.js';
import { quoteIdentifier, quoteIdentifiers, quoteTable, type TableName } from './identifiers.js';

/** Makes the table where it is missing; makers wait for one another. One that is there needs no right to create. */
export async function ensureTable(client: PostgresClient, table: TableName, request: LoadRequest): Promise<void> {
  const { rows } = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [quoteTable(table)]);
  if (rows[0]?.there) return;
  await lockByName(client, `tributary table ${quoteTable(table)}`);
  await client.query(createTable(table, request));
}

/** A table that another load has made since this one was bound may have no unique index on the key. @throws DESTINATION_MISMATCH */
export async function assertKey(client: PostgresClient, table: TableName, { dataset, key, mode, stream }: LoadRequest): Promise<void> {
  if (key.length === 0) return;
  const [found] = await describeTables(client, [table], () => dataset);
  if (found && hasUniqueKey(found, key)) return;
  throw new PlatformError(
    'DESTINATION_MISMATCH',
    `${stream} does not fit: it has no unique index on (${key.join(', ')}), which an ${mode} by that key needs. Add one.`,
  );
}

/** With the load key as primary key, as a new table would be made by hand. */
function createTable(table: TableName, { columns, key }: LoadRequest): string {
  const definitions = columns.map(({ name, type }) => `${quoteIdentifier(name)} ${type}`);
  if (key.length > 0) definitions.push(`PRIMARY KEY (${quoteIdentifiers(key)})`);
  return `CREATE TABLE IF NOT EXISTS ${quoteTable(table)} (${definitions.join(', ')})`;
}
