import type { LoadRequest } from '../../model/connector.js';
import type { PostgresClient } from './client.js';
import { quoteTable, type TableName } from './identifiers.js';

/**
 * Every staged column is one of the table, of exactly its type. A trigger (a foreign key is one), a rule or a policy may look at other
 * tables of the same run, which are written only by its commits; a file of one column would hold `\.` bare, which ends a COPY.
 */
const fits = `SELECT c.relkind = 'r' AND NOT c.relhastriggers AND NOT c.relhasrules AND NOT c.relrowsecurity AND (
  SELECT count(*) FILTER (WHERE stored.attnum IS NOT NULL) = count(*) AND count(*) > 1
    FROM pg_catalog.pg_attribute AS staged
    LEFT JOIN pg_catalog.pg_attribute AS stored ON stored.attrelid = c.oid AND stored.attname = staged.attname AND stored.atttypid = staged.atttypid
      AND stored.atttypmod = staged.atttypmod AND stored.attgenerated = '' AND stored.attidentity <> 'a' AND NOT stored.attisdropped
   WHERE staged.attrelid = $2::regclass AND staged.attnum > 0 AND staged.attname <> '_pos') AS fits
  FROM pg_catalog.pg_class AS c WHERE c.oid = to_regclass($1)`;

/**
 * Begins the load's transaction for rows that are appended as they are, which can be copied straight into a table that is there: half
 * the work of collecting them first. False, and no transaction: they must be collected.
 *
 * @param stage  the load's temporary table of rows
 */
export async function beginStraight(client: PostgresClient, table: TableName, { mode }: LoadRequest, stage: string): Promise<boolean> {
  if (mode !== 'append') return false;
  const name = quoteTable(table);
  const { rows: there } = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [name]);
  if (!there[0]?.there) return false;
  // The next segment may be long in coming. The lock keeps the columns as they are looked at here.
  await client.query(`BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = 0; LOCK TABLE ${name} IN ROW EXCLUSIVE MODE`);
  const { rows } = await client.query<{ fits: boolean }>(fits, [name, stage]);
  if (rows[0]?.fits) return true;
  await client.query('ROLLBACK');
  return false;
}
