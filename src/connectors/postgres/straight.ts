import type { LoadRequest } from '../../model/connector.js';
import type { PostgresClient } from './client.js';
import { quoteTable, type TableName } from './identifiers.js';
import { stage } from './stage.js';

/**
 * Every staged column is one of the table, of exactly its type. A trigger (a foreign key is one), a rule or a policy may look at other
 * tables of the same run, which are written only by its commits; a file of one column would hold `\.` bare, which ends a COPY. Who may
 * write only some columns may not lock.
 */
const fitting = `SELECT 1 FROM pg_catalog.pg_class AS c
  WHERE c.oid = to_regclass($1) AND c.relkind = 'r' AND NOT c.relhastriggers AND NOT c.relhasrules AND NOT c.relrowsecurity
    AND has_table_privilege(c.oid, 'INSERT') AND (
  SELECT count(*) FILTER (WHERE stored.attnum IS NOT NULL) = count(*) AND count(*) > 1
    FROM pg_catalog.pg_attribute AS staged
    LEFT JOIN pg_catalog.pg_attribute AS stored ON stored.attrelid = c.oid AND stored.attname = staged.attname AND stored.atttypid = staged.atttypid
      AND stored.atttypmod = staged.atttypmod AND stored.attgenerated = '' AND stored.attidentity <> 'a' AND NOT stored.attisdropped
   WHERE staged.attrelid = '${stage}'::regclass AND staged.attnum > 0 AND staged.attname <> '_pos')`;

/**
 * Begins the load's transaction for rows that are appended as they are and can be copied straight into a table that is there, so that
 * each is written once. False, and no transaction: they must be collected in the stage, which is there already.
 */
export async function beginStraight(client: PostgresClient, table: TableName, { mode }: LoadRequest): Promise<boolean> {
  if (mode !== 'append' || !(await fits(client, table))) return false;
  // The lock keeps the columns as they are; what they were before it may be past.
  await client.query(`BEGIN ISOLATION LEVEL READ COMMITTED; LOCK TABLE ${quoteTable(table)} IN ROW EXCLUSIVE MODE`);
  if (await fits(client, table)) return true;
  await client.query('ROLLBACK');
  return false;
}

async function fits(client: PostgresClient, table: TableName): Promise<boolean> {
  return (await client.query(fitting, [quoteTable(table)])).rows.length > 0;
}
