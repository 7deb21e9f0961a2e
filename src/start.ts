import 'reflect-metadata';
import { join } from 'node:path';
import { installationId } from '../infrastructure/local/installation.js';
import { type PartName, partTitles } from '../infrastructure/local/part-error.js';
import { type Parts, startParts } from '../infrastructure/local/parts.js';
import { isPortFree } from '../infrastructure/local/ports.js';
import { makeShop, type ShopDatabases } from '../infrastructure/local/shop.js';
import { takeStateFolder } from '../infrastructure/local/state-lock.js';
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

/** @returns the exit status: 0 after a stop that was asked for, and when another process serves this folder already */
async function main(): Promise<number> {
  const stop = new AbortController();
  const closing = new ClosingStack((name, error) => terminal.line(`  ${name} did not stop cleanly: ${reasonOf(error)}`));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort(new StopAsked()));
  let failure: unknown = null;
  try {
    if ((await serve(closing, stop)) === 'elsewhere') return 0;
    await aborted(stop.signal);
  } catch (error) {
    failure = error;
  }
  const cause = stop.signal.aborted ? stop.signal.reason : failure;
  if (cause instanceof StopAsked) terminal.line('\n  Stopping.');
  else terminal.line(`\n  ${terminal.bad('Tributary stops:')} ${reasonOf(cause)}\n`);
  await closing.close();
  return cause instanceof StopAsked ? 0 : 1;
}

async function serve(closing: ClosingStack, stop: AbortController): Promise<'here' | 'elsewhere'> {
  const settings = readSettings(process.env, projectRoot);
  const taken = takeStateFolder(settings.stateFolder);
  if ('owner' in taken) {
    const { pid, url } = taken.owner;
    terminal.line(`\n  Tributary ${url === null ? 'is being started' : `serves`} here already, as process ${pid}${url === null ? '' : `: ${url}/graphql`}`);
    terminal.line('  Stop that one first (Ctrl-C in its terminal), or set TRIBUTARY_STATE and PORT for a second one.\n');
    return 'elsewhere';
  }
  closing.add('lock', () => taken.lock.release());
  if (settings.port !== 0 && !(await isPortFree(settings.port, settings.host))) {
    throw new Error(`Port ${settings.port} is in use by another program. Stop that program, or set PORT to another port.`);
  }
  const log = openLog(settings.stateFolder, settings.logLevel);
  reportUnhandled(log, stop);

  terminal.line(`\n  ${terminal.bold('Tributary')}\n`);
  const started = performance.now();
  const parts = await startStores(settings, closing, stop, log);
  stop.signal.throwIfAborted();
  const shopReady = makeExampleShop(parts);
  const url = await startServer({
    settings,
    graph: parts.neo4j,
    mongodbUri: parts.mongodb.uri,
    installation: installationId(settings.stateFolder),
    logger: log.logger,
    secret: (name) => process.env[name],
    closing,
  });
  taken.lock.publish(url);
  tell(terminal, 'API', `ready in ${((performance.now() - started) / 1_000).toFixed(1)} s (${url}/graphql)`);
  terminal.line();
  const shop = await shopReady;
  if ('problem' in shop) terminal.line(`  ${terminal.bad('The example shop could not be made.')} ${shop.problem}\n`);
  else if ('host' in shop) await firstRun(settings, url, shop, stop.signal);
  printAddresses(url, log.file);
  return 'here';
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

async function firstRun(settings: Settings, url: string, shop: ShopDatabases, signal: AbortSignal): Promise<void> {
  const state = shop.made ? 'made: 20,000 customers, 200,000 orders, 400,000 payments' : 'found as the first start made it';
  tell(terminal, 'Example', `shop ${state}`);
  await showFirstRun({
    url,
    token: settings.token,
    signal,
    examples: join(projectRoot, 'examples'),
    server: { host: shop.host, port: shop.port, user: shop.user },
    databases: { shop: shop.shop, warehouse: shop.warehouse },
    terminal,
  });
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

function reasonOf(error: unknown): string {
  if (isPlatformError(error)) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

class StopAsked extends Error {}

process.exit(await main());
