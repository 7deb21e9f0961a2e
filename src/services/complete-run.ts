import { createDatasetVersions, type NewDatasetVersion, newestDatasetVersions } from '../graph/dataset-versions.js';
import { forgetObserved, lastObserved } from '../graph/edges.js';
import { lockMark, newId } from '../graph/ids.js';
import { lockMeta, raiseRevision } from '../graph/meta.js';
import type { Ended } from '../graph/run-queue.js';
import { recordObservations, recordReads, recordWrites } from '../graph/runs.js';
import type { GraphTransaction } from '../graph/transaction.js';
import { schemaHash } from '../lineage/dataset-schema.js';
import { edgeSetHash, edgesOf } from '../lineage/edge-set.js';
import type { CompiledPipeline } from '../model/compiled-pipeline.js';
import { type DatasetRef, datasetKey } from '../model/dataset.js';
import { PlatformError } from '../model/errors.js';
import type { RunSummary } from '../model/run.js';
import {
  changesSchema,
  type DatasetRecord,
  type DatasetRecords,
  ensureDatasetRecords,
  type FoundDataset,
  foundDatasets,
  nodeIds,
  readDatasetRecords,
  writeSchemas,
} from './dataset-records.js';
import { writeEdges } from './edge-records.js';
import { endHeldRun, type Holder } from './run-queue.js';
import { numberTransition } from './run-transitions.js';

export interface Completion extends Holder {
  /** What was run: the lineage is its. */
  readonly compiled: CompiledPipeline;
  readonly summary: RunSummary;
  /** It took dead letters again and so says nothing about what depends on what: no edge is opened or closed by it. */
  readonly replay?: boolean;
}

/**
 * Ends a run COMPLETE and records all it did: state and metrics, a version of every output, what was read and written, the
 * edge set of every output. Edges and schemas are touched, and the revision raised, only when they are not as before.
 */
export async function completeRun(transaction: GraphTransaction, completion: Completion): Promise<void> {
  const { runId, epoch, summary, replay = false } = completion;
  const held = await endHeldRun(transaction, 'COMPLETE', { runId, epoch, metrics: summary.metrics, steps: summary.steps });
  if (held === null) return;
  await recordDone(transaction, completion, { ...held, deleted: held.deleted || replay });
  // Last, so that the log's time is close to the commit, from which on it can be seen.
  await numberTransition(transaction, [runId], null);
}

async function recordDone(transaction: GraphTransaction, { runId, compiled, summary }: Completion, ended: Ended): Promise<void> {
  const { pipelineId } = ended;
  const found = foundDatasets(compiled);
  let records = await readDatasetRecords(transaction, found, pipelineId);
  if (await isNews(transaction, compiled, found, records, ended)) records = await writeNews(transaction, compiled, found, ended);
  await writeVersions(transaction, { runId, compiled, summary, records, ended });
  if (ended.deleted) return;
  const observations = compiled.outputs.map(({ dataset, lineage }) => ({ datasetId: recordOf(records, dataset).id, edgeSetHash: edgeSetHash(lineage) }));
  await transaction.run(recordObservations, { id: runId, observations });
}

/** Whether a dataset, a schema or an edge set is not as it was. A deleted pipeline has no edges to compare. */
async function isNews(
  transaction: GraphTransaction,
  { outputs }: CompiledPipeline,
  found: readonly FoundDataset[],
  records: DatasetRecords,
  { pipelineId, deleted }: Ended,
): Promise<boolean> {
  if (records.size < found.length || [...records.values()].some(changesSchema)) return true;
  if (deleted) return false;
  const observed = await transaction.run(lastObserved, { jobIds: [pipelineId] });
  const hashes = new Map(observed.map(({ outputId, edgeSetHash: hash }) => [outputId, hash]));
  return hashes.size !== outputs.length || outputs.some(({ dataset, lineage }) => hashes.get(recordOf(records, dataset).id) !== edgeSetHash(lineage));
}

/** Under the lock of Meta, so that everything is read again. */
async function writeNews(
  transaction: GraphTransaction,
  { outputs }: CompiledPipeline,
  found: readonly FoundDataset[],
  { pipelineId, deleted }: Ended,
): Promise<DatasetRecords> {
  const [at = ''] = await transaction.run(lockMeta, { lock: lockMark() });
  const records = await ensureDatasetRecords(transaction, found, pipelineId);
  let changed = await writeSchemas(transaction, records, at);
  if (!deleted) {
    const ids = nodeIds(records);
    const edges = outputs.flatMap(({ lineage }) => edgesOf(lineage, ids));
    changed = (await writeEdges(transaction, { jobId: pipelineId, source: 'EXECUTED', edges, at })) || changed;
    await transaction.run(forgetObserved, { jobId: pipelineId, outputIds: null });
  }
  if (changed) await transaction.run(raiseRevision, {});
  return records;
}

interface Done {
  readonly runId: string;
  readonly compiled: CompiledPipeline;
  readonly summary: RunSummary;
  readonly records: DatasetRecords;
  readonly ended: Ended;
}

async function writeVersions(transaction: GraphTransaction, { runId, compiled, summary, records, ended }: Done): Promise<void> {
  const written = compiled.outputs.map(({ dataset }, index) => {
    const { rowsWritten, bytesWritten } = summary.outputs[index] ?? missingOutput(runId, dataset);
    const version = versionOf(recordOf(records, dataset), { producedByRunId: runId, rowCount: rowsWritten, createdAt: ended.endedAt });
    return { version, rows: rowsWritten, bytes: bytesWritten };
  });
  const inputs = [...new Set(compiled.inputs.map(({ dataset }) => recordOf(records, dataset)))];
  const newest = await transaction.run(newestDatasetVersions, { datasetIds: inputs.map(({ id }) => id), at: ended.startedAt });
  const byDataset = new Map(newest.map((version) => [version.datasetId, version]));
  const read = inputs.map((input) => {
    const seen = versionOf(input, { producedByRunId: null, rowCount: null, createdAt: ended.startedAt });
    const known = byDataset.get(input.id);
    return known?.schemaHash === seen.schemaHash ? { versionId: known.id, made: [] } : { versionId: seen.id, made: [seen] };
  });
  await transaction.run(createDatasetVersions, { versions: [...read.flatMap(({ made }) => made), ...written.map(({ version }) => version)] });
  const rows = compiled.inputs.length === 1 ? summary.metrics.rowsRead : null;
  await transaction.run(recordReads, { id: runId, reads: read.map(({ versionId }) => ({ versionId, rows })) });
  await transaction.run(recordWrites, { id: runId, writes: written.map(({ version, ...counts }) => ({ versionId: version.id, ...counts })) });
}

function versionOf(
  { id: datasetId, changes: { columns } }: DatasetRecord,
  made: Pick<NewDatasetVersion, 'producedByRunId' | 'rowCount' | 'createdAt'>,
): NewDatasetVersion {
  const named = columns.map(({ id: columnId, ...column }) => ({ columnId, ...column }));
  return { id: newId('dv'), datasetId, schemaHash: schemaHash(datasetId, columns), columns: JSON.stringify(named), ...made };
}

function recordOf(records: DatasetRecords, dataset: DatasetRef): DatasetRecord {
  const record = records.get(datasetKey(dataset));
  if (record === undefined) throw new PlatformError('INTERNAL', `Dataset ${datasetKey(dataset)} was not recorded.`);
  return record;
}

function missingOutput(runId: string, dataset: DatasetRef): never {
  throw new PlatformError('INTERNAL', `Run ${runId} did not report what it wrote to ${datasetKey(dataset)}.`);
}
