import { columnsOfDatasets } from '../graph/columns.js';
import { findDatasets } from '../graph/datasets.js';
import type { Graph } from '../graph/graph.js';
import { producersOfDataset } from '../graph/pipelines.js';
import type { Column } from '../model/catalogue.js';
import type { Connector, StreamColumn } from '../model/connector.js';
import type { JobRef } from '../model/lineage-query.js';
import type { FindPlanned } from './describe-streams.js';
import { longestList } from './pages.js';

/** Streams that a saved pipeline will make, as the graph has recorded them; what `reader` itself makes does not count. */
export function plannedStreams(graph: Graph, reader: JobRef): FindPlanned {
  return async (stream, { namespace, name }, connector) => {
    const [found] = await graph.read(findDatasets, { datasets: [{ namespace, name }] });
    if (found === undefined) return null;
    const { id } = found.dataset;
    const producers = await graph.read(producersOfDataset, { datasetId: id, afterNamespace: '', afterName: '', limit: 2 });
    if (!producers.some((producer) => producer.namespace !== reader.namespace || producer.name !== reader.name)) return null;
    const columns = await graph.read(columnsOfDatasets, { datasetIds: [id], limit: longestList });
    return {
      stream,
      dataset: { namespace, name },
      columns: columns.map((column) => plannedColumn(column, connector)),
      primaryKey: [],
      uniqueKeys: [],
      cursorCandidates: [],
    };
  };
}

function plannedColumn({ name, type, nullable, ordinal }: Column, connector: Connector | undefined): StreamColumn {
  const storeType = type ?? '';
  const read = connector?.readConversion(storeType) ?? null;
  return { name, type: storeType, nullable: nullable ?? true, ordinal, read, writable: true, optional: nullable ?? true };
}
