import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureConnection } from './example-connections.js';
import { type FinishedRun, type PipelineKey, runToEnd, savePipeline } from './example-pipelines.js';
import { ApiError, GraphqlClient, type GraphqlClientSettings } from './graphql-client.js';
import { impactTree } from './impact-tree.js';
import { lineageTree } from './lineage-tree.js';
import { progressLine } from './progress-line.js';
import { followRun, type RunFeedEvent } from './run-feed.js';
import { tableLines, withCommas } from './table.js';
import type { Terminal } from './terminal.js';

export interface FirstRunRequest extends GraphqlClientSettings {
  /** Holds the documents. */
  readonly examples: string;
  /** Where both databases are; the password is the variable TRIBUTARY_SECRET_EXAMPLE_POSTGRES of the server. */
  readonly server: { readonly host: string; readonly port: number; readonly user: string };
  readonly databases: { readonly shop: string; readonly warehouse: string };
  /** Lets the shop's day go on. @returns a sentence that says what has changed */
  readonly nextWave: () => Promise<string>;
  readonly terminal: Terminal;
}

/** Staging, mart and report: each reads what the one before it writes. */
const documents = ['orders.yaml', 'customer_sales.yaml', 'country_report.yaml'];
const columns = [
  { title: 'Pipeline', align: 'left' },
  { title: 'State', align: 'left' },
  { title: 'Read', align: 'right' },
  { title: 'Written', align: 'right' },
  { title: 'Rejected', align: 'right' },
  { title: 'Rows/s', align: 'right' },
  { title: 'Seconds', align: 'right' },
] as const;

/**
 * Connects the example's databases, saves its pipelines and runs them, lets the shop's day go on, runs them again, and prints what
 * came of it, where a column goes, and what would break without it. What goes wrong is printed: the server serves all the same.
 */
export async function showFirstRun(request: FirstRunRequest): Promise<void> {
  const { terminal, signal } = request;
  try {
    await runExample(request);
  } catch (error) {
    if (signal.aborted) return;
    const sentence = error instanceof ApiError ? `${error.code}: ${error.message}` : `it could not talk to the server (${String(error)})`;
    terminal.line(`  ${terminal.bad('The example did not run to its end.')} ${sentence}`);
    terminal.line();
  }
}

async function runExample(request: FirstRunRequest): Promise<void> {
  const { terminal, databases, server, examples } = request;
  const client = new GraphqlClient(request);
  const config = { ...server, password: `\${env:TRIBUTARY_SECRET_EXAMPLE_POSTGRES}` };
  const namespace = await ensureConnection(client, 'shop', { ...config, database: databases.shop });
  await ensureConnection(client, 'warehouse', { ...config, database: databases.warehouse });

  const pipelines: PipelineKey[] = [];
  for (const document of documents) pipelines.push(await savePipeline(client, readFileSync(join(examples, document), 'utf8')));
  printRuns(terminal, await runAll(request, client, pipelines));
  terminal.line(`  ${await request.nextWave()}`);
  printRuns(terminal, await runAll(request, client, pipelines));

  const column = { namespace, dataset: `${databases.shop}.public.orders`, name: 'fx_rate' };
  const [title = '', ...branches] = await lineageTree(client, column);
  terminal.line(`  ${terminal.bold(title)} goes to`);
  for (const line of branches) terminal.line(`  ${line}`);
  terminal.line();
  const [verdict = '', ...consequences] = await impactTree(client, { dropColumn: column });
  terminal.line(`  ${terminal.bold(verdict)}`);
  for (const line of consequences) terminal.line(line === '' ? '' : `  ${line}`);
  terminal.line();
}

async function runAll(request: FirstRunRequest, client: GraphqlClient, pipelines: readonly PipelineKey[]): Promise<FinishedRun[]> {
  const runs: FinishedRun[] = [];
  for (const pipeline of pipelines) {
    runs.push(await runToEnd(client, pipeline, (runId) => followRun(request, runId, (event) => showProgress(request.terminal, pipeline, event))));
  }
  return runs;
}

function showProgress(terminal: Terminal, { namespace, name }: PipelineKey, event: RunFeedEvent): void {
  const text = progressLine(`${namespace}/${name}`, event);
  if (text !== null) terminal.passing(`  ${text}`);
}

function printRuns(terminal: Terminal, runs: readonly FinishedRun[]): void {
  const rows = runs.map(({ pipeline, state, metrics }) => [
    `${pipeline.namespace}/${pipeline.name}`,
    state,
    withCommas(metrics.rowsRead),
    withCommas(metrics.rowsWritten),
    withCommas(metrics.rowsRejected),
    withCommas(metrics.rowsPerSecond ?? 0),
    ((metrics.durationMs ?? 0) / 1_000).toFixed(1),
  ]);
  const [titles = '', ...lines] = tableLines(columns, rows);
  terminal.line();
  terminal.line(`  ${terminal.bold(titles)}`);
  for (const line of lines) terminal.line(`  ${line}`);
  for (const { pipeline, error } of runs) {
    if (error !== null) terminal.line(`  ${terminal.bad(`${pipeline.namespace}/${pipeline.name} failed`)} with ${error.code}: ${error.message}`);
  }
  if (runs.every(({ state, metrics }) => state === 'COMPLETE' && metrics.rowsWritten === 0)) {
    terminal.line(`  ${terminal.faint('Nothing was written: the rows of the last run are there, unchanged.')}`);
  }
  terminal.line();
}
