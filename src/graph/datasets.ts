import type { Dataset } from '../model/catalogue.js';
import type { DatasetRef } from '../model/dataset.js';
import type { JobRef } from '../model/lineage-query.js';
import { boolean, type Fields, fields, integer, optionalText, optionalTime, text, texts } from './decode.js';
import { nothing, statement } from './statement.js';

/** A dataset as a transaction that may change it finds it. */
export interface StandingDataset extends DatasetRef {
  readonly id: string;
  /** True when another pipeline writes it too. */
  readonly otherWriters: boolean;
}

export interface DatasetFilter {
  readonly text: string | null;
  readonly namespace: string | null;
  readonly tag: string | null;
  readonly includeDeleted: boolean;
}

export function dataset(record: Fields): Dataset {
  const map = fields(record, 'dataset');
  const name = text(map, 'name');
  return {
    kind: 'DATASET',
    id: text(map, 'id'),
    displayName: name,
    deletedAt: optionalTime(map, 'deletedAt'),
    namespace: text(map, 'namespace'),
    name,
    description: optionalText(map, 'description'),
    owners: texts(map, 'owners'),
  };
}

export const ensureDatasets = statement<{ datasets: readonly (DatasetRef & { id: string })[] }, null>('datasets/ensure', ['datasets'], nothing);
export const standingOfDatasets = statement<{ datasets: readonly DatasetRef[]; pipelineId: string }, StandingDataset>(
  'datasets/standing',
  ['datasets', 'pipelineId'],
  (record) => ({
    namespace: text(record, 'namespace'),
    name: text(record, 'name'),
    id: text(record, 'id'),
    otherWriters: boolean(record, 'otherWriters'),
  }),
);

/** One for each pipeline that writes the dataset and does not count among `except`; `key` empty: rows are only added. */
export interface PlannedKey {
  readonly datasetId: string;
  readonly key: readonly string[];
}

export const plannedKeysOfDataset = statement<DatasetRef & { except: readonly JobRef[] }, PlannedKey>(
  'datasets/planned-keys',
  ['namespace', 'name', 'except'],
  (record) => ({ datasetId: text(record, 'datasetId'), key: texts(record, 'key') }),
);

/** Result: the dataset with the name that was asked for. */
export const findDatasets = statement<{ datasets: readonly DatasetRef[] }, DatasetRef & { dataset: Dataset }>('datasets/find', ['datasets'], (record) => ({
  namespace: text(record, 'namespace'),
  name: text(record, 'name'),
  dataset: dataset(record),
}));
export const findDatasetsByIds = statement<{ ids: readonly string[] }, Dataset>('datasets/find-by-ids', ['ids'], dataset);
export const listDatasets = statement<DatasetFilter & { afterNamespace: string; afterName: string; limit: number }, Dataset>(
  'datasets/list',
  ['text', 'namespace', 'tag', 'includeDeleted', 'afterNamespace', 'afterName', 'limit'],
  dataset,
);
export const countDatasets = statement<DatasetFilter, number>('datasets/count', ['text', 'namespace', 'tag', 'includeDeleted'], (record) =>
  integer(record, 'total'),
);
