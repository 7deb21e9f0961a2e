import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureConnection } from './example-connections.js';
import { type FinishedRun, runToEnd, savePipeline } from './example-pipelines.js';
import { ApiError, GraphqlClient, type GraphqlClientSettings } from './graphql-client.js';
import { lineageTree } from './lineage-tree.js';
import { tableLines, withCommas } from './table.js';
import type { Terminal } from './terminal.js';

export interface FirstRunRequest extends GraphqlClientSettings {
  /** Holds orders.yaml and big_orders.yaml. */
  readonly examples: string;
  /** Where both databases are; the password is the variable TRIBUTARY_SECRET_EXAMPLE_POSTGRES of the server. */
  readonly server: { readonly host: string; readonly port: number; readonly user: string };
  readonly databases: { readonly shop: string; readonly warehouse: string };
  readonly terminal: Terminal;
}

const documents = ['orders.yaml', 'big_orders.yaml'];
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
 * Connects the example's databases, saves and runs its pipelines, and prints what came of it. Does the same at every start: an
 * upsert of rows that are there already changes nothing. What goes wrong is printed: the server serves all the same.
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

  const runs: FinishedRun[] = [];
  for (const document of documents) {
    const pipeline = await savePipeline(client, readFileSync(join(examples, document), 'utf8'));
    terminal.line(`  ${terminal.faint(`running ${pipeline.namespace}/${pipeline.name} (examples/${document})`)}`);
    runs.push(await runToEnd(client, pipeline));
  }
  printRuns(terminal, runs);

  const [title = '', ...branches] = await lineageTree(client, { namespace, dataset: `${databases.shop}.public.orders`, name: 'amount' });
  terminal.line(`  ${terminal.bold(title)} goes to`);
  for (const line of branches) terminal.line(`  ${line}`);
  terminal.line();
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
