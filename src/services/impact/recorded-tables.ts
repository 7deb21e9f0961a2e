import { columnsOfDatasets } from '../../graph/columns.js';
import type { Graph } from '../../graph/graph.js';
import { recordedDatasets } from '../../graph/impact.js';
import { tagsOfDatasets } from '../../graph/tags.js';
import { batches } from '../../lib/batches.js';
import { groupedBy } from '../../lib/grouped-by.js';
import type { Column } from '../../model/catalogue.js';
import { type DatasetRef, datasetKey } from '../../model/dataset.js';

/** What the graph knows of a table, without a look at its store. */
export interface RecordedTable extends DatasetRef {
  readonly id: string;
  readonly owners: readonly string[];
  /** By id of the table or one of its columns; what has none may be missing. */
  readonly tags: ReadonlyMap<string, readonly string[]>;
  /** There is such a table; false: a pipeline will make it. */
  readonly made: boolean;
  /** Ids of the pipelines that write it. */
  readonly writers: readonly string[];
  readonly columns: readonly { readonly id: string; readonly name: string; readonly type: string; readonly nullable: boolean; readonly ordinal: number }[];
}

const datasetsAtOnce = 500;

/** More than any store allows a table to have. */
const mostColumns = 100_000;

/** By `datasetKey`; datasets that the graph does not know are missing. */
export async function recordedTables(graph: Graph, datasets: readonly DatasetRef[]): Promise<Map<string, RecordedTable>> {
  const wanted = [...new Map(datasets.map(({ namespace, name }) => [datasetKey({ namespace, name }), { namespace, name }])).values()];
  const tables = new Map<string, RecordedTable>();
  for (const some of batches(wanted, datasetsAtOnce)) {
    const found = await graph.read(recordedDatasets, { datasets: some });
    const datasetIds = found.map(({ dataset }) => dataset.id);
    const columns = await graph.read(columnsOfDatasets, { datasetIds, limit: mostColumns });
    const tags = new Map((await graph.read(tagsOfDatasets, { datasetIds })).map(({ nodeId, names }) => [nodeId, names]));
    const byDataset = groupedBy(columns, ({ datasetId }) => datasetId);
    for (const { dataset, made, writers, namespace, name } of found) {
      const own = (byDataset.get(dataset.id) ?? []).map(recordedColumn);
      tables.set(datasetKey({ namespace, name }), { namespace, name, id: dataset.id, owners: dataset.owners, tags, made, writers, columns: own });
    }
  }
  return tables;
}

function recordedColumn({ id, name, type, nullable, ordinal }: Column): RecordedTable['columns'][number] {
  return { id, name, type: type ?? '', nullable: nullable ?? true, ordinal };
}
