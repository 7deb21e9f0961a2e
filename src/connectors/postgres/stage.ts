import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import type { LoadRequest } from '../../model/connector.js';
import type { Segment } from '../../model/segment.js';
import { ownSearchPath, type PostgresClient } from './client.js';
import { miscounted } from './errors.js';
import { quoteIdentifier, quoteIdentifiers, quoteTable, type TableName } from './identifiers.js';

/** What a load has collected, in temporary tables of its session. */
export interface StagedCounts {
  /** Rows to load. */
  readonly rows: number;
  /** Rows that name keys to erase. */
  readonly erased: number;
  /** The rows stand in the table itself. */
  readonly straight: boolean;
}

/** Rows to load, `_pos` first. */
export const stage = 'pg_temp._tributary_stage';
/** Keys to erase; `_ordered` where the row counts only for what is not newer than it. */
export const erasedStage = 'pg_temp._tributary_erased';

/** Temporary tables of one session, which a cut connection takes with it, unless rows go straight to where they belong. */
export class Stage implements StagedCounts {
  rows = 0;
  erased = 0;
  /** Whether the rows of the next erased segment have an order; null: there was none yet. */
  private ordered: boolean | null = null;
  private target: string | null = null;

  constructor(
    private readonly client: PostgresClient,
    private readonly request: LoadRequest,
  ) {}

  async create(): Promise<void> {
    const columns = this.request.columns.map(({ name }) => name);
    await this.client.query(
      `SET work_mem = '64MB'; CREATE TEMPORARY TABLE _tributary_stage (_pos bigint, ${this.definitions(columns)}) ON COMMIT PRESERVE ROWS; ${ownSearchPath}`,
    );
  }

  get straight(): boolean {
    return this.target !== null;
  }

  /** From the first segment on, within the transaction that the caller has begun. */
  goStraightTo(table: TableName): void {
    this.target = quoteTable(table);
  }

  async copy(segment: Segment): Promise<void> {
    await (this.target === null ? this.copyInto(stage, segment, ['_pos']) : this.copyInto(this.target, segment, []));
    this.rows += segment.rows;
  }

  async copyErased(segment: Segment): Promise<void> {
    const { orderBy } = this.request;
    const ordered = orderBy !== null && segment.columns.includes(orderBy);
    if (this.ordered === null) {
      const columns = this.definitions(eraseColumns(this.request));
      await this.client.query(`CREATE TEMPORARY TABLE _tributary_erased (_pos bigint, _ordered boolean NOT NULL, ${columns}) ON COMMIT PRESERVE ROWS`);
    }
    if (this.ordered !== ordered) await this.client.query(`ALTER TABLE ${erasedStage} ALTER _ordered SET DEFAULT ${ordered}`);
    this.ordered = ordered;
    await this.copyInto(erasedStage, segment, ['_pos']);
    this.erased += segment.rows;
  }

  private async copyInto(table: string, segment: Segment, before: readonly string[]): Promise<void> {
    const copy = this.client.query(copyFrom(`COPY ${table} (${quoteIdentifiers([...before, ...segment.columns])}) FROM STDIN (FORMAT csv)`));
    await pipeline(createReadStream(segment.path, { highWaterMark: 1 << 18 }), copy);
    if (copy.rowCount !== segment.rows) throw miscounted(`${segment.rows} rows were sent to the destination and ${copy.rowCount} arrived`, this.request.stream);
  }

  private definitions(names: readonly string[]): string {
    const types = new Map(this.request.columns.map(({ name, type }) => [name, type]));
    return names.map((name) => `${quoteIdentifier(name)} ${types.get(name)}`).join(', ');
  }
}

/** Condition on a staged row to be loaded: key and `orderBy` are there. */
export function acceptable(request: LoadRequest): string {
  const needed = eraseColumns(request);
  return needed.length === 0 ? 'true' : needed.map((name) => `${quoteIdentifier(name)} IS NOT NULL`).join(' AND ');
}

/** The same of a row that erases: `orderBy` is needed where its segment has it. */
export function acceptableErased({ key, orderBy }: LoadRequest): string {
  const conditions = key.map((name) => `${quoteIdentifier(name)} IS NOT NULL`);
  if (orderBy !== null && !key.includes(orderBy)) conditions.push(`(NOT _ordered OR ${quoteIdentifier(orderBy)} IS NOT NULL)`);
  return conditions.join(' AND ');
}

/** The key, then `orderBy` where it is no part of it. */
export function eraseColumns({ key, orderBy }: LoadRequest): readonly string[] {
  return orderBy === null || key.includes(orderBy) ? key : [...key, orderBy];
}
