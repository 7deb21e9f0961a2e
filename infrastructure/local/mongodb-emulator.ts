import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { MongoClient } from 'mongodb';
import { projectRoot } from '../../src/lib/project-root.js';
import { fetchJars } from './fetch-jars.js';
import { findJdk, type Jdk } from './java.js';
import type { MongodbAddress, PartContext, StartedPart } from './part-context.js';
import { PartError, partTitles } from './part-error.js';
import { untilReady } from './ready.js';
import { launch, type SupervisedProcess } from './supervised-process.js';

const withinMs = 60_000;
const sources = 'infrastructure/local/mongo';
const dataFile = 'data.mv';

/** Holds the emulator's data. */
export function emulatorFolder(stateFolder: string): string {
  return join(stateFolder, 'mongodb');
}

/** Whether an emulator has stored anything here. */
export function hasEmulatorData(stateFolder: string): boolean {
  return existsSync(join(emulatorFolder(stateFolder), dataFile));
}

/** An emulator of MongoDB 5.0 (mongo-java-server on an H2 file). It has no login, so it listens on loopback only. */
export async function startEmulator(context: PartContext): Promise<StartedPart<MongodbAddress>> {
  const pom = join(projectRoot, sources, 'pom.xml');
  const jars = await fetchJars({ part: 'mongodb', pom, cache: context.cache, log: context.log, signal: context.signal });
  const jdk = findJdk();
  if (jdk === null)
    throw new PartError(
      'mongodb',
      'The MongoDB emulator runs on a JDK of version 17 or newer; none was found. Set JAVA_HOME, or MONGODB_URI to use a running server.',
    );
  const started = performance.now();
  const classes = await compileLauncher(context.cache, jdk, jars);
  const server = launchServer(context, jdk, `${join(jars, '*')}:${classes}`, emulatorFolder(context.stateFolder));
  try {
    const uri = `mongodb://127.0.0.1:${await printedPort(server, context.signal)}`;
    await untilReady({ part: 'mongodb', probe: () => ping(uri), ended: server.ended, withinMs, signal: context.signal });
    context.log('mongodb', `ready in ${((performance.now() - started) / 1_000).toFixed(1)} s (emulator: mongo-java-server on H2, ${uri})`);
    return { address: { uri }, process: server };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Compiles the launcher once per version of its source and returns the folder of its classes. */
async function compileLauncher(cache: string, jdk: Jdk, jars: string): Promise<string> {
  const source = join(projectRoot, sources, 'DocumentServer.java');
  const hash = createHash('sha256').update(readFileSync(source)).update(jars).digest('hex').slice(0, 16);
  const folder = join(cache, `mongodb-launcher-${hash}`);
  if (existsSync(folder)) return folder;
  const temporary = await mkdtemp(join(cache, 'mongodb-launcher-making-'));
  try {
    await promisify(execFile)(jdk.javac, ['--release', '17', '-cp', join(jars, '*'), '-d', temporary, source]);
    await rename(temporary, folder);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    if (!existsSync(folder)) throw new PartError('mongodb', `The launcher of the MongoDB emulator could not be compiled: ${String(error)}`, error);
  }
  return folder;
}

function launchServer(context: PartContext, jdk: Jdk, classPath: string, folder: string): SupervisedProcess {
  const file = join(folder, dataFile);
  return launch({
    part: 'mongodb',
    command: jdk.java,
    arguments: ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', classPath, 'DocumentServer', file],
    mark: file,
    logFile: join(folder, 'console.log'),
    registry: context.registry,
    piped: true,
  });
}

/** The port that the emulator prints once it listens. Rejects when it ends first, when time is up and when `signal` is aborted. */
async function printedPort(server: SupervisedProcess, signal: AbortSignal): Promise<number> {
  const output = server.child.stdout;
  const printed = new Promise<number>((resolve) => {
    if (output === null) return;
    createInterface({ input: output }).on('line', (line) => {
      const port = /^listening on (\d+)$/.exec(line)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
  });
  const ended = server.ended.then((error) => Promise.reject(error));
  const waiting = new AbortController();
  try {
    return await Promise.race([printed, ended, noPortInTime(signal, waiting.signal)]);
  } finally {
    waiting.abort();
  }
}

/** Only ever rejects: with the reason of `signal`, or when time is up. Once `waiting` is aborted it holds no timer and no listener. */
function noPortInTime(signal: AbortSignal, waiting: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const late = new PartError('mongodb', `${partTitles.mongodb} was started but did not print the port it listens on within ${withinMs / 1_000} s.`);
    const timer = setTimeout(() => reject(late), withinMs);
    waiting.addEventListener('abort', () => clearTimeout(timer), { once: true });
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true, signal: waiting });
  });
}

async function ping(uri: string): Promise<void> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 1_000 });
  try {
    await client.db('admin').command({ ping: 1 });
  } finally {
    await client.close();
  }
}
