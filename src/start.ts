import 'reflect-metadata';
import { mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type PartName, partTitles } from '../infrastructure/local/part-error.js';
import { type Parts, startParts } from '../infrastructure/local/parts.js';
import { isPortFree } from '../infrastructure/local/ports.js';
import { makeShop, type ShopDatabases } from '../infrastructure/local/shop.js';
import { makeWave, type ShopWave } from '../infrastructure/local/shop-waves.js';
import { takeStateFolder } from '../infrastructure/local/state-lock.js';
import { takeWorkerIdentity } from '../infrastructure/local/worker-identity.js';
import { showFirstRun } from './cli/first-run.js';
import { openTerminal, padded, type Terminal } from './cli/terminal.js';
import { startServer } from './compose.js';
import { openLog, type ServerLog } from './config/logger.js';
import { readSettings, type Settings } from './config/settings.js';
import { ClosingStack } from './lib/closing-stack.js';
import { projectRoot } from './lib/project-root.js';
import { isPlatformError } from './model/errors.js';

const exampleSecret = 'TRIBUTARY_SECRET_EXAMPLE_POSTGRES';
const terminal = openTerminal(process.stdout, process.env);

/** How long runs, API and connections have to stop; then the servers are stopped all the same. */
const closingWithinMs = 8_000;
/** A package manager may hand on a Ctrl-C that the terminal has sent already: what follows the first within this time is the same one. */
const sameSignalMs = 500;

/** What has to be stopped: first what uses the servers, which may be left undone, then the servers and the lock, which never are. */
interface Closing {
  readonly users: ClosingStack;
  readonly servers: ClosingStack;
}

/** `stop`: everything is to be stopped. `hurry`: time is up or it was asked for again, so that only the servers are waited for. */
interface Stopping {
  readonly stop: AbortController;
  readonly hurry: AbortController;
}

/** @returns the exit status: 0 after a stop that was asked for, and when another process serves this folder already */
async function main(): Promise<number> {
  const stopping = listenForStop();
  const { stop, hurry } = stopping;
  const onError = (name: string, error: unknown): void => terminal.line(`  ${name} did not stop cleanly: ${reasonOf(error)}`);
  const closing: Closing = {
    users: new ClosingStack((name, error) => {
      if (!hurry.signal.aborted) onError(name, error);
    }),
    servers: new ClosingStack(onError),
  };
  let failure: unknown = null;
  try {
    if ((await serve(closing, stopping)) === 'elsewhere') return 0;
    await aborted(stop.signal);
  } catch (error) {
    failure = error;
  }
  const cause = stop.signal.aborted ? stop.signal.reason : failure;
  if (cause instanceof StopAsked) terminal.line('\n  Stopping.');
  else terminal.line(`\n  ${terminal.bad('Tributary stops:')} ${reasonOf(cause)}\n`);
  if (!stop.signal.aborted) stop.abort(cause);
  await unlessAborted(closing.users.close(), hurry.signal).catch((error: unknown) => terminal.line(`  ${reasonOf(error)}`));
  await closing.servers.close();
  return cause instanceof StopAsked ? 0 : 1;
}

function listenForStop(): Stopping {
  const stop = new AbortController();
  const hurry = new AbortController();
  let askedAtMs = Number.POSITIVE_INFINITY;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (performance.now() - askedAtMs > sameSignalMs) hurry.abort(new Error('Stopping at once: only the servers are waited for.'));
      askedAtMs = Math.min(askedAtMs, performance.now());
      stop.abort(new StopAsked());
    });
  }
  const late = new Error(`Runs, API and connections did not stop within ${closingWithinMs / 1_000} s; the servers are stopped now.`);
  stop.signal.addEventListener('abort', () => setTimeout(() => hurry.abort(late), closingWithinMs), { once: true });
  return { stop, hurry };
}

async function serve(closing: Closing, { stop, hurry }: Stopping): Promise<'here' | 'elsewhere'> {
  const settings = readSettings(process.env, projectRoot);
  const taken = takeStateFolder(settings.stateFolder);
  if ('owner' in taken) {
    const { pid, url } = taken.owner;
    terminal.line(`\n  Tributary ${url === null ? 'is being started' : `serves`} here already, as process ${pid}${url === null ? '' : `: ${url}/graphql`}`);
    terminal.line('  Stop that one first (Ctrl-C in its terminal), or set TRIBUTARY_STATE and PORT for a second one.\n');
    return 'elsewhere';
  }
  closing.servers.add('lock', () => taken.lock.release());
  if (settings.port !== 0 && !(await isPortFree(settings.port, settings.host))) {
    throw new Error(`Port ${settings.port} is in use by another program. Stop that program, or set PORT to another port.`);
  }
  openFileRoots(settings);
  const log = openLog(settings.stateFolder, settings.logLevel);
  reportUnhandled(log, stop);

  terminal.line(`\n  ${terminal.bold('Tributary')}\n`);
  const started = performance.now();
  const parts = await startStores(settings, closing.servers, stop, log);
  stop.signal.throwIfAborted();
  const shopReady = makeExampleShop(parts);
  const starting = startServer({
    settings,
    graph: parts.neo4j,
    mongodbUri: parts.mongodb.uri,
    worker: takeWorkerIdentity(settings.stateFolder),
    logger: log.logger,
    secret: (name) => process.env[name],
    closing: closing.users,
  });
  const url = await unlessAborted(starting, hurry.signal);
  taken.lock.publish(url);
  tell(terminal, 'API', `ready in ${((performance.now() - started) / 1_000).toFixed(1)} s (${url}/graphql)`);
  terminal.line();
  const shop = await unlessAborted(shopReady, stop.signal);
  if ('problem' in shop) terminal.line(`  ${terminal.bad('The example shop could not be made.')} ${shop.problem}\n`);
  else if ('host' in shop) await firstRun(settings, url, shop, parts.postgres?.url ?? '', stop.signal);
  printAddresses(url, log.file);
  return 'here';
}

