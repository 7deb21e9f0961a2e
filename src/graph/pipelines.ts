import type { Dataset, Pipeline, PipelineVersion } from '../model/catalogue.js';
import type { DatasetRef } from '../model/dataset.js';
import type { JobRef } from '../model/lineage-query.js';
import { dataset } from './datasets.js';
import { boolean, type Fields, fields, integer, json, optionalText, optionalTime, text, texts, time } from './decode.js';
import { nothing, statement } from './statement.js';
import type { Locking } from './transaction.js';

export interface LockedPipeline {
  readonly id: string;
  /** 0: made just now. */
  readonly version: number;
  readonly specHash: string | null;
  readonly deleted: boolean;
}

export interface NewPipelineVersion {
  readonly id: string;
  readonly version: number;
  /** JSON */
  readonly spec: string;
  readonly specHash: string;
  readonly description: string | null;
  readonly owners: readonly string[];
  readonly createdBy: string | null;
}

export interface PipelineFilter {
  readonly text: string | null;
  readonly namespace: string | null;
}

/** Position in a list ordered by namespace and name; empty for the first page. */
export interface AfterKey {
  readonly afterNamespace: string;
  readonly afterName: string;
}

export interface DatasetOfPipeline {
  readonly pipelineId: string;
  readonly dataset: Dataset;
}

export function pipeline(record: Fields): Pipeline {
  const map = fields(record, 'pipeline');
  const name = text(map, 'name');
  return {
    kind: 'JOB',
    id: text(map, 'id'),
    displayName: name,
    deletedAt: optionalTime(map, 'deletedAt'),
    namespace: text(map, 'namespace'),
    name,
    description: optionalText(map, 'description'),
    owners: texts(map, 'owners'),
    spec: json(map, 'spec'),
    version: integer(map, 'version'),
  };
}

function datasetOfPipeline(record: Fields): DatasetOfPipeline {
  return { pipelineId: text(record, 'pipelineId'), dataset: dataset(record) };
}

const total = (record: Fields): number => integer(record, 'total');

export const lockPipeline = statement<JobRef & { id: string } & Locking, LockedPipeline>('pipelines/lock', ['namespace', 'name', 'id', 'lock'], (record) => ({
  id: text(record, 'id'),
  version: integer(record, 'version'),
  specHash: optionalText(record, 'specHash'),
  deleted: boolean(record, 'deleted'),
}));
export const createPipelineVersion = statement<NewPipelineVersion, null>(
  'pipelines/create-version',
  ['id', 'version', 'spec', 'specHash', 'description', 'owners', 'createdBy'],
  nothing,
);
export const revivePipeline = statement<{ id: string }, null>('pipelines/revive', ['id'], nothing);
export const answerFor = statement<{ auditId: string; saved: readonly { id: string; version: number }[] }, null>(
  'pipelines/answer-for',
  ['auditId', 'saved'],
  nothing,
);
/** Result: ids of audit entries. */
export const answeredFor = statement<{ saves: readonly (JobRef & { auditId: string; version: number })[] }, string>(
  'pipelines/answered-for',
  ['saves'],
  (record) => text(record, 'auditId'),
);
export const deletePipeline = statement<JobRef & Locking, { id: string; runningRunId: string | null }>(
  'pipelines/delete',
  ['namespace', 'name', 'lock'],
  (record) => ({ id: text(record, 'id'), runningRunId: optionalText(record, 'runningRunId') }),
);
/** Result: names of the connections that are there. */
export const useConnections = statement<{ id: string; names: readonly string[] } & Locking, string>(
  'pipelines/use-connections',
  ['id', 'names', 'lock'],
  (record) => text(record, 'name'),
);
export const setReads = statement<{ id: string; datasetIds: readonly string[] }, null>('pipelines/set-reads', ['id', 'datasetIds'], nothing);
/** `key` empty: rows are only added. */
export const setWrites = statement<{ id: string; writes: readonly { datasetId: string; key: readonly string[] }[] }, null>(
  'pipelines/set-writes',
  ['id', 'writes'],
  nothing,
);

export interface Neighbours {
  /** A pipeline outside the set reads what the set writes or will write. */
  readonly read: boolean;
  /** A pipeline outside the set writes what the set will read. */
  readonly written: boolean;
}

export const neighboursOfPipelines = statement<{ pipelines: readonly JobRef[]; inputs: readonly DatasetRef[]; outputs: readonly DatasetRef[] }, Neighbours>(
  'pipelines/neighbours',
  ['pipelines', 'inputs', 'outputs'],
  (record) => ({ read: boolean(record, 'read'), written: boolean(record, 'written') }),
);

export const findPipelines = statement<{ pipelines: readonly JobRef[] }, Pipeline>('pipelines/find', ['pipelines'], pipeline);
export const findPipelinesByIds = statement<{ ids: readonly string[] }, Pipeline>('pipelines/find-by-ids', ['ids'], pipeline);
export const listPipelines = statement<PipelineFilter & AfterKey & { limit: number }, Pipeline>(
  'pipelines/list',
  ['text', 'namespace', 'afterNamespace', 'afterName', 'limit'],
  pipeline,
);
export const countPipelines = statement<PipelineFilter, number>('pipelines/count', ['text', 'namespace'], total);
export const listPipelineVersions = statement<{ id: string; limit: number }, PipelineVersion>('pipelines/versions', ['id', 'limit'], (record) => ({
  version: integer(record, 'version'),
  spec: json(record, 'spec'),
  createdAt: time(record, 'createdAt'),
  createdBy: optionalText(record, 'createdBy'),
}));
export const inputsOfPipelines = statement<{ ids: readonly string[]; limit: number }, DatasetOfPipeline>(
  'pipelines/inputs',
  ['ids', 'limit'],
  datasetOfPipeline,
);
export const outputsOfPipelines = statement<{ ids: readonly string[]; limit: number }, DatasetOfPipeline>(
  'pipelines/outputs',
  ['ids', 'limit'],
  datasetOfPipeline,
);

type ReadersOrWriters = { datasetId: string } & AfterKey & { limit: number };
export const producersOfDataset = statement<ReadersOrWriters, Pipeline>('datasets/producers', ['datasetId', 'afterNamespace', 'afterName', 'limit'], pipeline);
export const consumersOfDataset = statement<ReadersOrWriters, Pipeline>('datasets/consumers', ['datasetId', 'afterNamespace', 'afterName', 'limit'], pipeline);
export const countProducers = statement<{ datasetId: string }, number>('datasets/count-producers', ['datasetId'], total);
export const countConsumers = statement<{ datasetId: string }, number>('datasets/count-consumers', ['datasetId'], total);
