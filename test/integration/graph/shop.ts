import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import neo4j from 'neo4j-driver';
import { connectors } from '../../../src/connectors/connectors.js';
import { Documents } from '../../../src/documents/documents.js';
import { Graph } from '../../../src/graph/graph.js';
import type { Pipeline } from '../../../src/model/catalogue.js';
import type { CompiledPipeline } from '../../../src/model/compiled-pipeline.js';
import type { CompileOutcome } from '../../../src/model/impact.js';
import { noMetrics } from '../../../src/model/run.js';
import type { CompileRequest, CompileResult } from '../../../src/model/run-process.js';
import { boundCasts } from '../../../src/pipeline/spec/bound-casts.js';
import { compilePipeline } from '../../../src/pipeline/spec/compile-pipeline.js';
import { parseSpec } from '../../../src/pipeline/spec/parse-spec.js';
import { openDuckDb } from '../../../src/pipeline/transform/duckdb.js';
import { AuditLog } from '../../../src/services/audit.js';
import { type CheckedSpec, checkPipelines } from '../../../src/services/check-pipelines.js';
import { ConnectionService } from '../../../src/services/connections.js';
import { DatasetService } from '../../../src/services/datasets.js';
import { changeJudge } from '../../../src/services/impact/judge-change.js';
import { ImpactService } from '../../../src/services/impact-questions.js';
import { ImpactReportService } from '../../../src/services/impact-reports.js';
import { JobService } from '../../../src/services/jobs.js';
import { LineageService } from '../../../src/services/lineage.js';
import { NodeService } from '../../../src/services/nodes.js';
import { PipelineService } from '../../../src/services/pipelines.js';
import { RunService } from '../../../src/services/runs.js';
import { TagService } from '../../../src/services/tags.js';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';
import { servers } from '../../support/servers.js';
import { documentsUri } from '../documents/documents-uri.js';

export type Row = Readonly<Record<string, unknown>>;

/** The services over the real graph, with a PostgreSQL database of their own, known as a connection of the database's name. */
export interface Shop {
  readonly graph: Graph;
  readonly documents: Documents;
  readonly database: TestDatabase;
  /** Name of the connection; also a namespace that no other test uses. */
  readonly name: string;
  /** Of the datasets in the database. */
  readonly namespace: string;
  readonly connections: ConnectionService;
  readonly pipelines: PipelineService;
  /** A service that keeps its audit entries elsewhere. */
  auditedBy(audit: AuditLog): PipelineService;
  /** The same service over the same stores, as another process has it. */
  readonly otherPipelines: PipelineService;
  readonly impacts: ImpactService;
  readonly reports: ImpactReportService;
  readonly audit: AuditLog;
  readonly runs: RunService;
  readonly nodes: NodeService;
  readonly datasets: DatasetService;
  readonly jobs: JobService;
  readonly lineage: LineageService;
  readonly tags: TagService;
  /** Runs that were asked to end. */
  readonly cancelled: string[];
  /** Asks the graph directly. */
  query(cypher: string, params?: Row): Promise<Row[]>;
  /** Saves; anything but success fails the test. */
  save(spec: Row): Promise<Pipeline>;
  /** Queues a run of the pipeline, claims it and completes it with the schemas found now, without moving rows. Returns its id. */
  complete(pipeline: Pipeline): Promise<string>;
  /** The same pipeline bound to the schemas found now. */
  compiled(spec: unknown): Promise<CompiledPipeline>;
  revision(): Promise<number>;
  close(): Promise<void>;
}

