import type { LoadCounts } from '../../model/connector.js';
import { PlatformError } from '../../model/errors.js';
import type { PostgresClient } from './client.js';
import { miscounted } from './errors.js';
import { quoteTable } from './identifiers.js';
import { columnsOf, countDuplicates, insertStaged, insertUnlessRepeated, winnersOf } from './merge.js';
import type { Merge } from './merge-parts.js';

/**
 * Puts the staged rows in the place of all that stand in the table, within the caller's transaction. Rows are deleted and not
 * truncated, so that a reader sees the old rows until the commit and the new ones behind it, also with an older snapshot. The lock
 * keeps other writers out and lets readers in.
 *
 * @throws PlatformError OVERWRITE_SHRINKS
 */
export async function overwrite(client: PostgresClient, merge: Merge): Promise<LoadCounts> {
  const { table, request, staged, refused } = merge;
  await client.query(`LOCK TABLE ${quoteTable(table)} IN SHARE ROW EXCLUSIVE MODE`);
  const deleted = (await client.query(`DELETE FROM ${quoteTable(table)}`)).rowCount ?? 0;
  assertNotShrunk(merge, deleted);
  const { rows } = await client.query(`SELECT FROM ${quoteTable(table)} LIMIT 1`);
  if (rows.length > 0) throw miscounted(`${deleted} rows were deleted and others still stand in the table`, request.stream);
  const inserted = await insertAll(client, merge);
  const stale = request.key.length > 0 ? staged.rows - refused.rows - inserted : 0;
  return { staged: staged.rows, inserted, updated: 0, deleted, unchanged: 0, stale, rejected: refused.rows };
}

async function insertAll(client: PostgresClient, merge: Merge): Promise<number> {
  const { table, request } = merge;
  if (request.key.length === 0) return insertStaged(client, merge);
  const inserted = await insertUnlessRepeated(client, merge);
  if (inserted !== null) return inserted;
  const expected = merge.staged.rows - merge.refused.rows - (await countDuplicates(client, merge));
  const { rowCount } = await client.query(`INSERT INTO ${quoteTable(table)} (${columnsOf(request)}) ${winnersOf(merge)}`);
  if (rowCount !== expected) throw miscounted(`${expected} keys were staged and ${rowCount} rows inserted`, request.stream);
  return expected;
}

function assertNotShrunk({ request, staged, refused }: Merge, there: number): void {
  const left = staged.rows - refused.rows;
  if (left >= request.minRatio * there) return;
  throw new PlatformError(
    'OVERWRITE_SHRINKS',
    `Overwriting ${request.stream} would leave ${left} rows where ${there} stand, less than load.minRatio (${request.minRatio}) asks for. Nothing was changed: look at the source, or lower load.minRatio to allow it.`,
    { context: { rows: left, there, minRatio: request.minRatio } },
  );
}
