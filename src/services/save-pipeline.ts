import { lockConnection } from '../graph/connections.js';
import type { Graph } from '../graph/graph.js';
import { lockMark, newId } from '../graph/ids.js';
import { lockMeta, raiseRevision, readMeta } from '../graph/meta.js';
import {
  answerFor,
  createPipelineVersion,
  findPipelines,
  type LockedPipeline,
  lockPipeline,
  neighboursOfPipelines,
  revivePipeline,
  setReads,
  setWrites,
  useConnections,
} from '../graph/pipelines.js';
import type { GraphTransaction } from '../graph/transaction.js';
import { edgesOf } from '../lineage/edge-set.js';
import type { Pipeline } from '../model/catalogue.js';
import type { CompiledPipeline } from '../model/compiled-pipeline.js';
import { PlatformError } from '../model/errors.js';
import type { KeptReport, ReportSubject } from '../model/impact-report.js';
import type { PipelineSpec } from '../model/pipeline-spec.js';
import type { AuditLog } from './audit.js';
import { type CheckedSpec, touchedBy } from './check-pipelines.js';
import { ensureDatasetRecords, foundDatasets, nodeIds, writeSchemas } from './dataset-records.js';
import { writeEdges } from './edge-records.js';
import type { ImpactReportService } from './impact-reports.js';

export interface PipelineToWrite extends CheckedSpec {
  /** The version that the caller has seen; 0: must not exist yet; null: any. */
  readonly expectedVersion: number | null;
  /** Who saves it; null: not known. */
  readonly actor: string | null;
}

export interface JudgedPipelines {
  readonly pipelines: readonly PipelineToWrite[];
  readonly subjects: readonly ReportSubject[];
  /** Of the graph that they were checked and judged on. */
  readonly revision: number;
  /** The verdict holds for this revision only. */
  readonly bound: boolean;
  /** Somebody answers for what breaks. */
  readonly acknowledged: KeptReport | null;
  readonly auditId: string;
  readonly actor: string | null;
}

export interface WriteParts {
  readonly graph: Graph;
  readonly audit: AuditLog;
  readonly reports: ImpactReportService;
}

/** A pipeline under its lock, with the version that the save leaves it at. */
interface Written {
  readonly id: string;
  readonly pipeline: PipelineToWrite;
  readonly version: number;
  readonly isNew: boolean;
}

/** Rolls back: the graph is not the one that was judged. */
class Moved extends Error {}

/**
 * Writes checked pipelines, all or none: a version of each whose spec is not equal to the last one, what they read and write, the
 * planned schemas and the DECLARED edges. One transaction; locks in the order of names.
 *
 * @returns 'moved' when the graph has changed since they were judged; nothing is written then
 * @throws PlatformError CONFLICT when a version is not the expected one, or a connection has been deleted meanwhile; NOT_FOUND when the acknowledged report has
 */
export async function writePipelines(parts: WriteParts, judged: JudgedPipelines): Promise<Pipeline[] | 'moved'> {
  let before: readonly Written[] = [];
  try {
    return await parts.graph.transaction(async (transaction) => {
      // When the answer to a commit was lost, the versions found can be those made by the first try.
      const ours = before.some(({ isNew }) => isNew) ? before : [];
      const written = await writeVersions(transaction, judged.pipelines, ours);
      before = written;
      await linkConnections(transaction, written);
      const [at = ''] = await transaction.run(lockMeta, { lock: lockMark() });
      const isOurs = ours.length > 0 && written.every(({ isNew }) => !isNew);
      if (!isOurs && (await hasMoved(transaction, judged))) throw new Moved();
      await writePlans(transaction, written, at);
      const saved = inOrder(judged.pipelines, await transaction.run(findPipelines, { pipelines: touchedBy(judged.pipelines).pipelines }));
      if (judged.acknowledged !== null) await answer(transaction, parts, judged, judged.acknowledged, written);
      return saved;
    });
  } catch (error) {
    if (error instanceof Moved) return 'moved';
    throw error;
  }
}

/** @throws PlatformError CONFLICT */
export function checkVersion({ version, deleted }: Pick<LockedPipeline, 'version' | 'deleted'>, expectedVersion: number | null, key: string): void {
  const found = deleted ? 0 : version;
  if (expectedVersion === null || expectedVersion === found) return;
  const state = deleted ? 'has been deleted' : found === 0 ? 'does not exist' : `is at version ${found}`;
  const wanted = expectedVersion === 0 ? 'it was expected not to exist yet' : `version ${expectedVersion} was expected`;
  throw new PlatformError('CONFLICT', `Pipeline ${key} ${state}, but ${wanted}; look at what is saved and try again.`, {
    context: { version: found, expectedVersion },
  });
}

async function writeVersions(transaction: GraphTransaction, pipelines: readonly PipelineToWrite[], ours: readonly Written[]): Promise<Written[]> {
  const inNameOrder = [...pipelines].sort((one, other) => (nameOf(one.spec) < nameOf(other.spec) ? -1 : 1));
  const written: Written[] = [];
  for (const pipeline of inNameOrder) {
    const known = ours.find(({ pipeline: { spec } }) => nameOf(spec) === nameOf(pipeline.spec));
    written.push(await writeVersion(transaction, pipeline, known?.version ?? null));
  }
  return written;
}

