import { join } from 'node:path';
import { MongoClient, MongoServerError } from 'mongodb';
import type { MongodProgram } from './mongodb-ladder.js';
import type { MongodbAddress, PartContext, StartedPart } from './part-context.js';
import { PartError } from './part-error.js';
import { isPortFree } from './ports.js';
import { makePrivateFolder } from './private-files.js';
import { untilReady } from './ready.js';
import { launch, type SupervisedProcess } from './supervised-process.js';

export const replicaSet = 'tributary';
const withinMs = 60_000;
/** The server's error "AlreadyInitialized": an earlier attempt was made, and its answer was lost. */
const alreadyInitialized = 23;

/** Holds the data of a real mongod, whichever way it was had. */
export function mongodFolder(stateFolder: string): string {
  return join(stateFolder, 'mongod');
}

export interface MongodRequest {
  readonly program: MongodProgram;
  readonly port: number;
  /** Where the program is from, for the line that is printed. */
  readonly origin: string;
}

/**
 * A real MongoDB on loopback: a replica set of one, so that transactions and change streams work. It has no login.
 * @throws PartError when its port is taken, it ends, or it is not the primary within 60 s
 */
export async function startMongod(context: PartContext, { program, port, origin }: MongodRequest): Promise<StartedPart<MongodbAddress>> {
  if (!(await isPortFree(port))) {
    throw new PartError(
      'mongodb',
      `Port ${port}, which the embedded MongoDB keeps because its replica set is named by it, is in use by another program. Stop that program, or set MONGODB_URI to use a running server.`,
    );
  }
  const started = performance.now();
  const server = launchServer(context, program.path, port);
  try {
    await untilReady({ part: 'mongodb', probe: () => becomePrimary(port), ended: server.ended, withinMs, signal: context.signal });
  } catch (error) {
    await server.stop();
    throw error;
  }
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  context.log('mongodb', `ready in ${seconds} s (mongod ${program.version}, replica set, ${origin}, mongodb://127.0.0.1:${port})`);
  return { address: { uri: `mongodb://127.0.0.1:${port}/?replicaSet=${replicaSet}` }, process: server };
}

/**
 * `shutdownTimeoutMillisForSignaledShutdown`: without it a stop by SIGTERM takes 15 s.
 * @see https://www.mongodb.com/docs/manual/reference/program/mongod/
 */
function launchServer(context: PartContext, command: string, port: number): SupervisedProcess {
  const folder = mongodFolder(context.stateFolder);
  const data = join(folder, 'data');
  makePrivateFolder(data);
  return launch({
    part: 'mongodb',
    command,
    arguments: [
      ...['--dbpath', data, '--port', String(port), '--bind_ip', '127.0.0.1', '--nounixsocket', '--replSet', replicaSet],
      ...['--oplogSize', '256', '--wiredTigerCacheSizeGB', '0.25', '--quiet', '--setParameter', 'shutdownTimeoutMillisForSignaledShutdown=100'],
    ],
    mark: data,
    logFile: join(folder, 'console.log'),
    registry: context.registry,
  });
}

/** Resolves when the server is the primary of its set, which a new one is told to make. The direct connection also reaches one that has no set yet. */
async function becomePrimary(port: number): Promise<void> {
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, { serverSelectionTimeoutMS: 1_000 });
  try {
    const admin = client.db('admin');
    const hello = await admin.command({ hello: 1 });
    if (hello['isWritablePrimary'] === true) return;
    if (hello['isreplicaset'] === true) {
      const config = { _id: replicaSet, members: [{ _id: 0, host: `127.0.0.1:${port}` }] };
      await admin.command({ replSetInitiate: config }).catch(unlessInitialized);
    }
    throw new Error('it has not become the primary of its replica set');
  } finally {
    await client.close();
  }
}

function unlessInitialized(error: unknown): void {
  if (!(error instanceof MongoServerError && error.code === alreadyInitialized)) throw error;
}
