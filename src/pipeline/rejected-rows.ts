import { createHash } from 'node:crypto';
import type { DuckDBDataChunk } from '@duckdb/node-api';
import { quoteText } from '../lib/duckdb-text.js';
import type { Load, RefusedRow } from '../model/connector.js';
import type { DeadLetterStage, RejectedRow } from '../model/dead-letter.js';

const batchRows = 1_000;
/** Characters of row text behind which a batch is stored, so that rows of 1 MB do not fill the heap. */
const batchTextLength = 4 * 1_024 * 1_024;

/** Stores rejected rows durably; called with at most 1,000 at a time, and at most 4 MiB of row text and the row that reached it. */
export type StoreRejected = (rows: readonly RejectedRow[]) => Promise<void>;

/** Where a query gives its rows bit by bit. */
export interface RowSource {
  stream(sql: string): Promise<{ fetchChunk(): Promise<DuckDBDataChunk | null> }>;
}

/**
 * Stores what inputs and steps rejected. A letter's id is a hash of load, stage, step, row content and its ordinal among equal rows, so that
 * another attempt at the same rows gives the same ids.
 *
 * @returns rows stored
 */
export async function storeTransformRejects(
  source: RowSource,
  table: string,
  steps: ReadonlySet<string>,
  loadId: string,
  store: StoreRejected,
): Promise<number> {
  const ordinal = 'row_number() OVER (PARTITION BY stage, step, "row" ORDER BY pos)';
  const id = `sha256(concat_ws(chr(31), ${quoteText(loadId)}, stage, step, "row", ordinal))`;
  const wanted = [...steps].map(quoteText).join(', ');
  if (wanted === '') return 0;
  const result = await source.stream(
    `SELECT ${id}, stage, step, code, message, "row" FROM (SELECT *, ${ordinal} AS ordinal FROM ${table} WHERE step IN (${wanted})) ORDER BY pos`,
  );
  const batch = new RejectedBatch(store);
  for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    const columns = [0, 1, 2, 3, 4, 5].map((index) => chunk.getColumnVector(index));
    for (let index = 0; index < chunk.rowCount; index += 1) {
      // One row at a time: a chunk holds up to 2,048.
      const [letter, stage, step, code, message, row] = columns.map((column) => column.getItem(index)) as StoredReject;
      const content = JSON.parse(row) as RejectedRow['row'];
      await batch.add({ id: letter, loadId, stage, step, code, message: `${message}.`, row: content }, row.length);
    }
  }
  return await batch.finish();
}

type StoredReject = [id: string, stage: DeadLetterStage, step: string, code: string, message: string, row: string];

/** Stores what the destination refuses to load. @returns rows stored */
export async function storeLoadRejects(load: Load, loadId: string, stream: string, store: StoreRejected, signal: AbortSignal): Promise<number> {
  const batch = new RejectedBatch(store);
  for await (const rows of load.refused(signal)) {
    for (const row of rows) {
      const text = JSON.stringify(row.row);
      await batch.add(toRejected(row, text, loadId, stream), text.length);
    }
    await batch.flush();
  }
  return await batch.finish();
}

/** Collects rejected rows and stores them by number and by length of their text. */
class RejectedBatch {
  private rows: RejectedRow[] = [];
  private textLength = 0;
  private stored = 0;

  constructor(private readonly store: StoreRejected) {}

  async add(row: RejectedRow, textLength: number): Promise<void> {
    this.rows.push(row);
    this.textLength += textLength;
    if (this.rows.length >= batchRows || this.textLength >= batchTextLength) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.rows.length === 0) return;
    const { rows } = this;
    this.rows = [];
    this.textLength = 0;
    await this.store(rows);
    this.stored += rows.length;
  }

  /** @returns rows stored in all */
  async finish(): Promise<number> {
    await this.flush();
    return this.stored;
  }
}

function toRejected({ ordinal, code, message, row }: RefusedRow, text: string, loadId: string, step: string): RejectedRow {
  const id = createHash('sha256').update([loadId, 'load', step, text, ordinal].join('\u001f')).digest('hex');
  return { id, loadId, stage: 'load', step, code, message, row };
}