/** @param ours  the version that the first try of the same transaction made */
async function writeVersion(transaction: GraphTransaction, pipeline: PipelineToWrite, ours: number | null): Promise<Written> {
  const { spec, document, specHash, expectedVersion, actor } = pipeline;
  const { namespace, name, description, owners } = spec;
  const [locked] = await transaction.run(lockPipeline, { namespace, name, id: newId('job'), lock: lockMark() });
  if (locked === undefined) throw new PlatformError('INTERNAL', `Pipeline ${namespace}/${name} could not be locked.`);
  const isOurs = ours !== null && locked.specHash === specHash && locked.version === ours;
  if (!isOurs) checkVersion(locked, expectedVersion, `${namespace}/${name}`);
  const isNew = locked.specHash !== specHash;
  const version = isNew ? locked.version + 1 : locked.version;
  if (isNew) {
    await transaction.run(createPipelineVersion, { id: locked.id, version, spec: JSON.stringify(document), specHash, description, owners, createdBy: actor });
  }
  if (locked.deleted) await transaction.run(revivePipeline, { id: locked.id });
  return { id: locked.id, pipeline, version, isNew };
}

/** Several pipelines could ask for connections in another order than one of them alone: all are locked first, by name. */
async function linkConnections(transaction: GraphTransaction, written: readonly Written[]): Promise<void> {
  const all = connectionsOf(written.map(({ pipeline: { spec } }) => spec));
  if (written.length > 1) for (const name of all) await transaction.run(lockConnection, { name, lock: lockMark() });
  for (const { id, pipeline } of written) {
    const names = connectionsOf([pipeline.spec]);
    const linked = new Set(await transaction.run(useConnections, { id, names, lock: lockMark() }));
    const missing = names.filter((name) => !linked.has(name));
    if (missing.length > 0) throw new PlatformError('CONFLICT', `Connection ${missing.join(', ')} has been deleted meanwhile; nothing was saved.`);
  }
}

/** Under the lock of Meta. A verdict about nobody holds as long as there is nobody. */
async function hasMoved(transaction: GraphTransaction, { pipelines, revision, bound }: JudgedPipelines): Promise<boolean> {
  const [state] = await transaction.run(readMeta, {});
  if (state?.revision === revision) return false;
  if (bound) return true;
  const [neighbours] = await transaction.run(neighboursOfPipelines, touchedBy(pipelines));
  return neighbours === undefined || neighbours.read || neighbours.written;
}

/** A new version counts as a change of the graph even where it leaves all edges as they are: what was judged before is judged again. */
async function writePlans(transaction: GraphTransaction, written: readonly Written[], at: string): Promise<void> {
  let changed = written.some(({ isNew }) => isNew);
  for (const { id, pipeline } of written) changed = (await writePlan(transaction, id, pipeline.compiled, at)) || changed;
  if (changed) await transaction.run(raiseRevision, {});
}

async function writePlan(transaction: GraphTransaction, id: string, compiled: CompiledPipeline, at: string): Promise<boolean> {
  const records = await ensureDatasetRecords(transaction, foundDatasets(compiled), id);
  const schemasChanged = await writeSchemas(transaction, records, at);
  const ids = nodeIds(records);
  const edges = compiled.outputs.flatMap(({ lineage }) => edgesOf(lineage, ids));
  const edgesChanged = await writeEdges(transaction, { jobId: id, source: 'DECLARED', edges, at });
  await transaction.run(setReads, { id, datasetIds: [...new Set(compiled.inputs.map(({ dataset }) => ids.dataset(dataset)))] });
  await transaction.run(setWrites, { id, writes: compiled.outputs.map(({ dataset, load }) => ({ datasetId: ids.dataset(dataset), key: load.key })) });
  return schemasChanged || edgesChanged;
}

/** The entry is kept before the commit, so that no save goes without; the versions name it, so that an entry whose save was not committed is known. */
async function answer(
  transaction: GraphTransaction,
  { audit, reports }: WriteParts,
  judged: JudgedPipelines,
  report: KeptReport,
  written: readonly Written[],
): Promise<void> {
  await transaction.run(answerFor, { auditId: judged.auditId, saved: written.map(({ id, version }) => ({ id, version })) });
  await reports.hold(report.id);
  await audit.append(auditEntry(judged, report, written));
}

function auditEntry({ auditId, actor, subjects }: JudgedPipelines, { id: reportId, findingsHash }: KeptReport, written: readonly Written[]) {
  const versions = new Map(written.map(({ pipeline: { spec }, version }) => [nameOf(spec), version]));
  const pipelines = subjects.map((subject) => ({ ...subject, savedVersion: versions.get(nameOf(subject)) ?? 0 }));
  return { id: auditId, action: 'ACKNOWLEDGED_SAVE' as const, actor, pipelines, reportId, findingsHash };
}

function inOrder(pipelines: readonly PipelineToWrite[], found: readonly Pipeline[]): Pipeline[] {
  const byName = new Map(found.map((pipeline) => [nameOf(pipeline), pipeline]));
  return pipelines.map(({ spec }) => {
    const pipeline = byName.get(nameOf(spec));
    if (pipeline === undefined) throw new PlatformError('INTERNAL', `Pipeline ${spec.namespace}/${spec.name} was written but not found.`);
    return pipeline;
  });
}

function connectionsOf(specs: readonly PipelineSpec[]): string[] {
  return [...new Set(specs.flatMap(({ inputs, outputs }) => [...Object.values(inputs), ...outputs].map(({ connection }) => connection)))].sort();
}

/** What pipelines are locked in the order of. */
function nameOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return JSON.stringify([namespace, name]);
}