/** @param purpose  lower-case letters */
export async function openShop(purpose: string): Promise<Shop> {
  const database = await createDatabase(purpose);
  const { uri, user, password } = servers.neo4j;
  const graph = new Graph({ uri, user, password });
  await graph.migrate();
  const driver = neo4j.driver(uri, neo4j.auth.basic(user, password), { disableLosslessIntegers: true });
  const connections = new ConnectionService({ graph, connectors, secret: (name) => (name === 'TRIBUTARY_SECRET_SHOP' ? database.password : undefined) });
  const cancelled: string[] = [];
  const documents = await Documents.open({ uri: documentsUri() });
  const judge = changeJudge({ graph, connections, connectors, compileMany });
  const reports = new ImpactReportService({ reports: documents.impactReports });
  const audit = new AuditLog({ entries: documents.audit, graph });
  const parts = { graph, connections, connectors, compile, judge, reports, audit };
  const pipelines = new PipelineService({ ...parts, onCancel: (runId) => cancelled.push(runId) });
  const nodes = new NodeService({ graph });
  const runs = new RunService({ graph, onQueued: () => undefined, onCancel: (runId) => cancelled.push(runId) });
  const config = { host: database.host, port: database.port, database: database.name, user: database.user, password: '${env:TRIBUTARY_SECRET_SHOP}' };
  const { name, datasetNamespace: namespace } = await connections.create({ name: database.name, kind: 'postgres', config });
  const query = async (cypher: string, params: Row = {}): Promise<Row[]> => {
    const { records } = await driver.executeQuery(cypher, params);
    return records.map((record) => record.toObject());
  };
  const compiled = async (spec: unknown): Promise<CompiledPipeline> => {
    const checked = await checkPipelines(parts, [parseSpec(spec)]);
    if ('issues' in checked) throw new Error(`The pipeline does not compile: ${JSON.stringify(checked)}`);
    return (checked.checked[0] as CheckedSpec).compiled;
  };
  return {
    graph,
    documents,
    database,
    name,
    namespace,
    connections,
    pipelines,
    auditedBy: (other) => new PipelineService({ ...parts, audit: other }),
    otherPipelines: new PipelineService(parts),
    impacts: new ImpactService(parts),
    reports,
    audit,
    runs,
    nodes,
    datasets: new DatasetService({ graph }),
    jobs: new JobService({ graph }),
    lineage: new LineageService({ graph }),
    tags: new TagService({ graph, nodes }),
    cancelled,
    query,
    compiled,
    save: async (spec) => {
      const saved = await pipelines.save({ spec });
      if (saved.outcome !== 'saved') throw new Error(JSON.stringify(saved));
      return saved.pipeline;
    },
    complete: async (pipeline) => {
      const started = await runs.start({ pipeline, trigger: 'test' });
      if (started.outcome !== 'queued') throw new Error(JSON.stringify(started));
      const claimed = await runs.claim({ worker: name });
      if (claimed?.run.id !== started.run.id) throw new Error(`Another run was queued: ${claimed?.run.id}`);
      const { id: runId, epoch } = claimed.run;
      await runs.complete({ runId, epoch, compiled: await compiled(claimed.spec), summary: summaryOf(claimed.spec as Row) });
      return runId;
    },
    revision: async () => Number((await query('MATCH (meta:Meta) RETURN meta.revision AS revision'))[0]?.['revision']),
    close: async () => {
      await query(endRunsOfTests, { namespace: name });
      await driver.close();
      await documents.close();
      await graph.close();
      await database.drop();
    },
  };
}

/** A worker of another test takes any run that is queued, or whose lease has passed. */
const endRunsOfTests =
  "MATCH (pipeline:Job)<-[:OF]-(run:Run) WHERE pipeline.namespace STARTS WITH $namespace AND run.state IN ['QUEUED', 'RUNNING'] SET run.state = 'ABORT', pipeline.runningRunId = null";

/** Ten rows read and written by each output. */
function summaryOf(spec: Row) {
  const outputs = (spec['outputs'] as Row[]).map((_, index) => ({ loadId: `load ${index}`, committedAttempt: 1, rowsWritten: 10, bytesWritten: 1000 }));
  return { metrics: { ...noMetrics, rowsRead: 10, rowsWritten: 10 * outputs.length }, steps: [], outputs };
}

export function compile(request: CompileRequest): Promise<CompileResult> {
  return inSandbox((connection) => compilePipeline(request, connectors, connection));
}

async function compileMany(requests: readonly CompileRequest[]): Promise<CompileOutcome[]> {
  return Promise.all(
    requests.map((request) =>
      inSandbox(async (connection) => {
        const result = await compilePipeline(request, connectors, connection);
        return { result, casts: 'compiled' in result ? await boundCasts(result.compiled, connection) : [] };
      }),
    ),
  );
}

async function inSandbox<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-graph-test-'));
  const connection = await openDuckDb({ folder, memoryBytes: 2 ** 28, now: '2026-01-01T00:00:00Z' });
  try {
    return await work(connection);
  } finally {
    connection.closeSync();
    await rm(folder, { recursive: true, force: true });
  }
}
