import type { PostgresClient } from './client.js';
import { quoteIdentifier, quoteTable } from './identifiers.js';
import type { Merge } from './merge-parts.js';
import { acceptable, acceptableErased, erasedStage, stage } from './stage.js';

/** Deletes the stored rows whose key is erased, unless the same load has a row of that key or the stored one is newer. Returns how many. */
export async function eraseRows(client: PostgresClient, { request, table, staged, refused }: Merge): Promise<number> {
  if (staged.erased === refused.erased) return 0;
  const { key, orderBy } = request;
  const same = (left: string, right: string) => key.map((name) => `${left}.${quoteIdentifier(name)} = ${right}.${quoteIdentifier(name)}`).join(' AND ');
  const order = orderBy === null || key.includes(orderBy) ? null : quoteIdentifier(orderBy);
  const notNewer = order === null ? 'true' : `(NOT gone._ordered OR stored.${order} IS NULL OR stored.${order} <= gone.${order})`;
  const { rowCount } = await client.query(
    `DELETE FROM ${quoteTable(table)} AS stored USING (SELECT * FROM ${erasedStage} WHERE ${acceptableErased(request)}) AS gone
     WHERE ${same('stored', 'gone')} AND ${notNewer}
       AND NOT EXISTS (SELECT FROM ${stage} AS staged WHERE ${acceptable(request)} AND ${same('staged', 'gone')})`,
  );
  return rowCount ?? 0;
}
