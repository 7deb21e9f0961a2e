import type { Logger } from 'pino';
import { startApi } from './api/server.js';
import type { ApiServices } from './api/services.js';
import type { ProcessRole } from './config/arguments.js';
import type { Settings } from './config/settings.js';
import { connectors } from './connectors/connectors.js';
import { Documents } from './documents/documents.js';
import { Graph, type GraphSettings } from './graph/graph.js';
import type { ClosingStack } from './lib/closing-stack.js';
import { parseSpec } from './pipeline/spec/parse-spec.js';
import { AuditLog } from './services/audit.js';
import { ConnectionService } from './services/connections.js';
import { DatasetService } from './services/datasets.js';
import { DeadLetterService } from './services/dead-letters.js';
import { changeJudge } from './services/impact/judge-change.js';
import { ImpactService } from './services/impact-questions.js';
import { ImpactReportService } from './services/impact-reports.js';
import { JobService } from './services/jobs.js';
import { LineageService } from './services/lineage.js';
import { NodeService } from './services/nodes.js';
import { PipelineService } from './services/pipelines.js';
import { ReplayService } from './services/replay-letters.js';
import { RunEventService } from './services/run-events.js';
import { RunLogService } from './services/run-log.js';
import { RunTail } from './services/run-tail.js';
import { RunService } from './services/runs.js';
import { TagService } from './services/tags.js';
import { compileInProcess } from './worker/compile-in-process.js';
import { compileManyInProcess } from './worker/compile-many.js';
import { WakeTasks } from './worker/wake-tasks.js';
import { Worker } from './worker/worker.js';

/** This process among those that execute runs. */
export interface WorkerPlace {
  /** No other process ever has it. */
  readonly id: string;
  /** Workers that have ended for certain: what they held can be taken up at once. */
  readonly ended: readonly string[];
  /** To be called when that has been taken up. */
  forgetEnded(): void;
  /** Each worker has a folder of its own name in it. */
  readonly runsFolder: string;
}

export interface ServerRequest {
  readonly settings: Settings;
  readonly role: ProcessRole;
  readonly worker: WorkerPlace;
  readonly graph: GraphSettings;
  readonly mongodbUri: string;
  readonly logger: Logger;
  /** The value of a variable whose name begins TRIBUTARY_SECRET_. */
  readonly secret: (name: string) => string | undefined;
  /** Receives what has to be closed, as it is opened: also when a later step fails. */
  readonly closing: ClosingStack;
}

/** Opens the stores, then what the role has of worker and API, in this order. @returns the address of the API; null: none is wanted */
export async function startServer(request: ServerRequest): Promise<string | null> {
  const { settings, role, logger, closing } = request;
  const graph = new Graph(request.graph);
  closing.add('Neo4j connection', () => graph.close());
  const opened = Documents.open({ uri: request.mongodbUri });
  await Promise.all([graph.ready().then(() => graph.migrate()), opened]);
  const documents = await opened;
  closing.add('MongoDB connection', () => documents.close());

  const wakeTasks = new WakeTasks({ database: documents.database, logger });
  closing.add('wake-up tasks', () => wakeTasks.stop());
  const wakeUps = await documents.wakeUps(logger);
  closing.add('wake-ups', () => wakeUps.close());
  const runLog = new RunLogService({ graph, log: documents.runLog, onAppended: (position) => wakeUps.announce(position), logger });
  closing.add('run log', () => runLog.settled());
  const tail = new RunTail({ feed: documents.runLog.feed, logger });
  const services = composeServices(request, {
    graph,
    documents,
    wakeTasks,
    runLog,
    tail,
    onQueued: () => worker?.wake(),
    // A run of another process learns of it when that one renews its lease.
    onCancel: (runId) => worker?.cancel(runId),
  });
  const worker: Worker | null = role === 'api' ? null : composeWorker(request, services, wakeTasks, runLog);
  if (worker !== null) {
    closing.add('worker', () => worker.stop());
    await worker.start();
    request.worker.forgetEnded();
  }
  if (role === 'worker') return null;

  closing.add('run feed', () => tail.stop());
  await Promise.all([tail.start(), wakeUps.listen(() => tail.wake())]);
  const readiness = { neo4j: () => graph.ready(), mongodb: () => documents.ready() };
  const api = await startApi({ services, settings, logger, readiness });
  closing.add('API', () => api.stop());
  return api.url;
}

interface ServiceParts {
  readonly graph: Graph;
  readonly documents: Documents;
  readonly wakeTasks: WakeTasks;
  readonly runLog: RunLogService;
  readonly tail: RunTail;
  /** There may be work for this process. */
  readonly onQueued: () => void;
  readonly onCancel: (runId: string) => void;
}

function composeServices({ secret }: ServerRequest, { graph, documents, wakeTasks, runLog, tail, onQueued, onCancel }: ServiceParts): ApiServices {
  // Others learn of it by a task, which takes Agenda a moment.
  const queued = (): void => {
    onQueued();
    wakeTasks.enqueue();
  };
  const onTransition = (runIds: readonly string[]): void => runLog.changed(runIds);
  const connections = new ConnectionService({ graph, connectors, secret });
  const compile = compileInProcess();
  const judge = changeJudge({ graph, connections, connectors, compileMany: compileManyInProcess() });
  const reports = new ImpactReportService({ reports: documents.impactReports });
  const audit = new AuditLog({ entries: documents.audit, graph });
  const pipelines = new PipelineService({ graph, connections, connectors, compile, judge, reports, audit, onCancel, onTransition });
  const nodes = new NodeService({ graph });
  const runs = new RunService({ graph, onQueued: queued, onCancel, onTransition });
  return {
    connections,
    datasets: new DatasetService({ graph }),
    deadLetters: new DeadLetterService({ letters: documents.deadLetters }),
    impacts: new ImpactService({ graph, connections, connectors, compile, judge, reports }),
    jobs: new JobService({ graph }),
    lineage: new LineageService({ graph }),
    nodes,
    pipelines,
    reports,
    replays: new ReplayService({ letters: documents.deadLetters, pipelines, runs }),
    runs,
    runEvents: new RunEventService({ graph, log: documents.runLog, tail, transitions: runLog }),
    tags: new TagService({ graph, nodes }),
  };
}

type WorkerRequest = Pick<ServerRequest, 'settings' | 'worker' | 'logger'>;

function composeWorker(request: WorkerRequest, services: ApiServices, wakeTasks: WakeTasks, runLog: RunLogService): Worker {
  const { settings, worker, logger } = request;
  const { runs, connections, deadLetters, pipelines } = services;
  const specOf = async (pipelineId: string, version: number): Promise<unknown> => {
    const versions = await pipelines.versions(pipelineId);
    return versions.find((each) => each.version === version)?.spec;
  };
  const slots = settings.runSlots === null ? {} : { slots: settings.runSlots };
  return new Worker(
    { runs, specOf, connections, deadLetters, runLog, parseSpec, wakeTasks, logger },
    { worker: worker.id, ended: worker.ended, runsFolder: worker.runsFolder, ...slots },
  );
}
