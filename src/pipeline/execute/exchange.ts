import { join } from 'node:path';
import { quoteIdentifier } from '../../lib/duckdb-text.js';
import { assertCount } from './assert-count.js';
import type { TypedColumn } from './relation-types.js';
import { putAside, type SpoolFile, storedSql, totalRows } from './spool-files.js';
import type { Statements } from './statements.js';
import { storedName } from './stored-values.js';

/** How much may be held in memory at a time. */
export interface ExchangeSizes {
  /** Of all rows that wait in tables, in bytes. */
  readonly bufferBytes: number;
  /** Of the rows that a blocking step is given at a time, in bytes. */
  readonly partBytes: number;
  /** Of the right side of a join that streams its left one, in bytes: it is joined anew with every batch. */
  readonly streamBytes: number;
  /** Parts that rows are divided into. */
  readonly parts: number;
}

export interface ExchangeSettings {
  readonly step: string;
  readonly side: number;
  readonly relation: string;
  readonly columns: readonly TypedColumn[];
  readonly partitionBy: readonly string[];
  /** Of this exchange alone; made when it is needed. */
  readonly folder: string;
  readonly sizes: ExchangeSizes;
}

/** The rows of one side of a blocking step: in a table while they are few, else in files, a part of the rows in each. */
export class Exchange {
  rows = 0;
  /** Of the rows in the table, estimated. */
  bufferedBytes = 0;
  private bufferedRows = 0;
  private flushes = 0;
  private readonly table: string;
  private files: SpoolFile[] = [];

  constructor(
    private readonly statements: Statements,
    readonly settings: ExchangeSettings,
  ) {
    this.table = quoteIdentifier(`_exchange:${settings.side}:${settings.step}`);
  }

  async open(): Promise<void> {
    const columns = this.settings.columns.map(({ type }, index) => `${storedName(index)} ${type}`);
    await this.statements.run(`CREATE TABLE ${this.table} (${columns.join(', ')})`);
  }

  /** Takes the rows of the relation that are there now. @returns how many */
  async append(): Promise<number> {
    const names = this.settings.columns.map(({ name }) => quoteIdentifier(name)).join(', ');
    const rows = await this.statements.run(`INSERT INTO ${this.table} SELECT ${names} FROM ${quoteIdentifier(this.settings.relation)}`);
    const from = this.bufferedRows;
    this.rows += rows;
    this.bufferedRows += rows;
    this.bufferedBytes += await this.bytesFrom(from, rows);
    return rows;
  }

  get inFiles(): boolean {
    return this.files.length > 0;
  }

  get rowBytes(): number {
    return this.bufferedRows === 0 ? 0 : this.bufferedBytes / this.bufferedRows;
  }

  /** Moves the rows of the table to files. */
  async flush(): Promise<void> {
    const { columns, partitionBy, sizes, relation } = this.settings;
    const { rowBytes } = this;
    // Written a piece at a time: what waits for its file is in memory.
    const pieceRows = Math.max(1, Math.floor(sizes.bufferBytes / Math.max(rowBytes, 1)));
    const before = totalRows(this.files);
    for (let start = 0; start < this.bufferedRows; start += pieceRows) {
      const piece = `(${this.tableSql()} WHERE rowid >= ${start} AND rowid < ${start + pieceRows}) AS ${quoteIdentifier(relation)}`;
      this.files.push(
        ...(await putAside(this.statements, { source: piece, columns, partitionBy, parts: sizes.parts, level: 0, folder: this.nextFolder(), rowBytes })),
      );
    }
    assertCount(`The rows put aside for step "${this.settings.step}"`, this.bufferedRows, totalRows(this.files) - before);
    await this.empty();
  }

  /** Divides a part that is too large again. */
  async divide(files: readonly SpoolFile[], parts: number, level: number): Promise<SpoolFile[]> {
    const { columns, partitionBy, sizes, relation } = this.settings;
    const divided: SpoolFile[] = [];
    for (const group of groupsOf(files, sizes.bufferBytes)) {
      const source = `(${storedSql(group, columns)}) AS ${quoteIdentifier(relation)}`;
      const rowBytes = group.reduce((total, { bytes }) => total + bytes, 0) / Math.max(1, totalRows(group));
      divided.push(...(await putAside(this.statements, { source, columns, partitionBy, parts, level, folder: this.nextFolder(), rowBytes })));
    }
    assertCount(`The rows put aside for step "${this.settings.step}"`, totalRows(files), totalRows(divided));
    return divided;
  }

  /** The files written so far, which are the caller's from now on. */
  takeFiles(): SpoolFile[] {
    const { files } = this;
    this.files = [];
    return files;
  }

  /** A SELECT of these rows; of no file, of the rows in the table. */
  sql(files: readonly SpoolFile[]): string {
    return files.length === 0 ? this.tableSql() : storedSql(files, this.settings.columns);
  }

  /** Columns of the table have numbers for names, so that none hides the row's number. */
  private tableSql(): string {
    return `SELECT ${this.settings.columns.map(({ name }, index) => `${storedName(index)} AS ${quoteIdentifier(name)}`).join(', ')} FROM ${this.table}`;
  }

  async close(): Promise<void> {
    this.bufferedBytes = 0;
    await this.statements.clear(`DROP TABLE IF EXISTS ${this.table}`);
  }

  private async empty(): Promise<void> {
    await this.statements.run(`DROP TABLE ${this.table}`);
    await this.open();
    this.bufferedRows = 0;
    this.bufferedBytes = 0;
  }

  private nextFolder(): string {
    this.flushes += 1;
    return join(this.settings.folder, String(this.flushes));
  }

  private async bytesFrom(start: number, rows: number): Promise<number> {
    const lengths = this.settings.columns.flatMap(({ type }, index) => lengthSql(storedName(index), type) ?? []);
    const fixed = this.settings.columns.length * 16 * rows;
    if (lengths.length === 0 || rows === 0) return fixed;
    const sums = lengths.map((length) => `coalesce(sum(${length}), 0)`).join(' + ');
    const [found] = await this.statements.rows(`SELECT CAST(${sums} AS BIGINT) FROM ${this.table} WHERE rowid >= ${start}`);
    return fixed + Number(found?.[0] ?? 0);
  }
}

/** What a value takes beside its place in the column; null: nothing. */
function lengthSql(column: string, type: string): string | null {
  if (type === 'VARCHAR' || type === 'JSON') return `strlen(${column})`;
  if (type === 'BLOB') return `octet_length(${column})`;
  return /[[(]/.test(type) && !/^(DECIMAL|ENUM)\([^()]*\)$/.test(type) ? `strlen(CAST(${column} AS VARCHAR))` : null;
}

/** Files in their order, as many at a time as have about this size together. */
export function groupsOf(files: readonly SpoolFile[], bytes: number): SpoolFile[][] {
  const groups: SpoolFile[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const file of files) {
    if (size + file.bytes > bytes) {
      groups.push([]);
      size = 0;
    }
    groups.at(-1)?.push(file);
    size += file.bytes;
  }
  return groups;
}
