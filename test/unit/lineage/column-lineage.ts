import fc from 'fast-check';
import type { WalkNode } from '../../../src/model/walk-node.js';

/** Lineage of datasets with two columns each: dataset 3 has the columns `3.0` and `3.1`. */
export interface ColumnLineage {
  readonly datasets: readonly string[];
  readonly derives: readonly (readonly [fromColumn: string, toColumn: string])[];
  readonly influences: readonly (readonly [fromColumn: string, toDataset: string])[];
  readonly starts: readonly string[];
}

const datasets = ['0', '1', '2', '3', '4', '5'];
const dataset = fc.constantFrom(...datasets);
const column = fc.tuple(dataset, fc.constantFrom('0', '1')).map(([of, name]) => `${of}.${name}`);

export const arbitraryLineage: fc.Arbitrary<ColumnLineage> = fc.record({
  datasets: fc.constant(datasets),
  derives: fc.uniqueArray(fc.tuple(column, column), { maxLength: 14, selector: String }),
  influences: fc.uniqueArray(fc.tuple(column, dataset), { maxLength: 6, selector: String }),
  starts: fc.uniqueArray(column, { minLength: 1, maxLength: 2 }),
});

export function columnsOf(ofDataset: string): string[] {
  return [`${ofDataset}.0`, `${ofDataset}.1`];
}

/** The steps as the graph answers them. */
export function walkNodes({ datasets: all, derives, influences }: ColumnLineage, direction: 'UPSTREAM' | 'DOWNSTREAM'): WalkNode[] {
  const pairs = [...derives, ...influences].map(([from, to]) => (direction === 'DOWNSTREAM' ? [from, to] : [to, from]));
  const edgesFrom = (id: string): string[] => pairs.flatMap(([from, to]) => (from === id ? [to ?? ''] : []));
  return all.flatMap((of) => [
    { id: of, edges: edgesFrom(of), columns: direction === 'DOWNSTREAM' ? columnsOf(of) : [] },
    ...columnsOf(of).map((id) => ({ id, edges: edgesFrom(id), columns: direction === 'UPSTREAM' ? [of] : [] })),
  ]);
}

/**
 * What DESIGN says, without its shortcuts: relax every edge again and again until no depth gets less. An influence costs one
 * and reaches the dataset (downstream only) and every column of it; the start is not counted.
 */
export function naiveDepths({ datasets: all, derives, influences }: ColumnLineage, start: string, direction: 'UPSTREAM' | 'DOWNSTREAM'): Map<string, number> {
  const costs: [string, string][] = [
    ...derives.map(([from, to]): [string, string] => (direction === 'DOWNSTREAM' ? [from, to] : [to, from])),
    ...influences.flatMap(([from, to]): [string, string][] => columnsOf(to).map((id) => (direction === 'DOWNSTREAM' ? [from, id] : [id, from]))),
    ...(direction === 'DOWNSTREAM' ? influences.map(([from, to]): [string, string] => [from, to]) : []),
  ];
  const depths = new Map([[start, 0]]);
  for (let round = 0; round < 3 * all.length; round += 1) {
    for (const [from, to] of costs) {
      const depth = depths.get(from);
      if (depth !== undefined && depth + 1 < (depths.get(to) ?? Number.POSITIVE_INFINITY)) depths.set(to, depth + 1);
    }
  }
  depths.delete(start);
  return depths;
}
