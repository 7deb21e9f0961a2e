import type { Graph } from '../graph/graph.js';
import { lockMark, newId } from '../graph/ids.js';
import { lockMeta, raiseRevision } from '../graph/meta.js';
import {
  createPipelineVersion,
  findPipelines,
  type LockedPipeline,
  lockPipeline,
  revivePipeline,
  setReads,
  setWrites,
  useConnections,
} from '../graph/pipelines.js';
import type { GraphTransaction } from '../graph/transaction.js';
import { sha256 } from '../lib/sha256.js';
import { edgesOf } from '../lineage/edge-set.js';
import type { Pipeline } from '../model/catalogue.js';
import type { CompiledPipeline } from '../model/compiled-pipeline.js';
import { PlatformError } from '../model/errors.js';
import type { PipelineSpec } from '../model/pipeline-spec.js';
import { ensureDatasetRecords, foundDatasets, nodeIds, writeSchemas } from './dataset-records.js';
import { writeEdges } from './edge-records.js';

export interface CheckedPipeline {
  readonly spec: PipelineSpec;
  /** As it was written. */
  readonly document: Readonly<Record<string, unknown>>;
  readonly compiled: CompiledPipeline;
  /** The version that the caller has seen; 0: must not exist yet; null: any. */
  readonly expectedVersion: number | null;
  readonly actor: string | null;
}

/**
 * Writes a checked pipeline: its version unless the spec is equal to the last one, what it reads and writes, the planned
 * schemas and the DECLARED edges. One transaction, under the lock of the pipeline.
 *
 * @throws PlatformError CONFLICT when the version is not the expected one, or a connection has been deleted meanwhile
 */
export function writePipeline(graph: Graph, checked: CheckedPipeline): Promise<Pipeline> {
  let repeated = false;
  return graph.transaction(async (transaction) => {
    const { id } = await writeVersion(transaction, checked, repeated);
    repeated = true;
    await linkConnections(transaction, id, checked.spec);
    await writePlan(transaction, id, checked.compiled);
    const { namespace, name } = checked.spec;
    const [pipeline] = await transaction.run(findPipelines, { pipelines: [{ namespace, name }] });
    if (pipeline === undefined) throw new PlatformError('INTERNAL', `Pipeline ${namespace}/${name} was written but not found.`);
    return pipeline;
  });
}

async function writeVersion(
  transaction: GraphTransaction,
  { spec, document, expectedVersion, actor }: CheckedPipeline,
  repeated: boolean,
): Promise<LockedPipeline> {
  const { namespace, name, description, owners } = spec;
  const [locked] = await transaction.run(lockPipeline, { namespace, name, id: newId('job'), lock: lockMark() });
  if (locked === undefined) throw new PlatformError('INTERNAL', `Pipeline ${namespace}/${name} could not be locked.`);
  const specHash = sha256(JSON.stringify(spec));
  // When the answer to a commit was lost, the version found can be the one made by the first try.
  const isOurs = repeated && locked.specHash === specHash && locked.version === (expectedVersion ?? 0) + 1;
  if (!isOurs) checkVersion(locked, expectedVersion, `${namespace}/${name}`);
  if (locked.specHash !== specHash) {
    const version = { version: locked.version + 1, spec: JSON.stringify(document), specHash };
    await transaction.run(createPipelineVersion, { id: locked.id, ...version, description, owners, createdBy: actor });
  }
  if (locked.deleted) await transaction.run(revivePipeline, { id: locked.id });
  return locked;
}

function checkVersion({ version, deleted }: LockedPipeline, expectedVersion: number | null, key: string): void {
  const found = deleted ? 0 : version;
  if (expectedVersion === null || expectedVersion === found) return;
  const state = deleted ? 'has been deleted' : found === 0 ? 'does not exist' : `is at version ${found}`;
  const wanted = expectedVersion === 0 ? 'it was expected not to exist yet' : `version ${expectedVersion} was expected`;
  throw new PlatformError('CONFLICT', `Pipeline ${key} ${state}, but ${wanted}; look at what is saved and try again.`, {
    context: { version: found, expectedVersion },
  });
}

async function linkConnections(transaction: GraphTransaction, id: string, { inputs, outputs }: PipelineSpec): Promise<void> {
  const names = [...new Set([...Object.values(inputs), ...outputs].map(({ connection }) => connection))].sort();
  const linked = new Set(await transaction.run(useConnections, { id, names, lock: lockMark() }));
  const missing = names.filter((name) => !linked.has(name));
  if (missing.length > 0) throw new PlatformError('CONFLICT', `Connection ${missing.join(', ')} has been deleted meanwhile; nothing was saved.`);
}

async function writePlan(transaction: GraphTransaction, id: string, compiled: CompiledPipeline): Promise<void> {
  const [at = ''] = await transaction.run(lockMeta, { lock: lockMark() });
  const records = await ensureDatasetRecords(transaction, foundDatasets(compiled), id);
  const schemasChanged = await writeSchemas(transaction, records, at);
  const ids = nodeIds(records);
  const edges = compiled.outputs.flatMap(({ lineage }) => edgesOf(lineage, ids));
  const edgesChanged = await writeEdges(transaction, { jobId: id, source: 'DECLARED', edges, at });
  await transaction.run(setReads, { id, datasetIds: [...new Set(compiled.inputs.map(({ dataset }) => ids.dataset(dataset)))] });
  await transaction.run(setWrites, { id, datasetIds: [...new Set(compiled.outputs.map(({ dataset }) => ids.dataset(dataset)))] });
  if (schemasChanged || edgesChanged) await transaction.run(raiseRevision, {});
}
