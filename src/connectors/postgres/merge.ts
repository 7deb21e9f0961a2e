import type { LoadCounts, LoadRequest } from '../../model/connector.js';
import type { PostgresClient } from './client.js';
import { eraseRows } from './erase.js';
import { sqlState } from './errors.js';
import { quoteIdentifier, quoteIdentifiers, quoteTable } from './identifiers.js';
import type { Merge } from './merge-parts.js';
import { acceptable, stage } from './stage.js';

interface Written {
  readonly inserted: number;
  readonly updated: number;
}

const uniqueViolation = '23505';
const upsertAttempts = 3;

/** Writes the staged rows into the table, within the caller's transaction, and says what became of each. */
export async function mergeStage(client: PostgresClient, merge: Merge): Promise<LoadCounts> {
  const { request, staged, refused } = merge;
  const deleted = await eraseRows(client, merge);
  const counts = { staged: staged.rows + staged.erased, inserted: 0, updated: 0, deleted, stale: 0, rejected: refused.rows + refused.erased };
  const notThere = staged.erased - refused.erased - deleted;
  if (request.mode === 'append') return { ...counts, inserted: staged.straight ? staged.rows : await insertStaged(client, merge), unchanged: 0 };
  const first = await insertIntoEmpty(client, merge);
  if (first !== null) return { ...counts, inserted: first, unchanged: notThere };
  const losers = await countDuplicates(client, merge);
  const winners = losers > 0 ? winnersOf(merge) : acceptableOf(merge);
  const { inserted, updated } = await upsert(client, merge, winners);
  const left = staged.rows - refused.rows - losers - inserted - updated;
  const older = left > 0 && request.orderBy !== null ? await countOlder(client, merge, winners) : 0;
  return { ...counts, inserted, updated, stale: losers + older, unchanged: notThere + left - older };
}

/** Every staged row, in its order. */
export async function insertStaged(client: PostgresClient, { request, table }: Merge): Promise<number> {
  const columns = columnsOf(request);
  return (await client.query(`INSERT INTO ${quoteTable(table)} (${columns}) SELECT ${columns} FROM ${stage} ORDER BY _pos`)).rowCount ?? 0;
}

/** The usual first load. null: it is another case. */
async function insertIntoEmpty(client: PostgresClient, merge: Merge): Promise<number | null> {
  const { rows } = await client.query(`SELECT 1 FROM ${quoteTable(merge.table)} LIMIT 1`);
  return rows.length > 0 ? null : insertUnlessRepeated(client, merge);
}

/** One plain insert, which the unique index itself checks for repeated keys. null: there are such. */
export function insertUnlessRepeated(client: PostgresClient, merge: Merge): Promise<number | null> {
  const insert = `INSERT INTO ${quoteTable(merge.table)} (${columnsOf(merge.request)}) ${acceptableOf(merge)}`;
  return unlessRepeated(client, async () => (await client.query(insert)).rowCount ?? 0);
}

/**
 * An update and an insert of what is not there: half the time of `ON CONFLICT` for new rows. Should another session insert one of the
 * keys meanwhile, its row is there when both are done again.
 *
 * @throws the unique violation when it stays: then it is of another index than the key's
 */
async function upsert(client: PostgresClient, merge: Merge, winners: string): Promise<Written> {
  const update = async (): Promise<Written> => {
    const updated = await updateExisting(client, merge, winners);
    const { rowCount } = await client.query(
      `INSERT INTO ${quoteTable(merge.table)} (${columnsOf(merge.request)}) SELECT winner.* FROM (${winners}) AS winner
       WHERE NOT EXISTS (SELECT FROM ${quoteTable(merge.table)} AS stored WHERE ${sameKey(merge.request)})`,
    );
    return { inserted: rowCount ?? 0, updated };
  };
  for (let attempt = 1; attempt < upsertAttempts; attempt += 1) {
    const written = await unlessRepeated(client, update);
    if (written) return written;
  }
  return update();
}

