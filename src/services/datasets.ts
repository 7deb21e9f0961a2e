import { columnsOfDatasets, findColumns } from '../graph/columns.js';
import { countDatasetVersions, findDatasetVersionsByIds, listDatasetVersions } from '../graph/dataset-versions.js';
import { countDatasets, findDatasets, listDatasets } from '../graph/datasets.js';
import type { Graph } from '../graph/graph.js';
import { consumersOfDataset, countConsumers, countProducers, producersOfDataset } from '../graph/pipelines.js';
import { groupedBy } from '../lib/grouped-by.js';
import type { Column, Dataset, DatasetVersion, Page, PageRequest, Pipeline } from '../model/catalogue.js';
import type { DatasetRef } from '../model/dataset.js';
import type { ColumnKey } from '../model/lineage-query.js';
import { tagName } from '../model/tag.js';
import { keyCursor, longestList, positionByKey, positionByTime, rowLimit, timeCursor, toPage, wholeList } from './pages.js';

export interface DatasetListRequest extends PageRequest {
  /** Part of namespace/name, in any case. */
  readonly text?: string | null | undefined;
  readonly namespace?: string | null | undefined;
  /** Only datasets that have this tag themselves. */
  readonly tag?: string | null | undefined;
  readonly includeDeleted: boolean;
}

export class DatasetService {
  constructor(private readonly parts: { readonly graph: Graph }) {}

  async get({ namespace, name }: DatasetRef): Promise<Dataset | null> {
    const [found] = await this.parts.graph.read(findDatasets, { datasets: [{ namespace, name }] });
    return found?.dataset ?? null;
  }

  /** By namespace and name. @throws PlatformError BAD_USER_INPUT when no tag can have this name */
  async list(request: DatasetListRequest): Promise<Page<Dataset>> {
    const { text = null, namespace = null, tag, includeDeleted } = request;
    const filter = { text, namespace, tag: tag == null ? null : tagName(tag), includeDeleted };
    const page = { ...filter, ...positionByKey(request), limit: rowLimit(request) };
    const [rows, [total = 0]] = await Promise.all([this.parts.graph.read(listDatasets, page), this.parts.graph.read(countDatasets, filter)]);
    return toPage(request, rows, total, keyCursor);
  }

  /** Columns that each dataset has now, in table order; in the order of `datasetIds`. */
  async columnsOf(datasetIds: readonly string[]): Promise<Column[][]> {
    const columns = await this.parts.graph.read(columnsOfDatasets, { datasetIds, limit: longestList + 1 });
    const byDataset = groupedBy(columns, (column) => column.datasetId);
    return datasetIds.map((id) => wholeList(byDataset.get(id) ?? [], 'columns of this dataset'));
  }

  async column({ namespace, dataset, name }: ColumnKey): Promise<Column | null> {
    const [found] = await this.parts.graph.read(findColumns, { columns: [{ namespace, dataset, name }] });
    return found?.column ?? null;
  }

  /** Newest first. */
  async versionsOf(datasetId: string, request: PageRequest): Promise<Page<DatasetVersion>> {
    const page = { datasetId, ...positionByTime(request), limit: rowLimit(request) };
    const [rows, [total = 0]] = await Promise.all([
      this.parts.graph.read(listDatasetVersions, page),
      this.parts.graph.read(countDatasetVersions, { datasetId }),
    ]);
    return toPage(request, rows, total, ({ createdAt, id }) => timeCursor(createdAt, id));
  }

  /** In the order of `ids`. */
  async versionsByIds(ids: readonly string[]): Promise<(DatasetVersion | null)[]> {
    const versions = await this.parts.graph.read(findDatasetVersionsByIds, { ids });
    const byId = new Map(versions.map((version) => [version.id, version]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  /** Pipelines whose latest version writes the dataset. */
  async producersOf(datasetId: string, request: PageRequest): Promise<Page<Pipeline>> {
    const page = { datasetId, ...positionByKey(request), limit: rowLimit(request) };
    const [rows, [total = 0]] = await Promise.all([this.parts.graph.read(producersOfDataset, page), this.parts.graph.read(countProducers, { datasetId })]);
    return toPage(request, rows, total, keyCursor);
  }

  /** Pipelines whose latest version reads the dataset. */
  async consumersOf(datasetId: string, request: PageRequest): Promise<Page<Pipeline>> {
    const page = { datasetId, ...positionByKey(request), limit: rowLimit(request) };
    const [rows, [total = 0]] = await Promise.all([this.parts.graph.read(consumersOfDataset, page), this.parts.graph.read(countConsumers, { datasetId })]);
    return toPage(request, rows, total, keyCursor);
  }
}
