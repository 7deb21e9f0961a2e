import { changeColumns, closeColumns, columnsEverOfDatasets, openColumns } from '../graph/columns.js';
import { ensureDatasets, type StandingDataset, standingOfDatasets } from '../graph/datasets.js';
import { newId } from '../graph/ids.js';
import type { GraphTransaction } from '../graph/transaction.js';
import { batches } from '../lib/batches.js';
import { groupedBy } from '../lib/grouped-by.js';
import { type FoundSchema, outputSchema, type RememberedColumn, type SchemaChanges, schemaChanges } from '../lineage/dataset-schema.js';
import type { NodeIds } from '../lineage/edge-set.js';
import type { CompiledPipeline } from '../model/compiled-pipeline.js';
import { type DatasetRef, datasetKey } from '../model/dataset.js';
import { PlatformError } from '../model/errors.js';

/** A dataset that a pipeline reads or writes, with the schema found. */
export interface FoundDataset {
  readonly dataset: DatasetRef;
  readonly schema: FoundSchema;
}

/** The same dataset in the graph, and what must change there. */
export interface DatasetRecord {
  readonly id: string;
  readonly changes: SchemaChanges;
}

/** By `datasetKey`; datasets that the graph does not know are missing. */
export type DatasetRecords = ReadonlyMap<string, DatasetRecord>;

export const rowsPerStatement = 5000;

/** Every dataset of a pipeline once; one that is read and written has the schema that was read. */
export function foundDatasets({ inputs, outputs }: CompiledPipeline): FoundDataset[] {
  const found: FoundDataset[] = [
    ...outputs.map((output) => ({ dataset: output.dataset, schema: outputSchema(output) })),
    ...inputs.map(({ dataset, schema }): FoundDataset => ({ dataset, schema: { columns: schema, there: true } })),
  ];
  return [...new Map(found.map((one) => [datasetKey(one.dataset), one])).values()];
}

export async function readDatasetRecords(transaction: GraphTransaction, found: readonly FoundDataset[], pipelineId: string): Promise<DatasetRecords> {
  const datasets = found.map(({ dataset: { namespace, name } }) => ({ namespace, name }));
  const standing = await transaction.run(standingOfDatasets, { datasets, pipelineId });
  const columns = await transaction.run(columnsEverOfDatasets, { datasetIds: standing.map(({ id }) => id) });
  const byDataset = groupedBy(columns, ({ datasetId }) => datasetId);
  const byKey = new Map(standing.map((dataset) => [datasetKey(dataset), dataset]));
  return new Map(
    found.flatMap(({ dataset, schema }): [string, DatasetRecord][] => {
      const known = byKey.get(datasetKey(dataset));
      return known === undefined ? [] : [[datasetKey(dataset), { id: known.id, changes: changesOf(known, byDataset.get(known.id) ?? [], schema) }]];
    }),
  );
}

/** The records of all datasets found, made where there was none. To be called under the lock of Meta. */
export async function ensureDatasetRecords(transaction: GraphTransaction, found: readonly FoundDataset[], pipelineId: string): Promise<DatasetRecords> {
  await transaction.run(ensureDatasets, { datasets: found.map(({ dataset: { namespace, name } }) => ({ namespace, name, id: newId('ds') })) });
  return readDatasetRecords(transaction, found, pipelineId);
}

export function changesSchema({ changes }: DatasetRecord): boolean {
  return changes.opened.length + changes.changed.length + changes.closedIds.length > 0;
}

/**
 * Opens, changes and closes columns so that every dataset has the schema found. To be called under the lock of Meta.
 *
 * @param at  RFC 3339
 * @returns whether anything was changed
 */
export async function writeSchemas(transaction: GraphTransaction, records: DatasetRecords, at: string): Promise<boolean> {
  const changing = [...records.values()].filter(changesSchema);
  const opened = changing.flatMap(({ id: datasetId, changes }) => changes.opened.map((column) => ({ ...column, datasetId })));
  const changed = changing.flatMap(({ changes }) => changes.changed.map(({ id, type, nullable, ordinal }) => ({ id, type, nullable, ordinal })));
  const closedIds = changing.flatMap(({ changes }) => changes.closedIds);
  for (const ids of batches(closedIds, rowsPerStatement)) await transaction.run(closeColumns, { ids, at });
  for (const columns of batches(changed, rowsPerStatement)) await transaction.run(changeColumns, { columns });
  for (const columns of batches(opened, rowsPerStatement)) await transaction.run(openColumns, { columns, at });
  return changing.length > 0;
}

/** Ids of the datasets and columns of a pipeline, once their schemas are written. */
export function nodeIds(records: DatasetRecords): NodeIds {
  const columns = new Map([...records].map(([key, { changes }]) => [key, new Map(changes.columns.map(({ name, id }) => [name, id]))]));
  return {
    dataset: (dataset) => records.get(datasetKey(dataset))?.id ?? unknownNode(datasetKey(dataset)),
    column: (dataset, name) => columns.get(datasetKey(dataset))?.get(name) ?? unknownNode(`${datasetKey(dataset)}.${name}`),
  };
}

function changesOf({ otherWriters }: StandingDataset, remembered: readonly RememberedColumn[], { columns, there }: FoundSchema): SchemaChanges {
  // A table that is not there yet has the columns of every plan for it.
  return schemaChanges(remembered, columns, !there && otherWriters, () => newId('col'));
}

function unknownNode(key: string): never {
  throw new PlatformError('INTERNAL', `The compiled pipeline names ${key} in its lineage, but not among its inputs and outputs.`);
}
