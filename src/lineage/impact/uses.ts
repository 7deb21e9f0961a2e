import type { CompiledOutput, CompiledPipeline } from '../../model/compiled-pipeline.js';
import { type ColumnRef, type DatasetRef, datasetKey } from '../../model/dataset.js';
import type { ImpactCode } from '../../model/impact.js';
import type { Transformation } from '../../model/lineage.js';

/** What a compiled pipeline does with one column of its inputs. */
export interface ColumnUse {
  /** It is read at all. */
  readonly read: boolean;
  /** Some expression reads its value. */
  readonly value: boolean;
  /** The ways in which it is used, the most telling first; COLUMN_READ last. */
  readonly codes: readonly ImpactCode[];
  /** On its ways to the outputs. */
  readonly transformations: readonly Transformation[];
}

const precedence: readonly ImpactCode[] = [
  'CURSOR',
  'RECOMPUTE_KEY',
  'LOAD_KEY',
  'JOIN_KEY',
  'GROUP_KEY',
  'FILTER_INPUT',
  'SORT_KEY',
  'WINDOW_INPUT',
  'COLUMN_READ',
];

const codeOf: Readonly<Partial<Record<Transformation['subtype'], ImpactCode>>> = {
  JOIN: 'JOIN_KEY',
  GROUP_BY: 'GROUP_KEY',
  FILTER: 'FILTER_INPUT',
  SORT: 'SORT_KEY',
  WINDOW: 'WINDOW_INPUT',
};

export function useOf(compiled: CompiledPipeline, dataset: DatasetRef, column: string): ColumnUse {
  const key = datasetKey(dataset);
  const inputs = compiled.inputs.filter((input) => datasetKey(input.dataset) === key);
  const found = inputs.flatMap(({ columns }) => columns.filter(({ name }) => name === column));
  const codes = new Set<ImpactCode>();
  if (inputs.some(({ incremental }) => incremental?.cursor === column)) codes.add('CURSOR');
  if (inputs.some(({ recomputeBy }) => recomputeBy.includes(column))) codes.add('RECOMPUTE_KEY');
  const transformations = compiled.outputs.flatMap((output) => onTheWay(output, { dataset, name: column }, codes));
  if (found.length > 0) codes.add('COLUMN_READ');
  return {
    read: codes.size > 0,
    value: found.some(({ value }) => value),
    codes: precedence.filter((code) => codes.has(code)),
    transformations,
  };
}

function onTheWay({ lineage, load }: CompiledOutput, column: ColumnRef, codes: Set<ImpactCode>): Transformation[] {
  const edges = lineage.columns.filter(({ from }) => isColumn(from, column));
  const influences = lineage.influences.filter(({ from }) => isColumn(from, column));
  for (const { to, transformations } of edges) {
    const direct = transformations.some(({ type }) => type === 'DIRECT');
    if (direct && load.key.includes(to)) codes.add('LOAD_KEY');
    if (direct && load.orderBy === to) codes.add('SORT_KEY');
  }
  const all = [...edges, ...influences].flatMap(({ transformations }) => transformations);
  for (const { subtype } of all) {
    const code = codeOf[subtype];
    if (code) codes.add(code);
  }
  if (all.length > 0) codes.add('COLUMN_READ');
  return all;
}

export function isColumn(a: ColumnRef, b: ColumnRef): boolean {
  return a.name === b.name && datasetKey(a.dataset) === datasetKey(b.dataset);
}

/** The first of several uses, the most telling. */
export function strongest(uses: readonly ColumnUse[]): ImpactCode {
  return precedence.find((code) => uses.some(({ codes }) => codes.includes(code))) ?? 'COLUMN_READ';
}
