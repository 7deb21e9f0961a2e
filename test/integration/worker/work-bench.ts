import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import neo4j from 'neo4j-driver';
import { connectors } from '../../../src/connectors/connectors.js';
import { Documents } from '../../../src/documents/documents.js';
import { Graph } from '../../../src/graph/graph.js';
import { isFinal, type Run } from '../../../src/model/run.js';
import { parseSpec } from '../../../src/pipeline/spec/parse-spec.js';
import { AuditLog } from '../../../src/services/audit.js';
import { ConnectionService } from '../../../src/services/connections.js';
import { DeadLetterService } from '../../../src/services/dead-letters.js';
import { ImpactReportService } from '../../../src/services/impact-reports.js';
import { PipelineService } from '../../../src/services/pipelines.js';
import { ReplayService } from '../../../src/services/replay-letters.js';
import { RunService } from '../../../src/services/runs.js';
import { compileInProcess } from '../../../src/worker/compile-in-process.js';
import { WakeTasks } from '../../../src/worker/wake-tasks.js';
import { Worker, type WorkerSettings } from '../../../src/worker/worker.js';
import { type LiveRuns, openLiveRuns } from '../../support/live-runs.js';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';
import { servers } from '../../support/servers.js';
import { keptLog } from '../../unit/worker/scripted-run.js';
import { documentsUri } from '../documents/documents-uri.js';

/** Real services on the test servers, with a database that is source and destination, and workers made by the test. */
export interface WorkBench {
  readonly database: TestDatabase;
  readonly runs: RunService;
  readonly live: LiveRuns;
  readonly letters: DeadLetterService;
  readonly replays: ReplayService;
  readonly documents: Documents;
  readonly runsFolder: string;
  readonly lines: readonly string[];
  /** Whether queueing a run also stores a task in MongoDB. */
  wakes: boolean;
  /** Whether a cancel reaches the workers at once, as within one process. */
  tellsCancel: boolean;
  /** By the name of their variable; any other is the database's password. */
  readonly secrets: Map<string, string>;
  /** Names of the workers, in the order in which they were made. */
  readonly workerNames: string[];
  worker(settings?: Partial<WorkerSettings>): Worker;
  /** Saves a pipeline with these parts of a document. */
  save(name: string, parts: string): Promise<void>;
  /** Queues a run. */
  start(name: string, params?: unknown): Promise<string>;
  /** Saves a pipeline with these parts of a document and queues a run of it. */
  queue(name: string, parts: string): Promise<string>;
  ended(runId: string): Promise<Run>;
  reached(runId: string, condition: (run: Run) => boolean): Promise<Run>;
  /** Another connection to the database, with these differences. */
  connect(name: string, changes: Readonly<Record<string, unknown>>): Promise<void>;
  /** Changes the graph behind everybody's back. */
  cypher(text: string, params: Readonly<Record<string, unknown>>): Promise<void>;
  close(): Promise<void>;
}