/** Runs `work`; a key that is there already undoes it and gives null. */
async function unlessRepeated<T>(client: PostgresClient, work: () => Promise<T>): Promise<T | null> {
  await client.query('SAVEPOINT tributary_merge');
  try {
    return await work();
  } catch (error) {
    if (sqlState(error) !== uniqueViolation) throw error;
    await client.query('ROLLBACK TO SAVEPOINT tributary_merge');
    return null;
  }
}

async function updateExisting(client: PostgresClient, { request, table }: Merge, winners: string): Promise<number> {
  const others = othersOf(request);
  if (others.length === 0) return 0;
  const assignments = others.map((name) => `${quoteIdentifier(name)} = winner.${quoteIdentifier(name)}`).join(', ');
  const { rowCount } = await client.query(
    `UPDATE ${quoteTable(table)} AS stored SET ${assignments} FROM (${winners}) AS winner WHERE ${sameKey(request)} AND ${replaces(request, 'winner')}`,
  );
  return rowCount ?? 0;
}

/** Rows beyond the first of their key. */
export async function countDuplicates(client: PostgresClient, { request, staged, refused }: Merge): Promise<number> {
  const key = quoteIdentifiers(request.key);
  const { rows } = await client.query<{ keys: string }>(
    request.key.length === 1
      ? `SELECT count(DISTINCT ${key}) AS keys FROM ${stage} WHERE ${acceptable(request)}`
      : `SELECT count(*) AS keys FROM (SELECT FROM ${stage} WHERE ${acceptable(request)} GROUP BY ${key}) AS distinct_keys`,
  );
  return staged.rows - refused.rows - Number(rows[0]?.keys ?? 0);
}

/** Winners older than the row that stands in the table. */
async function countOlder(client: PostgresClient, { request, table }: Merge, winners: string): Promise<number> {
  const order = quoteIdentifier(request.orderBy ?? '');
  const { rows } = await client.query<{ older: string }>(
    `SELECT count(*) AS older FROM (${winners}) AS winner JOIN ${quoteTable(table)} AS stored ON ${sameKey(request)} WHERE stored.${order} > winner.${order}`,
  );
  return Number(rows[0]?.older ?? 0);
}

function acceptableOf({ request }: Merge): string {
  return `SELECT ${columnsOf(request)} FROM ${stage} WHERE ${acceptable(request)}`;
}

/** Of several rows with one key the highest `orderBy`, then the last position. */
export function winnersOf({ request }: Merge): string {
  const key = quoteIdentifiers(request.key);
  const order = request.orderBy === null ? '' : `${quoteIdentifier(request.orderBy)} DESC, `;
  return `SELECT DISTINCT ON (${key}) ${columnsOf(request)} FROM ${stage} WHERE ${acceptable(request)} ORDER BY ${key}, ${order}_pos DESC`;
}

/** Not older than the stored row and not equal to it. `*<>` compares stored images: every type has it, 1.0 differs from 1.00, NULL equals NULL. */
function replaces(request: LoadRequest, row: string): string {
  const image = (alias: string) =>
    `CAST(ROW(${othersOf(request)
      .map((name) => `${alias}.${quoteIdentifier(name)}`)
      .join(', ')}) AS record)`;
  const differs = `${image('stored')} OPERATOR(pg_catalog.*<>) ${image(row)}`;
  if (request.orderBy === null) return differs;
  const order = quoteIdentifier(request.orderBy);
  return `(stored.${order} IS NULL OR ${row}.${order} >= stored.${order}) AND ${differs}`;
}

function sameKey({ key }: LoadRequest): string {
  return key.map((name) => `stored.${quoteIdentifier(name)} = winner.${quoteIdentifier(name)}`).join(' AND ');
}

export function columnsOf({ columns }: LoadRequest): string {
  return quoteIdentifiers(columns.map(({ name }) => name));
}

function othersOf({ columns, key }: LoadRequest): string[] {
  return columns.map(({ name }) => name).filter((name) => !key.includes(name));
}
