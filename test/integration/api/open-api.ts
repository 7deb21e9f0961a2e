import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import type { Readiness } from '../../../src/api/health.js';
import { type ApiSettings, type RunningApi, startApi } from '../../../src/api/server.js';
import type { ApiServices } from '../../../src/api/services.js';
import { connectors } from '../../../src/connectors/connectors.js';
import { Documents } from '../../../src/documents/documents.js';
import { Graph } from '../../../src/graph/graph.js';
import { AuditLog } from '../../../src/services/audit.js';
import { ConnectionService } from '../../../src/services/connections.js';
import { DatasetService } from '../../../src/services/datasets.js';
import { DeadLetterService } from '../../../src/services/dead-letters.js';
import { changeJudge } from '../../../src/services/impact/judge-change.js';
import { ImpactService } from '../../../src/services/impact-questions.js';
import { ImpactReportService } from '../../../src/services/impact-reports.js';
import { JobService } from '../../../src/services/jobs.js';
import { LineageService } from '../../../src/services/lineage.js';
import { NodeService } from '../../../src/services/nodes.js';
import { PipelineService } from '../../../src/services/pipelines.js';
import { ReplayService } from '../../../src/services/replay-letters.js';
import { RunService } from '../../../src/services/runs.js';
import { TagService } from '../../../src/services/tags.js';
import { compileInProcess } from '../../../src/worker/compile-in-process.js';
import { compileManyInProcess } from '../../../src/worker/compile-many.js';
import { type LiveRuns, openLiveRuns } from '../../support/live-runs.js';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';
import { servers } from '../../support/servers.js';
import { keptLog } from '../../unit/worker/scripted-run.js';
import { documentsUri } from '../documents/documents-uri.js';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface HttpQuestion {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface GraphqlAnswer {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions: Readonly<Record<string, unknown>>;
  }[];
}

export const loopback: ApiSettings = { host: '127.0.0.1', port: 0, token: null, allowedHosts: [], allowedOrigins: [] };

/** Any Host and header can be sent, which `fetch` refuses. */
export function ask(api: RunningApi, { method = 'GET', path = '/', headers = {}, body }: HttpQuestion): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port: new URL(api.url).port, method, path, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

export async function graphql(
  api: RunningApi,
  query: string,
  variables: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<GraphqlAnswer> {
  const answer = await ask(api, {
    method: 'POST',
    path: '/graphql',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  });
  return JSON.parse(answer.text) as GraphqlAnswer;
}

export function codesOf({ errors = [] }: GraphqlAnswer): unknown[] {
  return errors.map(({ extensions }) => extensions['code']);
}

/** An API without stores: for questions that must be answered before any of them is asked. */
export async function openDoors(
  settings: Partial<ApiSettings> = {},
  readiness: Readiness = {},
  services: object = {},
): Promise<RunningApi & { readonly lines: readonly string[] }> {
  const { logger, lines } = keptLog();
  const api = await startApi({ services: services as ApiServices, settings: { ...loopback, ...settings }, logger, readiness });
  return { ...api, lines };
}

export interface WholeApi {
  readonly api: RunningApi;
  readonly services: ApiServices;
  readonly live: LiveRuns;
  readonly database: TestDatabase;
  /** A connection to `database`. */
  readonly connection: string;
  readonly lines: readonly string[];
  query(query: string, variables?: Readonly<Record<string, unknown>>): Promise<GraphqlAnswer>;
  close(): Promise<void>;
}

/** The API on real stores, with no worker. */
export async function openApi(): Promise<WholeApi> {
  const [database, documents] = await Promise.all([createDatabase('api'), Documents.open({ uri: documentsUri() })]);
  const graph = new Graph(servers.neo4j);
  await graph.migrate();
  const { logger, lines } = keptLog();
  const connections = new ConnectionService({ graph, connectors, secret: (name) => (name === 'TRIBUTARY_SECRET_TEST' ? database.password : undefined) });
  const compile = compileInProcess();
  const judge = changeJudge({ graph, connections, connectors, compileMany: compileManyInProcess() });
  const reports = new ImpactReportService({ reports: documents.impactReports });
  const audit = new AuditLog({ entries: documents.audit, graph });
  const pipelines = new PipelineService({ graph, connections, connectors, compile, judge, reports, audit });
  const nodes = new NodeService({ graph });
  const live = await openLiveRuns(graph, documents, logger);
  const runs = new RunService({ graph, onQueued: () => undefined, onCancel: () => undefined, onTransition: (ids) => live.log.changed(ids) });
  const services: ApiServices = {
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
    tags: new TagService({ graph, nodes }),
    runEvents: live.events,
  };
  const api = await startApi({ services, settings: loopback, logger, readiness: { neo4j: () => graph.ready(), mongodb: () => documents.ready() } });
  const connection = `api_${randomBytes(6).toString('hex')}`;
  const { host, port, user, name } = database;
  await connections.create({ name: connection, kind: 'postgres', config: { host, port, database: name, user, password: '${env:TRIBUTARY_SECRET_TEST}' } });
  return {
    api,
    services,
    live,
    database,
    connection,
    lines,
    query: (query, variables) => graphql(api, query, variables),
    close: async () => {
      await api.stop();
      await live.close();
      await Promise.all([documents.close(), graph.close(), database.drop()]);
    },
  };
}