export async function openWorkBench(): Promise<WorkBench> {
  const [database, documents, runsFolder] = await Promise.all([
    createDatabase('worker'),
    Documents.open({ uri: documentsUri() }),
    mkdtemp(join(tmpdir(), 'tributary-runs-')),
  ]);
  const graph = new Graph(servers.neo4j);
  await graph.migrate();
  const driver = neo4j.driver(servers.neo4j.uri, neo4j.auth.basic(servers.neo4j.user, servers.neo4j.password));
  const { logger, lines } = keptLog();
  const workerNames: string[] = [];
  const secrets = new Map<string, string>();
  const taskBoxes: WakeTasks[] = [];
  const newTasks = (): WakeTasks => {
    const box = new WakeTasks({ database: documents.database, logger });
    taskBoxes.push(box);
    return box;
  };
  const sender = newTasks();
  const connections = new ConnectionService({ graph, connectors, secret: (name) => secrets.get(name) ?? database.password });
  const pipelines = new PipelineService({
    graph,
    connections,
    connectors,
    compile: compileInProcess(),
    judge: () => Promise.reject(new Error('Nobody reads what these pipelines write.')),
    reports: new ImpactReportService({ reports: documents.impactReports }),
    audit: new AuditLog({ entries: documents.audit, graph }),
  });
  const letters = new DeadLetterService({ letters: documents.deadLetters });
  const workers: Worker[] = [];
  const live = await openLiveRuns(graph, documents, logger);
  const runs = new RunService({
    graph,
    onTransition: (ids) => live.log.changed(ids),
    onQueued: () => bench.wakes && sender.enqueue(),
    onCancel: (runId) => {
      for (const worker of workers) if (bench.tellsCancel) worker.cancel(runId);
    },
  });
  const { host, port, user, name: databaseName } = database;
  const connect = async (name: string, changes: Readonly<Record<string, unknown>> = {}): Promise<void> => {
    const config = { host, port, database: databaseName, user, password: '${env:TRIBUTARY_SECRET_TEST}', ...changes };
    await connections.create({ name, kind: 'postgres', config });
  };
  await connect(databaseName);

  const reached = async (runId: string, condition: (run: Run) => boolean): Promise<Run> => {
    const deadline = performance.now() + 30_000;
    for (;;) {
      const run = await runs.get(runId);
      if (run !== null && condition(run)) return run;
      if (performance.now() > deadline) throw new Error(`Run ${runId} is ${JSON.stringify(run)}.\n${lines.join('')}`);
      await wait(50);
    }
  };
  const bench: WorkBench = {
    database,
    runs,
    live,
    letters,
    replays: new ReplayService({ letters: documents.deadLetters, pipelines, runs }),
    documents,
    runsFolder,
    lines,
    wakes: true,
    tellsCancel: true,
    workerNames,
    secrets,
    worker: (settings = {}) => {
      const specOf = async (pipelineId: string, version: number): Promise<unknown> =>
        (await pipelines.versions(pipelineId)).find((found) => found.version === version)?.spec;
      const parts = { runs, specOf, connections, deadLetters: letters, runLog: live.log, parseSpec, wakeTasks: newTasks(), logger };
      const name = `test-${randomBytes(6).toString('hex')}`;
      workerNames.push(name);
      const worker = new Worker(parts, { worker: name, runsFolder, slots: 2, ...settings });
      workers.push(worker);
      return worker;
    },
    save: async (name, parts) => {
      const spec = `{version: 1, name: ${name}, namespace: ${databaseName}, ${parts.replaceAll('$db', databaseName)}}`;
      const saved = await pipelines.save({ spec });
      if (saved.outcome !== 'saved') throw new Error(JSON.stringify(saved));
    },
    start: async (name, params = null) => {
      const started = await runs.start({ pipeline: { namespace: databaseName, name }, trigger: 'manual', params });
      if (started.outcome !== 'queued') throw new Error(started.message);
      return started.run.id;
    },
    queue: async (name, parts) => {
      await bench.save(name, parts);
      return bench.start(name);
    },
    ended: (runId) => reached(runId, ({ state }) => isFinal(state)),
    reached,
    connect,
    cypher: async (text, params) => void (await driver.executeQuery(text, params)),
    close: async () => {
      await Promise.all(workers.map((worker) => worker.stop()));
      for (const { node } of (await runs.list({ state: ['QUEUED', 'RUNNING'], first: 100, after: null })).items) await runs.cancel(node.id);
      await Promise.all(taskBoxes.map((box) => box.stop()));
      await live.close();
      await Promise.all([documents.close(), graph.close(), rm(runsFolder, { recursive: true, force: true })]);
      await driver.close();
      await database.drop();
    },
  };
  return bench;
}

/** Processes that execute a run and are children of this one. Linux only. */
export function runProcesses(): Promise<number[]> {
  return childrenCalled('tributary-run');
}

/** Those that wait for one. */
export function idleProcesses(): Promise<number[]> {
  return childrenCalled('run-process.js');
}

async function childrenCalled(called: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const [command, status] = await Promise.all([textOf(`/proc/${name}/cmdline`), textOf(`/proc/${name}/status`)]);
    if (command.includes(called) && status.includes(`\nPPid:\t${process.pid}\n`)) found.push(Number(name));
  }
  return found;
}

export async function environmentOf(processId: number): Promise<string> {
  return textOf(`/proc/${processId}/environ`);
}

async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
