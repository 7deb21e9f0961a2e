import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { connectors } from '../connectors/connectors.js';
import { type ErrorRecord, PlatformError, toErrorRecord } from '../model/errors.js';
import { noMetrics, type RunMetrics, type StepMetrics } from '../model/run.js';
import type { RunPlace } from '../model/run-log.js';
import type { CompileRequest, FromRunProcess, RunRequest, ToRunProcess } from '../model/run-process.js';
import { toRunError } from '../pipeline/run-error.js';
import { runPipeline } from '../pipeline/run-pipeline.js';
import { boundCasts } from '../pipeline/spec/bound-casts.js';
import { compilePipeline } from '../pipeline/spec/compile-pipeline.js';
import { openDuckDb } from '../pipeline/transform/duckdb.js';
import { loadFunctions } from '../pipeline/transform/functions.js';

/** The process in which one document is compiled or one run is executed. It obeys its parent's messages and ends with its parent. */

const compileMemoryBytes = 256 * 2 ** 20;

const cancelled = new AbortController();
const stored = new Map<number, (error: ErrorRecord | null) => void>();
let batches = 0;

process.on('message', (message: ToRunProcess) => {
  if (message.type === 'compile') void finish(() => compile(message.request));
  else if (message.type === 'compileMany') void finish(() => compileMany(message.requests));
  else if (message.type === 'run') void finish(() => run(message.request));
  else if (message.type === 'cancel') cancelled.abort(new PlatformError('RUN_CANCELLED', 'The run was cancelled.'));
  else stored.get(message.batch)?.(message.error);
});
// Not exit(): that would wait for the statement that DuckDB is computing.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// Ctrl-C reaches the whole group; when this process ends is its parent's business.
process.on('SIGINT', () => undefined);
void send({ type: 'ready' });

async function compile(request: CompileRequest): Promise<void> {
  await send({ type: 'compiled', result: await inSandbox((connection) => compilePipeline(request, connectors, connection)) });
}

async function compileMany(requests: readonly CompileRequest[]): Promise<void> {
  const functions = await inSandbox(loadFunctions);
  for (const [index, request] of requests.entries()) {
    const { result, casts } = await inSandbox(async (connection) => {
      const compiled = await compilePipeline(request, connectors, connection, functions);
      return { result: compiled, casts: 'compiled' in compiled ? await boundCasts(compiled.compiled, connection) : [] };
    });
    await send({ type: 'compiledOne', index, result, casts });
  }
  await send({ type: 'compiledAll' });
}

/** Each document has a DuckDB of its own, which is closed behind it. */
async function inSandbox<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-compile-'));
  const connection = await openDuckDb({ folder, memoryBytes: compileMemoryBytes, now: new Date().toISOString() });
  try {
    return await work(connection);
  } finally {
    connection.closeSync();
    await rm(folder, { recursive: true, force: true });
  }
}

async function run(request: RunRequest): Promise<void> {
  // A process that waited for its run was forked without these.
  process.env['HOME'] = request.folder;
  process.env['TMPDIR'] = request.folder;
  process.title = `tributary-run ${request.runId}`;
  let last: { metrics: RunMetrics; steps: readonly StepMetrics[] } = { metrics: noMetrics, steps: [] };
  const listener = {
    bound: (compiled: Parameters<Parameters<typeof runPipeline>[2]['bound']>[0]) => void send({ type: 'bound', compiled }),
    progress: (metrics: RunMetrics, steps: readonly StepMetrics[], place: RunPlace) => {
      last = { metrics, steps };
      void send({ type: 'progress', metrics, steps, place });
    },
    committing: () => send({ type: 'committing' }),
    storeRejected,
  };
  try {
    await send({ type: 'done', summary: await runPipeline(request, connectors, listener, cancelled.signal) });
  } catch (error) {
    await send({ type: 'failed', error: toRunError(error), ...last });
  }
}

/** Hands a batch to the parent and waits until it is durable. */
async function storeRejected(rows: Extract<FromRunProcess, { type: 'rejected' }>['rows']): Promise<void> {
  batches += 1;
  const batch = batches;
  const answer = new Promise<ErrorRecord | null>((resolve) => stored.set(batch, resolve));
  await send({ type: 'rejected', batch, rows });
  const error = await answer;
  stored.delete(batch);
  if (error) throw new PlatformError(error.code, error.message, { retryable: error.retryable });
}

/** Ends the process when the work is done and the last message is out. */
async function finish(work: () => Promise<void>): Promise<void> {
  try {
    await work();
    process.exit(0);
  } catch (error) {
    await send({ type: 'failed', error: toErrorRecord(error), metrics: noMetrics, steps: [] });
    process.exit(1);
  }
}

function send(message: FromRunProcess): Promise<void> {
  return new Promise((resolve) => {
    if (!process.send) throw new Error('This file is started by the worker, as a child process with a channel.');
    process.send(message, () => resolve());
  });
}
