import type { ColumnEffect, DatasetEffect, Effects } from '../../lineage/impact/effects.js';
import { noEffect } from '../../lineage/impact/effects.js';
import { columnNode, datasetNode, jobNode, type NodeKey } from '../../lineage/impact/nodes.js';
import type { TypeRules } from '../../lineage/impact/reader-case.js';
import type { StreamColumn } from '../../model/connector.js';
import { type DatasetRef, datasetKey } from '../../model/dataset.js';
import { PlatformError } from '../../model/errors.js';
import type { Change } from '../../model/impact.js';
import type { RecordedTable } from './recorded-tables.js';

/** Where a change begins. */
export interface Roots {
  /** What is changed: the node, and as what it is shown. */
  readonly starts: ReadonlyMap<NodeKey, NodeKey>;
  readonly effects: Effects;
}

/** The dataset that a change names; null: it is our pipelines that change. */
export function changedDataset(change: Change): DatasetRef | null {
  if (change.kind === 'pipelineSpecs') return null;
  if (change.kind === 'dropDataset') return { namespace: change.dataset.namespace, name: change.dataset.name };
  return { namespace: change.column.namespace, name: change.column.dataset };
}

/**
 * @param table  of the changed dataset, as the graph has recorded it
 * @throws PlatformError NOT_FOUND for a column or dataset that is not there; BAD_USER_INPUT for a change that changes nothing
 */
export function rootsOf(change: Change, table: RecordedTable | undefined, types: TypeRules): Roots {
  if (change.kind === 'pipelineSpecs') return { starts: themselves(change.specs.map(({ spec }) => jobNode(spec))), effects: new Map() };
  const dataset = changedDataset(change) as DatasetRef;
  if (!table || table.columns.length === 0)
    throw new PlatformError('NOT_FOUND', `There is no dataset ${dataset.namespace}/${dataset.name} with a known schema.`);
  const nothing: DatasetEffect = { ...noEffect(dataset), isRoot: true };
  const rooted = (effect: DatasetEffect, starts: ReadonlyMap<NodeKey, NodeKey>): Roots => ({ starts, effects: new Map([[datasetKey(dataset), effect]]) });
  if (change.kind === 'dropDataset')
    return rooted({ ...nothing, gone: { code: 'DATASET_GONE', reason: 'is dropped', via: [] } }, themselves([datasetNode(dataset)]));
  const { name } = change.column;
  const column = table.columns.find((candidate) => candidate.name === name);
  if (!column)
    throw new PlatformError('NOT_FOUND', `Dataset ${dataset.name} has no column "${name}". It has ${shortList(table.columns.map((known) => known.name))}.`);
  const node = columnNode(dataset, name);
  if (change.kind === 'dropColumn') return rooted({ ...nothing, columns: new Map([[name, gone('is dropped')]]) }, themselves([node]));
  if (change.kind === 'renameColumn') {
    if (table.columns.some((known) => known.name === change.to))
      throw new PlatformError('BAD_USER_INPUT', `${dataset.name} has a column "${change.to}" already.`);
    const columns = new Map<string, ColumnEffect>([
      [name, gone(`is renamed to "${change.to}"`)],
      [change.to, added(types.madeColumn(dataset, { ...column, name: change.to }), name)],
    ]);
    return rooted(
      { ...nothing, columns },
      new Map([
        [node, node],
        [columnNode(dataset, change.to), node],
      ]),
    );
  }
  if (change.to === column.type) throw new PlatformError('BAD_USER_INPUT', `Column "${name}" of ${dataset.name} is ${column.type} already.`);
  const retyped = types.retype(dataset, column.type, change.to);
  const effect: ColumnEffect = { code: 'TYPE_CHANGED', reason: `becomes ${change.to}`, via: [], gone: false, added: null, retyped, values: false };
  return rooted({ ...nothing, columns: new Map([[name, effect]]) }, themselves([node]));
}

function shortList(names: readonly string[]): string {
  return names.slice(0, 30).join(', ') + (names.length > 30 ? ` and ${names.length - 30} more` : '');
}

function themselves(nodes: readonly NodeKey[]): Map<NodeKey, NodeKey> {
  return new Map(nodes.map((node) => [node, node]));
}

function gone(reason: string): ColumnEffect {
  return { code: 'COLUMN_GONE', reason, via: [], gone: true, added: null, retyped: null, values: false };
}

function added(column: StreamColumn, from: string): ColumnEffect {
  return { code: 'VALUES_CHANGED', reason: `is new; it was "${from}"`, via: [], gone: false, added: column, retyped: null, values: false };
}
