import { columnsOfDatasets } from '../graph/columns.js';
import { plannedKeysOfDataset } from '../graph/datasets.js';
import type { Graph } from '../graph/graph.js';
import { outputSchema } from '../lineage/dataset-schema.js';
import type { CompiledOutput } from '../model/compiled-pipeline.js';
import type { Connector, StreamColumn, StreamDescription } from '../model/connector.js';
import type { ColumnSchema, DatasetRef } from '../model/dataset.js';
import type { JobRef } from '../model/lineage-query.js';
import type { FindPlanned } from './describe-streams.js';
import { longestList } from './pages.js';

/** A stream that is not there yet, as far as it is known. */
interface Plan {
  readonly stream: string;
  readonly dataset: DatasetRef;
  readonly columns: readonly ColumnSchema[];
  /** Empty: none is known. */
  readonly key: readonly string[];
}

/** Streams that saved pipelines will make, as the graph has recorded them; what the `except` ones make does not count. */
export function plannedStreams(graph: Graph, except: readonly JobRef[]): FindPlanned {
  const others = except.map(({ namespace, name }) => ({ namespace, name }));
  return async (stream, { namespace, name }, connector) => {
    const writers = await graph.read(plannedKeysOfDataset, { namespace, name, except: others });
    const [first] = writers;
    if (first === undefined) return null;
    const columns = await graph.read(columnsOfDatasets, { datasetIds: [first.datasetId], limit: longestList });
    const agreed = writers.every(({ key }) => key.join() === first.key.join());
    return planned({ stream, dataset: { namespace, name }, columns, key: agreed ? first.key : [] }, connector);
  };
}

/** What the table of an output will be once the pipeline has run. */
export function plannedStream(output: CompiledOutput, connector: Connector | undefined): StreamDescription {
  const { stream, dataset, load } = output;
  return planned({ stream, dataset, columns: outputSchema(output).columns, key: load.key }, connector);
}

function planned({ stream, dataset, columns, key }: Plan, connector: Connector | undefined): StreamDescription {
  return {
    stream,
    dataset,
    columns: columns.map((column) => plannedColumn(column, connector)),
    primaryKey: key,
    uniqueKeys: key.length === 0 ? [] : [key],
    cursorCandidates: columns.flatMap(({ name, type }) => (type !== null && connector?.isCursorType(type) === true ? [name] : [])),
  };
}

function plannedColumn({ name, type, nullable, ordinal }: ColumnSchema, connector: Connector | undefined): StreamColumn {
  const storeType = type ?? '';
  const read = connector?.readConversion(storeType) ?? null;
  return { name, type: storeType, nullable: nullable ?? true, ordinal, read, writable: true, optional: nullable ?? true };
}
