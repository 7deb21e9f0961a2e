import { rm } from 'node:fs/promises';
import type { CompiledStep } from '../../model/compiled-pipeline.js';
import { type Exchange, groupsOf } from './exchange.js';
import { type SpoolFile, totalBytes } from './spool-files.js';

/** What a blocking step is given at a time: a SELECT for each of its sides. */
export type Part = readonly string[];
type Sides = readonly (readonly SpoolFile[])[];

/** A part that was divided this often and is still too large holds rows that belong together. */
const mostLevels = 4;
/** A part of this share of the rows was not made smaller by dividing. */
const undivided = 0.9;

/** The parts of a blocking step's rows, one after another; the files of each are removed when the next one is asked for. */
export class Parts {
  private readonly partBytes: number;
  private readonly mostParts: number;

  constructor(
    private readonly step: CompiledStep,
    private readonly exchanges: readonly Exchange[],
  ) {
    const sizes = exchanges[0]?.settings.sizes;
    this.partBytes = sizes?.partBytes ?? 0;
    this.mostParts = sizes?.parts ?? 1;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Part> {
    if (this.exchanges.every(({ inFiles }) => !inFiles)) {
      yield this.exchanges.map((exchange) => exchange.sql([]));
      return;
    }
    for (const exchange of this.exchanges) await exchange.flush();
    const sides = this.exchanges.map((exchange) => exchange.takeFiles());
    if (this.exchanges.every(({ settings }) => settings.partitionBy.length === 0)) yield* this.undividedParts(sides);
    else for (let part = 0; part < this.mostParts; part += 1) yield* this.divided(ofPart(sides, part), 1);
  }

  private async *divided(sides: Sides, level: number): AsyncGenerator<Part> {
    const bytes = sizeOf(sides);
    if (sides.every((files) => files.length === 0)) return;
    if (bytes <= this.partBytes || level > mostLevels) {
      yield* this.undividedParts(sides);
      return;
    }
    const parts = Math.min(this.mostParts, Math.max(2, Math.ceil((1.5 * bytes) / this.partBytes)));
    const finer: SpoolFile[][] = [];
    for (const [index, exchange] of this.exchanges.entries()) finer.push(await exchange.divide(sides[index] ?? [], parts, level));
    await remove(sides);
    for (let part = 0; part < parts; part += 1) {
      const inner = ofPart(finer, part);
      if (sizeOf(inner) > undivided * bytes) yield* this.undividedParts(inner);
      else yield* this.divided(inner, level + 1);
    }
  }

  /** Rows that cannot be divided: of a join whose left side may come bit by bit, a bit at a time beside the right one. */
  private async *undividedParts(sides: Sides): AsyncGenerator<Part> {
    const [left = [], ...others] = sides;
    const bitwise = this.step.blocking?.streamsLeft && this.step.from[0] !== this.step.from[1] && sizeOf(sides) > this.partBytes;
    const groups = bitwise && left.length > 0 ? groupsOf(left, this.partBytes) : [left];
    for (const group of groups) yield this.exchanges.map((exchange, index) => exchange.sql(index === 0 ? group : (others[index - 1] ?? [])));
    await remove(sides);
  }
}

function ofPart(sides: Sides, wanted: number): SpoolFile[][] {
  return sides.map((files) => files.filter(({ part }) => part === wanted));
}

function sizeOf(sides: Sides): number {
  return sides.reduce((total, files) => total + totalBytes(files), 0);
}

async function remove(sides: Sides): Promise<void> {
  for (const { path } of sides.flat()) await rm(path, { force: true });
}
