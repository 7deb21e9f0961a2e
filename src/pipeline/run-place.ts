import type { CompiledInput } from '../model/compiled-pipeline.js';
import type { Reading } from '../model/reading.js';
import { atBinding, type RunPlace, type RunStage } from '../model/run-log.js';
import type { InputRead } from './increments/choose-reads.js';

/** Where a run is on its way. */
export class RunPlaceMark {
  place: RunPlace = atBinding;
  /** By input; null: not known yet. Empty: what will be read is not known. */
  private expected = new Map<string, number | null>();

  /** @param step  one that is computed over several rows; null: rows go through all of them */
  at(stage: RunStage, step: string | null = null): void {
    this.place = { ...this.place, stage, step };
  }

  /** @param rows  by input; null: it may tell while it is read. Empty: nothing can be said */
  expect(rows: ReadonlyMap<string, number | null>): void {
    this.expected = new Map(rows);
    this.sum();
  }

  /**
   * An input has told how far it is.
   *
   * @param rows   that have been read of it
   * @param share  of it that they are, in (0, 1]
   */
  told(alias: string, rows: number, share: number): void {
    if (!this.expected.has(alias)) return;
    this.expected.set(alias, Math.round(rows / share));
    this.sum();
  }

  private sum(): void {
    const rows = [...this.expected.values()];
    const known = rows.filter((each) => each !== null);
    const rowsExpected = rows.length === 0 || known.length < rows.length ? null : known.reduce((total, each) => total + each, 0);
    this.place = { ...this.place, rowsExpected };
  }
}

/** Rows that these reads will give, by input and the sources' own estimates; null: that source does not know. */
export async function expectedRows(
  inputs: readonly CompiledInput[],
  reads: ReadonlyMap<string, InputRead>,
  readingOf: (input: CompiledInput) => Reading,
): Promise<Map<string, number | null>> {
  const expected = new Map<string, number | null>();
  for (const input of inputs) {
    const read = reads.get(input.alias);
    if (read === undefined) continue;
    const rows = await readingOf(input).expectedRows?.({ stream: input.stream, columns: input.columns.map(({ name }) => name), ...read });
    expected.set(input.alias, rows ?? null);
  }
  return expected;
}
