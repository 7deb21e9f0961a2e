import { mkdir } from 'node:fs/promises';
import { quoteIdentifier, quoteText } from '../../lib/duckdb-text.js';
import type { TypedColumn } from './relation-types.js';
import type { Statements } from './statements.js';
import { readSql, storedName, writeSql } from './stored-values.js';

/** Rows of one side of a blocking step that were put aside. */
export interface SpoolFile {
  readonly path: string;
  /** Part of the rows, by the hash of what they belong together by. */
  readonly part: number;
  readonly rows: number;
  /** In memory, estimated. */
  readonly bytes: number;
}

export interface PutAside {
  /** What follows FROM: the columns under their names. */
  readonly source: string;
  readonly columns: readonly TypedColumn[];
  /** Expressions over the source. Empty: one part. */
  readonly partitionBy: readonly string[];
  readonly parts: number;
  /** Another level divides rows of one part again. */
  readonly level: number;
  readonly folder: string;
  /** In memory, estimated. */
  readonly rowBytes: number;
}

/** Writes rows into a file for each part; parts without rows have none. */
export async function putAside(statements: Statements, { source, columns, partitionBy, parts, level, folder, rowBytes }: PutAside): Promise<SpoolFile[]> {
  await mkdir(folder, { recursive: true });
  const items = columns.map((column, index) => `${writeSql(column, quoteIdentifier(column.name))} AS ${storedName(index)}`);
  const query = `SELECT ${[...items, `${partSql(partitionBy, parts, level)} AS part`].join(', ')} FROM ${source}`;
  const written = await statements.rows(
    `COPY (${query}) TO ${quoteText(folder)} (FORMAT parquet, PARTITION_BY (part), RETURN_STATS, COMPRESSION lz4_raw, ROW_GROUP_SIZE 20480)`,
  );
  return written.map(([file, count]) => {
    const path = String(file);
    const rows = Number(count);
    return { path, part: Number(/part=(\d+)[^=]*$/.exec(path)?.[1]), rows, bytes: Math.ceil(rows * rowBytes) };
  });
}

/** The rows of these files as they were. */
export function storedSql(files: readonly SpoolFile[], columns: readonly TypedColumn[]): string {
  const items = columns.map((column, index) => `${readSql(column, storedName(index))} AS ${quoteIdentifier(column.name)}`);
  return `SELECT ${items.join(', ')} FROM read_parquet([${files.map(({ path }) => quoteText(path)).join(', ')}], hive_partitioning = false)`;
}

/** A hash of the hash: DuckDB's own tables use the first one, so that rows of one part would crowd in them. */
function partSql(partitionBy: readonly string[], parts: number, level: number): string {
  if (partitionBy.length === 0) return '0';
  return `hash(xor(hash(${partitionBy.join(', ')}), ${7919 * (level + 1)}::UBIGINT)) % ${parts}`;
}

export function totalBytes(files: readonly SpoolFile[]): number {
  return files.reduce((total, { bytes }) => total + bytes, 0);
}

export function totalRows(files: readonly SpoolFile[]): number {
  return files.reduce((total, { rows }) => total + rows, 0);
}
