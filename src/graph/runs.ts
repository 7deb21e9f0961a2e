import type { DatasetVersion } from '../model/catalogue.js';
import type { Run, RunState } from '../model/run.js';
import { datasetVersion } from './dataset-versions.js';
import { type Fields, fields, integer, json, optionalJson, optionalText, optionalTime, text, time } from './decode.js';
import { nothing, statement } from './statement.js';
import type { Locking } from './transaction.js';

interface RunFilter {
  /** RFC 3339 */
  readonly since: string;
  readonly states: readonly RunState[] | null;
}

interface RunPosition {
  /** RFC 3339 */
  readonly beforeAt: string;
  readonly beforeId: string;
  readonly limit: number;
}

export function run(record: Fields): Run {
  const map = fields(record, 'run');
  return {
    id: text(map, 'id'),
    pipelineId: text(map, 'pipelineId'),
    pipelineVersion: integer(map, 'pipelineVersion'),
    state: text(map, 'state') as RunState,
    trigger: text(map, 'trigger'),
    attempt: integer(map, 'attempt'),
    epoch: integer(map, 'epoch'),
    queuedAt: time(map, 'queuedAt'),
    startedAt: optionalTime(map, 'startedAt'),
    endedAt: optionalTime(map, 'endedAt'),
    metrics: json(map, 'metrics'),
    steps: json(map, 'steps'),
    error: optionalJson(map, 'error'),
    params: optionalJson(map, 'params'),
    retryOf: optionalText(map, 'retryOf'),
    notBefore: optionalTime(map, 'notBefore'),
  };
}

const total = (record: Fields): number => integer(record, 'total');
const id = (record: Fields): string => text(record, 'id');

function versionOfRun(record: Fields): { runId: string; version: DatasetVersion } {
  return { runId: text(record, 'runId'), version: datasetVersion(record) };
}

interface NewRun extends Locking {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly trigger: string;
  /** JSON */
  readonly metrics: string;
  /** JSON */
  readonly params: string | null;
  readonly key: string | null;
  readonly retryOf: string | null;
}

export const createRun = statement<NewRun, { run: Run; spec: unknown }>(
  'runs/create',
  ['id', 'namespace', 'name', 'trigger', 'metrics', 'params', 'key', 'retryOf', 'lock'],
  (record) => ({ run: run(record), spec: json(record, 'spec') }),
);
export const findRunByKey = statement<{ namespace: string; name: string; key: string } & Locking, Run>(
  'runs/find-by-key',
  ['namespace', 'name', 'key', 'lock'],
  run,
);
export const retryInProgress = statement<{ id: string; states: readonly RunState[] }, string>('runs/retried-by', ['id', 'states'], id);
export const lockRun = statement<{ id: string } & Locking, Run>('runs/lock', ['id', 'lock'], run);
/** `id` null: every queued run of the pipeline. */
export const abortQueuedRuns = statement<{ pipelineId: string; id: string | null }, string>('runs/abort-queued', ['pipelineId', 'id'], id);
export const requestCancel = statement<{ id: string }, string>('runs/request-cancel', ['id'], id);

export const findRunsByIds = statement<{ ids: readonly string[] }, { run: Run; pipelineName: string }>('runs/find-by-ids', ['ids'], (record) => ({
  run: run(record),
  pipelineName: text(record, 'pipelineName'),
}));
export const listRuns = statement<RunFilter & RunPosition, Run>('runs/list', ['since', 'states', 'beforeAt', 'beforeId', 'limit'], run);
export const countRuns = statement<RunFilter, number>('runs/count', ['since', 'states'], total);
export const listRunsOfPipeline = statement<RunFilter & RunPosition & { pipelineId: string }, Run>(
  'runs/list-of-pipeline',
  ['pipelineId', 'since', 'states', 'beforeAt', 'beforeId', 'limit'],
  run,
);
export const countRunsOfPipeline = statement<RunFilter & { pipelineId: string }, number>('runs/count-of-pipeline', ['pipelineId', 'since', 'states'], total);

export const readsOfRuns = statement<{ ids: readonly string[]; limit: number }, { runId: string; version: DatasetVersion }>(
  'runs/reads',
  ['ids', 'limit'],
  versionOfRun,
);
export const writesOfRuns = statement<{ ids: readonly string[]; limit: number }, { runId: string; version: DatasetVersion }>(
  'runs/writes',
  ['ids', 'limit'],
  versionOfRun,
);
export const recordReads = statement<{ id: string; reads: readonly { versionId: string; rows: number | null }[] }, null>(
  'runs/record-reads',
  ['id', 'reads'],
  nothing,
);
export const recordWrites = statement<{ id: string; writes: readonly { versionId: string; rows: number; bytes: number }[] }, null>(
  'runs/record-writes',
  ['id', 'writes'],
  nothing,
);
export const recordObservations = statement<{ id: string; observations: readonly { datasetId: string; edgeSetHash: string }[] }, null>(
  'runs/record-observations',
  ['id', 'observations'],
  nothing,
);
