import type { ColumnRef } from '../model/dataset.js';
import { datasetKey } from '../model/dataset.js';
import type { InfluenceEdge, Transformation } from '../model/lineage.js';

/** What a column of a relation is made of: a column of an input, and what happened on the way. No transformation: passed through. */
export interface ColumnSource {
  readonly from: ColumnRef;
  readonly transformations: readonly Transformation[];
}

export const identity: Transformation = { type: 'DIRECT', subtype: 'IDENTITY', expression: null, masking: false, step: null };

/**
 * One more step on every way from an input column. A way that is INDIRECT anywhere is INDIRECT as a whole; what changed the
 * value on a DIRECT way is listed in order.
 */
export function compose(before: readonly Transformation[], next: Transformation): Transformation[] {
  const indirect = before.filter(({ type }) => type === 'INDIRECT');
  const direct = before.filter(({ type }) => type === 'DIRECT');
  if (before.length > 0 && direct.length === 0) return [...before];
  if (next.type === 'INDIRECT') return unique([...indirect, next]);
  return unique([...indirect, ...direct.filter(({ subtype }) => subtype !== 'IDENTITY'), next]);
}

/** One source for each input column, with everything that happened to it. */
export function mergeSources(sources: readonly ColumnSource[]): ColumnSource[] {
  const merged = new Map<string, ColumnSource>();
  for (const source of sources) {
    const key = columnKey(source.from);
    const known = merged.get(key);
    merged.set(key, known ? { from: source.from, transformations: unique([...orIdentity(known), ...orIdentity(source)]) } : source);
  }
  return [...merged.values()];
}

/** The transformations of a finished edge: a column passed through is DIRECT IDENTITY. */
export function orIdentity({ transformations }: ColumnSource): readonly Transformation[] {
  return transformations.length > 0 ? transformations : [identity];
}

/** One influence for each input column, with every way in which it decides. */
export function mergeInfluences(influences: readonly InfluenceEdge[]): InfluenceEdge[] {
  return mergeSources(influences).map(({ from, transformations }) => ({ from, transformations }));
}

export function columnKey({ dataset, name }: ColumnRef): string {
  return JSON.stringify([datasetKey(dataset), name]);
}

function unique(transformations: readonly Transformation[]): Transformation[] {
  const byText = new Map(transformations.map((transformation) => [JSON.stringify(transformation), transformation]));
  return [...byText.values()];
}
