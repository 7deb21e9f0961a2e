import type { CompiledInput } from '../model/compiled-pipeline.js';
import type { Reading } from '../model/reading.js';
import { atBinding, type RunPlace, type RunStage } from '../model/run-log.js';
import type { InputRead } from './increments/choose-reads.js';

/** Where a run is on its way. */
export class RunPlaceMark {
  place: RunPlace = atBinding;

  /** @param step  one that is computed over several rows; null: rows go through all of them */
  at(stage: RunStage, step: string | null = null): void {
    this.place = { ...this.place, stage, step };
  }

  expect(rowsExpected: number | null): void {
    this.place = { ...this.place, rowsExpected };
  }
}

/** Rows that these reads will give together, by the sources' own estimates; null: one of them does not know. */
export async function expectedRows(
  inputs: readonly CompiledInput[],
  reads: ReadonlyMap<string, InputRead>,
  readingOf: (input: CompiledInput) => Reading,
): Promise<number | null> {
  let sum = 0;
  for (const input of inputs) {
    const read = reads.get(input.alias);
    if (read === undefined) continue;
    const rows = (await readingOf(input).expectedRows?.({ stream: input.stream, columns: input.columns.map(({ name }) => name), ...read })) ?? null;
    if (rows === null) return null;
    sum += rows;
  }
  return sum;
}
