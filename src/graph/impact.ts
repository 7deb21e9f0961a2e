import type { Dataset, Pipeline } from '../model/catalogue.js';
import type { DatasetRef } from '../model/dataset.js';
import { dataset } from './datasets.js';
import { boolean, type Fields, text, texts } from './decode.js';
import { pipeline } from './pipelines.js';
import { statement } from './statement.js';

/** A saved pipeline with what its latest version reads and writes. */
export interface LinkedPipeline {
  readonly pipeline: Pipeline;
  readonly inputs: readonly DatasetRef[];
  readonly outputs: readonly DatasetRef[];
}

export interface RecordedDataset extends DatasetRef {
  readonly dataset: Dataset;
  /** A run has read or written it, so that its table is there. */
  readonly made: boolean;
  /** Ids of the pipelines that write it. */
  readonly writers: readonly string[];
}

function linked(record: Fields): LinkedPipeline {
  return { pipeline: pipeline(record), inputs: references(record, 'inputs'), outputs: references(record, 'outputs') };
}

function references(record: Fields, field: string): DatasetRef[] {
  const value = record.get(field);
  if (!Array.isArray(value)) throw new TypeError(`The graph's field ${field} should be a list.`);
  return value.map((one: unknown) => {
    const map = new Map(Object.entries(one as object));
    const read: Fields = { get: (name) => map.get(name) };
    return { namespace: text(read, 'namespace'), name: text(read, 'name') };
  });
}

export const readersOfDatasets = statement<{ datasets: readonly DatasetRef[]; limit: number }, LinkedPipeline>('impact/readers', ['datasets', 'limit'], linked);
export const writersOfDataset = statement<DatasetRef & { limit: number }, LinkedPipeline>('impact/writers', ['namespace', 'name', 'limit'], linked);
export const recordedDatasets = statement<{ datasets: readonly DatasetRef[] }, RecordedDataset>('impact/recorded', ['datasets'], (record) => ({
  namespace: text(record, 'namespace'),
  name: text(record, 'name'),
  dataset: dataset(record),
  made: boolean(record, 'made'),
  writers: texts(record, 'writers'),
}));
