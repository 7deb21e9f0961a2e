import type { DatasetVersion } from '../model/catalogue.js';
import { type Fields, fields, integer, json, optionalInteger, optionalText, text, time } from './decode.js';
import { nothing, statement } from './statement.js';

export interface NewDatasetVersion {
  readonly id: string;
  readonly datasetId: string;
  readonly schemaHash: string;
  /** JSON of `DatasetVersion.columns`. */
  readonly columns: string;
  readonly producedByRunId: string | null;
  readonly rowCount: number | null;
  /** RFC 3339 */
  readonly createdAt: string;
}

export function datasetVersion(record: Fields): DatasetVersion {
  const map = fields(record, 'version');
  return {
    id: text(map, 'id'),
    datasetId: text(map, 'datasetId'),
    createdAt: time(map, 'createdAt'),
    columns: json(record, 'columns'),
    producedByRunId: optionalText(map, 'producedByRunId'),
    rowCount: optionalInteger(map, 'rowCount'),
  };
}

export const createDatasetVersions = statement<{ versions: readonly NewDatasetVersion[] }, null>('dataset-versions/create', ['versions'], nothing);
export const newestDatasetVersions = statement<{ datasetIds: readonly string[]; at: string }, { datasetId: string; id: string; schemaHash: string }>(
  'dataset-versions/newest',
  ['datasetIds', 'at'],
  (record) => ({
    datasetId: text(record, 'datasetId'),
    id: text(record, 'id'),
    schemaHash: text(record, 'schemaHash'),
  }),
);
export const listDatasetVersions = statement<{ datasetId: string; beforeAt: string; beforeId: string; limit: number }, DatasetVersion>(
  'dataset-versions/list',
  ['datasetId', 'beforeAt', 'beforeId', 'limit'],
  datasetVersion,
);
export const countDatasetVersions = statement<{ datasetId: string }, number>('dataset-versions/count', ['datasetId'], (record) => integer(record, 'total'));
export const findDatasetVersionsByIds = statement<{ ids: readonly string[] }, DatasetVersion>('dataset-versions/find-by-ids', ['ids'], datasetVersion);
