import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { quoteIdentifier, quoteText } from '../../lib/duckdb-text.js';
import { SerialQueue } from '../../lib/serial-queue.js';
import type { Segment } from '../../model/segment.js';
import type { OutputLoad } from '../load/output-load.js';
import { assertCount } from './assert-count.js';
import type { Statements } from './statements.js';

/** What a pass needs of an output. */
export type PassOutput = Pick<OutputLoad, 'compiled' | 'identity' | 'unnumbered' | 'stage' | 'stageErased' | 'storeRefused'>;

/** Segments that wait to be staged. */
const ahead = 2;

interface Reader {
  readonly relation: string;
  /** A SELECT over it. */
  readonly sql: string;
  readonly columns: readonly string[];
  /** Every row of the relation is written. */
  readonly whole: boolean;
  readonly stream: string;
  stage(segment: Segment): Promise<void>;
}

/** Writes batches for the outputs and stages them behind the caller's back. */
export class Destinations {
  private readonly readers: readonly Reader[];
  private readonly staging = new SerialQueue(ahead);
  private segments = 0;

  constructor(
    private readonly statements: Statements,
    outputs: readonly PassOutput[],
    erases: boolean,
    private readonly folder: string,
  ) {
    this.readers = outputs.flatMap((output) => readersFor(output, erases));
  }

  readersOf(relation: string): number {
    return this.readers.filter((reader) => reader.relation === relation).length;
  }

  /** Resolves when the rows are in files; they may be staged later. */
  async take(relation: string, rows: number): Promise<void> {
    if (rows === 0) return;
    for (const reader of this.readers.filter((candidate) => candidate.relation === relation)) {
      const segment = await this.write(reader);
      if (reader.whole) assertCount(`Output "${reader.stream}"`, rows, segment.rows);
      await this.staging.push(async () => {
        if (segment.rows > 0) await reader.stage(segment);
        await rm(segment.path, { force: true });
      });
    }
  }

  /** Resolves when everything is staged. */
  drain(): Promise<void> {
    return this.staging.drain();
  }

  private async write({ sql, columns }: Reader): Promise<Segment> {
    this.segments += 1;
    const path = join(this.folder, `load-${this.segments}.csv`);
    const rows = await this.statements.run(`COPY (${sql}) TO ${quoteText(path)} (FORMAT csv, HEADER false, DELIMITER ',', QUOTE '"', ESCAPE '"', NULLSTR '')`);
    return { path, columns, rows, sizeBytes: (await stat(path)).size, widestRowBytes: 0 };
  }
}

function readersFor(output: PassOutput, withErases: boolean): Reader[] {
  const { from, columns, stream, erases } = output.compiled;
  const items = columns.map(({ name, sql }) => `${sql} AS ${quoteIdentifier(name)}`);
  const loaded: Reader = {
    relation: from,
    sql: `SELECT ${[...(output.unnumbered ? [] : ['_pos']), ...items].join(', ')} FROM ${quoteIdentifier(from)}`,
    columns: columns.map(({ name }) => name),
    whole: true,
    stream,
    stage: (segment) => output.stage(segment),
  };
  const erased = erases.map(
    (erase): Reader => ({
      relation: erase.from,
      sql: erase.sql,
      columns: erase.columns,
      whole: false,
      stream,
      stage: (segment) => output.stageErased(segment),
    }),
  );
  return withErases ? [loaded, ...erased] : [loaded];
}
