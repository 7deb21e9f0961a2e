import type { CompiledOutput, CompiledPipeline } from '../../model/compiled-pipeline.js';
import type { ColumnRef } from '../../model/dataset.js';
import { isUnseen } from './exact-retype.js';
import type { NodeKey } from './nodes.js';
import type { AffectedColumn } from './reader-case.js';
import { isColumn } from './uses.js';

/** The affected columns that may give an output other values: those with other values, and those of another type that is not seen through. */
export function valueChanging(affected: readonly AffectedColumn[], compiled: CompiledPipeline): AffectedColumn[] {
  return affected.filter(({ effect, use, name }) => {
    if (!use.read) return false;
    if (effect.values || effect.gone || effect.added !== null) return true;
    return effect.retyped !== null && !isUnseen(effect.retyped, compiled, use, name);
  });
}

/** What a column of an output follows from, among these. */
export function reachingColumn({ lineage }: CompiledOutput, column: string, changing: readonly AffectedColumn[]): NodeKey[] {
  return nodesOf(
    lineage.columns.flatMap(({ from, to }) => (to === column ? [from] : [])),
    changing,
  );
}

/** What decides which rows an output has, or which of them win, among these. */
export function reachingRows({ lineage, load }: CompiledOutput, changing: readonly AffectedColumn[]): NodeKey[] {
  const keys = new Set([...load.key, ...(load.orderBy === null ? [] : [load.orderBy])]);
  const deciding = lineage.columns.flatMap(({ from, to }) => (keys.has(to) ? [from] : []));
  return nodesOf([...lineage.influences.map(({ from }) => from), ...deciding], changing);
}

function nodesOf(sources: readonly ColumnRef[], changing: readonly AffectedColumn[]): NodeKey[] {
  return [...new Set(changing.flatMap(({ dataset, name, node }) => (sources.some((from) => isColumn(from, { dataset, name })) ? [node] : [])))];
}
