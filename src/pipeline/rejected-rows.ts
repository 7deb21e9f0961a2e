import { createHash } from 'node:crypto';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Load, RefusedRow } from '../model/connector.js';
import type { RejectedRow } from '../model/dead-letter.js';
import { quoteText } from './transform/duckdb.js';

const batchRows = 1_000;

/** Stores rejected rows durably; called with at most 1,000 at a time. */
export type StoreRejected = (rows: readonly RejectedRow[]) => Promise<void>;

/**
 * Stores what the steps rejected. A letter's id is a hash of load, stage, step, row content and its ordinal among equal rows, so that
 * another attempt at the same rows gives the same ids.
 *
 * @returns rows stored
 */
export async function storeTransformRejects(
  connection: DuckDBConnection,
  table: string,
  steps: ReadonlySet<string>,
  loadId: string,
  store: StoreRejected,
): Promise<number> {
  const ordinal = 'row_number() OVER (PARTITION BY step, "row" ORDER BY pos)';
  const id = `sha256(concat_ws(chr(31), ${quoteText(loadId)}, 'transform', step, "row", ordinal))`;
  const wanted = [...steps].map(quoteText).join(', ');
  if (wanted === '') return 0;
  const result = await connection.stream(
    `SELECT ${id}, step, message, "row" FROM (SELECT *, ${ordinal} AS ordinal FROM ${table} WHERE step IN (${wanted})) ORDER BY pos`,
  );
  let stored = 0;
  let batch: RejectedRow[] = [];
  for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    for (const [letter, step, message, row] of chunk.getRows() as [string, string, string, string][]) {
      batch.push({
        id: letter,
        loadId,
        stage: 'transform',
        step,
        code: 'VALUE_UNCONVERTIBLE',
        message: `${message}.`,
        row: JSON.parse(row) as RejectedRow['row'],
      });
      if (batch.length === batchRows) {
        await store(batch);
        stored += batch.length;
        batch = [];
      }
    }
  }
  if (batch.length > 0) await store(batch);
  return stored + batch.length;
}

/** Stores what the destination refuses to load. @returns rows stored */
export async function storeLoadRejects(load: Load, loadId: string, stream: string, store: StoreRejected, signal: AbortSignal): Promise<number> {
  let stored = 0;
  for await (const rows of load.refused(signal)) {
    await store(rows.map((row) => toRejected(row, loadId, stream)));
    stored += rows.length;
  }
  return stored;
}

function toRejected({ ordinal, code, message, row }: RefusedRow, loadId: string, step: string): RejectedRow {
  const id = createHash('sha256')
    .update([loadId, 'load', step, JSON.stringify(row), ordinal].join('\u001f'))
    .digest('hex');
  return { id, loadId, stage: 'load', step, code, message, row };
}
