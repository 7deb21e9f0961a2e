import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import neo4j from 'neo4j-driver';
import { connectors } from '../../../src/connectors/connectors.js';
import { Graph } from '../../../src/graph/graph.js';
import type { Pipeline } from '../../../src/model/catalogue.js';
import type { CompiledPipeline } from '../../../src/model/compiled-pipeline.js';
import { noMetrics } from '../../../src/model/run.js';
import type { CompileRequest, CompileResult } from '../../../src/model/run-process.js';
import { compilePipeline } from '../../../src/pipeline/spec/compile-pipeline.js';
import { openDuckDb } from '../../../src/pipeline/transform/duckdb.js';
import { ConnectionService } from '../../../src/services/connections.js';
import { DatasetService } from '../../../src/services/datasets.js';
import { JobService } from '../../../src/services/jobs.js';
import { LineageService } from '../../../src/services/lineage.js';
import { NodeService } from '../../../src/services/nodes.js';
import { PipelineService } from '../../../src/services/pipelines.js';
import { RunService } from '../../../src/services/runs.js';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';
import { servers } from '../../support/servers.js';

export type Row = Readonly<Record<string, unknown>>;

/** The services over the real graph, with a PostgreSQL database of their own, known as a connection of the database's name. */
export interface Shop {
  readonly graph: Graph;
  readonly database: TestDatabase;
  /** Name of the connection; also a namespace that no other test uses. */
  readonly name: string;
  /** Of the datasets in the database. */
  readonly namespace: string;
  readonly connections: ConnectionService;
  readonly pipelines: PipelineService;
  readonly runs: RunService;
  readonly nodes: NodeService;
  readonly datasets: DatasetService;
  readonly jobs: JobService;
  readonly lineage: LineageService;
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
  const pipelines = new PipelineService({ graph, connections, connectors, compile, onCancel: (runId) => cancelled.push(runId) });
  const runs = new RunService({ graph, onQueued: () => undefined, onCancel: (runId) => cancelled.push(runId) });
  const config = { host: database.host, port: database.port, database: database.name, user: database.user, password: '${env:TRIBUTARY_SECRET_SHOP}' };
  const { name, datasetNamespace: namespace } = await connections.create({ name: database.name, kind: 'postgres', config });
  const query = async (cypher: string, params: Row = {}): Promise<Row[]> => {
    const { records } = await driver.executeQuery(cypher, params);
    return records.map((record) => record.toObject());
  };
  const compiled = async (spec: unknown): Promise<CompiledPipeline> => {
    let result: CompileResult | null = null;
    const probe = new PipelineService({ graph, connections, connectors, compile: async (request) => (result = await compile(request)) });
    await probe.save({ spec, expectedVersion: 1_000_000 });
    if (result === null || 'issues' in result) throw new Error(`The pipeline does not compile: ${JSON.stringify(result)}`);
    return (result as { compiled: CompiledPipeline }).compiled;
  };
  return {
    graph,
    database,
    name,
    namespace,
    connections,
    pipelines,
    runs,
    nodes: new NodeService({ graph }),
    datasets: new DatasetService({ graph }),
    jobs: new JobService({ graph }),
    lineage: new LineageService({ graph }),
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
      const claimed = await runs.claim({ worker: name, installation: name });
      if (claimed?.run.id !== started.run.id) throw new Error(`Another run was queued: ${claimed?.run.id}`);
      const { id: runId, epoch } = claimed.run;
      await runs.complete({ runId, epoch, compiled: await compiled(claimed.spec), summary: summaryOf(claimed.spec as Row) });
      return runId;
    },
    revision: async () => Number((await query('MATCH (meta:Meta) RETURN meta.revision AS revision'))[0]?.['revision']),
    close: async () => {
      await driver.close();
      await graph.close();
      await database.drop();
    },
  };
}

/** Ten rows read and written by each output. */
function summaryOf(spec: Row) {
  const outputs = (spec['outputs'] as Row[]).map((_, index) => ({ loadId: `load ${index}`, committedAttempt: 1, rowsWritten: 10, bytesWritten: 1000 }));
  return { metrics: { ...noMetrics, rowsRead: 10, rowsWritten: 10 * outputs.length }, steps: [], outputs };
}

export async function compile(request: CompileRequest): Promise<CompileResult> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-graph-test-'));
  try {
    return await compilePipeline(request, connectors, await openDuckDb({ folder, memoryBytes: 2 ** 28, now: '2026-01-01T00:00:00Z' }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
