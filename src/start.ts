import 'reflect-metadata';
import { mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { endedMembers, removeMember, runsFolderOf } from '../infrastructure/local/members.js';
import { type PartName, partTitles } from '../infrastructure/local/part-error.js';
import { type Parts, startParts } from '../infrastructure/local/parts.js';
import { isPortFree } from '../infrastructure/local/ports.js';
import { type Entrance, enterStateFolder, joinedProcessesEnd, watchOwner } from '../infrastructure/local/state-entrance.js';
import type { SharedServers, StateOwner } from '../infrastructure/local/state-lock.js';
import { openTerminal, padded } from './cli/terminal.js';
import { startServer, type WorkerPlace } from './compose.js';
import { type ProcessRole, readArguments, usage } from './config/arguments.js';
import { openLog, type ServerLog } from './config/logger.js';
import { readSettings, type Settings } from './config/settings.js';
import { type ExampleShop, exampleSecret, makeExampleShop, showExample } from './example.js';
import { aborted, unlessAborted } from './lib/abort.js';
import { ClosingStack } from './lib/closing-stack.js';
import { projectRoot } from './lib/project-root.js';
import { isPlatformError } from './model/errors.js';
import { listenForStop, StopAsked, type Stopping } from './stop-signals.js';

const terminal = openTerminal(process.stdout, process.env);

/** What has to be stopped: first what uses the servers, which may be left undone, then the servers and the lock, which never are. */
interface Closing {
  readonly users: ClosingStack;
  readonly servers: ClosingStack;
}

/** @returns the exit status: 0 after a stop that was asked for, and when another process serves this folder already; 2 for wrong arguments */
async function main(): Promise<number> {
  const read = readArguments(process.argv.slice(2));
  if (read === 'help') process.stdout.write(usage);
  if (read === 'help') return 0;
  if ('problem' in read) process.stderr.write(`${read.problem}\n\n${usage}`);
  if ('problem' in read) return 2;
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
    if ((await serve(read.role, closing, stopping)) === 'elsewhere') return 0;
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

async function serve(role: ProcessRole, closing: Closing, stopping: Stopping): Promise<'here' | 'elsewhere'> {
  const settings = readSettings(process.env, projectRoot);
  const { stateFolder } = settings;
  const needsOwner = settings.neo4j === null || settings.mongodbUri === null;
  const entrance = await enterStateFolder({ stateFolder, role, needsOwner, onWait: tellWaiting, signal: stopping.stop.signal });
  if (entrance.as === 'refused') return refuse(entrance.owner);
  closing.servers.add('membership', () => removeMember(stateFolder, entrance.name));
  if (entrance.as === 'owner') closing.servers.add('lock', () => entrance.lock.release());
  if (role !== 'worker' && settings.port !== 0 && !(await isPortFree(settings.port, settings.host))) {
    throw new Error(`Port ${settings.port} is in use by another program. Stop that program, or set PORT to another port.`);
  }
  openFileRoots(settings);
  const log = openLog({ folder: stateFolder, level: settings.logLevel, process: entrance.name });
  reportUnhandled(log, stopping.stop);
  terminal.line(`\n  ${terminal.bold(titles[role])}\n`);
  await startAll({ role, settings, entrance, log, closing, stopping });
  return 'here';
}

interface Start {
  readonly role: ProcessRole;
  readonly settings: Settings;
  readonly entrance: Entrance;
  readonly log: ServerLog;
  readonly closing: Closing;
  readonly stopping: Stopping;
}

async function startAll(start: Start): Promise<void> {
  const { role, settings, entrance, log, closing } = start;
  const { stop, hurry } = start.stopping;
  const started = performance.now();
  const stores = entrance.as === 'owner' ? await startStores(start) : joinStores(settings, entrance, stop);
  stop.signal.throwIfAborted();
  log.hide([stores.neo4j.password, ...(settings.token === null ? [] : [settings.token]), ...secretsOf(process.env)]);
  const shopReady = makeExampleShop(stores.postgres?.url ?? null);
  const starting = startServer({
    settings,
    role,
    worker: await placeOf(settings.stateFolder, entrance.name),
    graph: stores.neo4j,
    mongodbUri: stores.mongodb.uri,
    logger: log.logger,
    secret: (name) => process.env[name],
    closing: closing.users,
  });
  const url = await unlessAborted(starting, hurry.signal);
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  if (url === null) tell('Worker', `ready in ${seconds} s (${entrance.name})`);
  else tell('API', `ready in ${seconds} s (${url}/graphql)`);
  terminal.line();
  if (entrance.as === 'owner') entrance.lock.publish({ url });
  const shop = await unlessAborted(shopReady, stop.signal);
  log.hide(secretsOf(process.env));
  if (entrance.as === 'owner') offer(settings, closing, entrance, stores, shop);
  if (url !== null) await showExample(shop, { settings, url, postgresUrl: stores.postgres?.url ?? '', terminal, signal: stop.signal });
  printAddresses(role, url, log.file);
}

const titles: Readonly<Record<ProcessRole, string>> = { all: 'Tributary', api: 'Tributary, API only', worker: 'Tributary, worker only' };

function tellWaiting({ pid, stopping }: StateOwner): void {
  terminal.line(`\n  Waiting for process ${pid}, which ${stopping ? 'stops' : 'starts'} the servers of this state folder.`);
}

function refuse({ pid, url, role }: StateOwner): 'elsewhere' {
  if (role !== 'all') {
    throw new Error(
      `process ${pid}, started with --only ${role}, owns this state folder. Stop that one first, start this one with --only api or --only worker to join it, or set TRIBUTARY_STATE.`,
    );
  }
  terminal.line(`\n  Tributary ${url === null ? 'is being started' : `serves`} here already, as process ${pid}${url === null ? '' : `: ${url}/graphql`}`);
  terminal.line(
    '  Stop that one first (Ctrl-C in its terminal), or set TRIBUTARY_STATE and PORT for a second one. Add "-- --only worker" to help it with runs.\n',
  );
  return 'elsewhere';
}

/** The connectors of this process and of run processes read the variable; the folder that is there by default is made. */
function openFileRoots({ fileRoots, stateFolder }: Settings): void {
  process.env['TRIBUTARY_FILE_ROOTS'] = fileRoots.join(delimiter);
  const own = join(stateFolder, 'files');
  if (fileRoots.includes(own)) mkdirSync(own, { recursive: true, mode: 0o700 });
}

type Stores = Pick<Parts<'neo4j' | 'mongodb'>, 'neo4j' | 'mongodb'> & Partial<Pick<Parts<'postgres'>, 'postgres'>>;

async function startStores({ role, settings, closing, stopping: { stop } }: Start): Promise<Stores> {
  closing.users.add('joined processes', () => joinedProcessesEnd(settings.stateFolder));
  const parts = await startParts<PartName>({
    stateFolder: settings.stateFolder,
    only: role === 'all' && settings.example ? ['neo4j', 'mongodb', 'postgres'] : ['neo4j', 'mongodb'],
    given: {
      ...(settings.neo4j === null ? {} : { neo4j: settings.neo4j }),
      ...(settings.mongodbUri === null ? {} : { mongodb: { uri: settings.mongodbUri } }),
      ...(settings.examplePostgresUrl === null ? {} : { postgres: { url: settings.examplePostgresUrl } }),
    },
    mongodbKind: settings.mongodbKind ?? undefined,
    log: (part, text) => tell(partTitles[part], text),
    onEnd: (error) => stop.abort(error),
    signal: stop.signal,
  });
  closing.servers.add('servers', () => parts.stop());
  return parts;
}

/** The servers that the variables name, else those of the owner, with which this process ends then. */
function joinStores(settings: Settings, { owner, shared }: Extract<Entrance, { as: 'joined' }>, stop: AbortController): Stores {
  for (const [name, value] of Object.entries(shared.secrets)) process.env[name] ??= value;
  const neo4j = settings.neo4j ?? shared.neo4j ?? notShared('NEO4J_URI', owner);
  const mongodb = settings.mongodbUri === null ? (shared.mongodb ?? notShared('MONGODB_URI', owner)) : { uri: settings.mongodbUri };
  if (settings.neo4j !== null && settings.mongodbUri !== null) return { neo4j, mongodb };
  tell('Servers', `those of process ${owner.pid}`);
  const gone = new Error(`process ${owner.pid}, whose servers this one uses, has stopped. Start that one first, then this one again.`);
  watchOwner(settings.stateFolder, owner, () => stop.abort(gone), stop.signal);
  return { neo4j, mongodb };
}

function notShared(variable: string, { pid }: StateOwner): never {
  throw new Error(`process ${pid}, which owns this state folder, was given ${variable}. Set it for this process too: its login is written down nowhere.`);
}

async function placeOf(stateFolder: string, name: string): Promise<WorkerPlace> {
  const ended = endedMembers(stateFolder);
  const forgetEnded = (): void => {
    for (const each of ended) removeMember(stateFolder, each);
  };
  return { id: name, ended, forgetEnded, runsFolder: await runsFolderOf(stateFolder) };
}

/** From now on others may join. They are told before the servers stop, and waited for. */
function offer(settings: Settings, closing: Closing, { lock }: Extract<Entrance, { as: 'owner' }>, stores: Stores, shop: ExampleShop): void {
  const isOurs = settings.examplePostgresUrl === null && shop !== 'unwanted' && !('problem' in shop);
  const shared: SharedServers = {
    neo4j: settings.neo4j === null ? stores.neo4j : null,
    mongodb: settings.mongodbUri === null ? stores.mongodb : null,
    secrets: isOurs ? { [exampleSecret]: shop.password } : {},
  };
  lock.publish({ shared });
  closing.users.add('announcement', () => lock.publish({ stopping: true }));
}

function printAddresses(role: ProcessRole, url: string | null, logFile: string): void {
  if (url !== null) {
    terminal.line(`  GraphQL   ${terminal.bold(`${url}/graphql`)}`);
    terminal.line(`  Health    ${url}/healthz   ${url}/readyz`);
  }
  terminal.line(`  Log       ${logFile}`);
  terminal.line(`  ${terminal.good('Ready.')} Ctrl-C stops ${role === 'all' ? 'everything' : 'this process'}.`);
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

function tell(name: string, text: string): void {
  terminal.line(`  ${padded(name, 11)} ${text}`);
}

function secretsOf(environment: NodeJS.ProcessEnv): string[] {
  return Object.entries(environment).flatMap(([name, value]) => (name.startsWith('TRIBUTARY_SECRET_') && value !== undefined ? [value] : []));
}

function reasonOf(error: unknown): string {
  if (isPlatformError(error)) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

process.exit(await main());