/** The connectors of this process and of run processes read the variable; the folder that is there by default is made. */
function openFileRoots({ fileRoots, stateFolder }: Settings): void {
  process.env['TRIBUTARY_FILE_ROOTS'] = fileRoots.join(delimiter);
  const own = join(stateFolder, 'files');
  if (fileRoots.includes(own)) mkdirSync(own, { recursive: true, mode: 0o700 });
}

type ExampleParts = Parts<'neo4j' | 'mongodb'> & Partial<Pick<Parts<'postgres'>, 'postgres'>>;

async function startStores(settings: Settings, closing: ClosingStack, stop: AbortController, log: ServerLog): Promise<ExampleParts> {
  const parts = await startParts<PartName>({
    stateFolder: settings.stateFolder,
    only: settings.example ? ['neo4j', 'mongodb', 'postgres'] : ['neo4j', 'mongodb'],
    given: {
      ...(settings.neo4j === null ? {} : { neo4j: settings.neo4j }),
      ...(settings.mongodbUri === null ? {} : { mongodb: { uri: settings.mongodbUri } }),
      ...(settings.examplePostgresUrl === null ? {} : { postgres: { url: settings.examplePostgresUrl } }),
    },
    log: (part, text) => tell(terminal, partTitles[part], text),
    onEnd: (error) => stop.abort(error),
    signal: stop.signal,
  });
  closing.add('servers', () => parts.stop());
  log.hide([parts.neo4j.password, ...(settings.token === null ? [] : [settings.token]), ...secretsOf(process.env)]);
  return parts;
}

/** Never rejects: the server is of use without the example. Empty: no example is wanted. */
async function makeExampleShop({ postgres }: ExampleParts): Promise<ShopDatabases | { readonly problem: string } | Record<never, never>> {
  if (postgres === undefined) return {};
  try {
    const shop = await makeShop(postgres.url);
    process.env[exampleSecret] = shop.password;
    return shop;
  } catch (error) {
    return { problem: reasonOf(error) };
  }
}

async function firstRun(settings: Settings, url: string, shop: ShopDatabases, postgresUrl: string, signal: AbortSignal): Promise<void> {
  const state = shop.made ? 'made: 20,000 customers, 200,000 orders, 400,000 payments' : 'found as the first start made it';
  tell(terminal, 'Example', `shop ${state}`);
  await showFirstRun({
    url,
    token: settings.token,
    signal,
    examples: join(projectRoot, 'examples'),
    server: { host: shop.host, port: shop.port, user: shop.user },
    databases: { shop: shop.shop, warehouse: shop.warehouse },
    nextWave: async () => describeWave(await makeWave(postgresUrl)),
    terminal,
  });
}

function describeWave({ number, newOrders, cancelledOrders, correctedOrders, movedCustomers }: ShopWave): string {
  return `The shop's day goes on (${number}): ${newOrders} new orders, ${cancelledOrders} cancelled, ${correctedOrders} corrected, ${movedCustomers} customers moved.`;
}

function printAddresses(url: string, logFile: string): void {
  terminal.line(`  GraphQL   ${terminal.bold(`${url}/graphql`)}`);
  terminal.line(`  Health    ${url}/healthz   ${url}/readyz`);
  terminal.line(`  Log       ${logFile}`);
  terminal.line(`  ${terminal.good('Ready.')} Ctrl-C stops everything.`);
}

/** What nobody caught leaves the program in a state nobody knows: it is logged, and everything is stopped in order. */
function reportUnhandled({ logger }: ServerLog, stop: AbortController): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      logger.error({ err: error, event }, 'An error that nobody handled.');
      stop.abort(new Error('an error that nobody handled; the log has it.'));
    });
  }
}

function tell(to: Terminal, name: string, text: string): void {
  to.line(`  ${padded(name, 11)} ${text}`);
}

function secretsOf(environment: NodeJS.ProcessEnv): string[] {
  return Object.entries(environment).flatMap(([name, value]) => (name.startsWith('TRIBUTARY_SECRET_') && value !== undefined ? [value] : []));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
    // Keeps the process alive until then, whatever else does.
    const timer = setInterval(() => undefined, 60_000);
    signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  });
}

/** The result of `work`, or a rejection with the reason of the signal as soon as it is aborted; `work` is not waited for then. */
async function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const settled = new AbortController();
  const abort = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: settled.signal });
  });
  try {
    return await Promise.race([abort, work]);
  } finally {
    settled.abort();
  }
}

function reasonOf(error: unknown): string {
  if (isPlatformError(error)) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

class StopAsked extends Error {}

process.exit(await main());
