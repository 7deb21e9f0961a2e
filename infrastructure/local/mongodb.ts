import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { mongodFolder, startMongod } from './mongod.js';
import { downloadedMongod } from './mongod-download.js';
import { mongodOnPath } from './mongod-program.js';
import { emulatorFolder, hasEmulatorData, startEmulator } from './mongodb-emulator.js';
import { chooseMongodb, type MongodbChoice } from './mongodb-ladder.js';
import type { MongodbAddress, PartContext, StartedPart } from './part-context.js';
import { PartError } from './part-error.js';
import { type MongodbKind, type MongodbRecord, type PartSettings, savePartSettings } from './part-settings.js';
import { freePort } from './ports.js';
import { makePrivateFolder } from './private-files.js';

/**
 * MongoDB in the kind that this state folder has; a new one gets the first that can be had, which is recorded before anything is stored.
 * A first start that fails leaves the choice free.
 */
export async function startMongodb(context: PartContext): Promise<StartedPart<MongodbAddress>> {
  const { stateFolder, settings, cache, signal } = context;
  const recorded = recordedMongodb(stateFolder, settings);
  const log = (text: string): void => context.log('mongodb', text);
  const choice = await chooseMongodb({
    recorded,
    wanted: context.mongodbKind,
    dataFolder: recorded === null ? null : dataFolder(stateFolder, recorded.kind),
    probes: {
      onPath: () => mongodOnPath(process.env),
      downloaded: (version) => downloadedMongod({ version, cache, log, signal }),
    },
    log,
  });
  signal.throwIfAborted();
  const record = await recordOf(choice, recorded);
  makePrivateFolder(dataFolder(stateFolder, choice.kind));
  savePartSettings(Object.assign(settings, { mongodb: record }));
  if (recorded !== null) return await start(context, choice, record);
  try {
    return await start(context, choice, record);
  } catch (error) {
    await forget(context, choice.kind);
    throw signal.aborted ? error : withAdvice(error, choice.kind);
  }
}

/** What the state folder has. Without its data the record does not count; emulators of older versions left no record. */
export function recordedMongodb(stateFolder: string, { mongodb }: PartSettings): MongodbRecord | null {
  if (mongodb !== undefined && existsSync(dataFolder(stateFolder, mongodb.kind))) return mongodb;
  return hasEmulatorData(stateFolder) ? { kind: 'emulator' } : null;
}

function dataFolder(stateFolder: string, kind: MongodbKind): string {
  return kind === 'emulator' ? emulatorFolder(stateFolder) : mongodFolder(stateFolder);
}

async function recordOf(choice: MongodbChoice, recorded: MongodbRecord | null): Promise<MongodbRecord> {
  if (choice.kind === 'emulator') return { kind: 'emulator' };
  const port = recorded === null || recorded.kind === 'emulator' ? await freePort() : recorded.port;
  return { kind: choice.kind, port, version: choice.program.version };
}

function start(context: PartContext, choice: MongodbChoice, record: MongodbRecord): Promise<StartedPart<MongodbAddress>> {
  if (choice.kind === 'emulator' || record.kind === 'emulator') return startEmulator(context);
  return startMongod(context, { program: choice.program, port: record.port, origin: choice.kind === 'mongod' ? 'from PATH' : 'downloaded' });
}

async function forget({ stateFolder, settings }: PartContext, kind: MongodbKind): Promise<void> {
  delete settings.mongodb;
  savePartSettings(settings);
  await rm(dataFolder(stateFolder, kind), { recursive: true, force: true });
}

function withAdvice(error: unknown, kind: MongodbKind): unknown {
  if (kind === 'emulator' || !(error instanceof PartError)) return error;
  return new PartError('mongodb', `${error.message} TRIBUTARY_MONGODB=emulator uses the emulator instead.`, error);
}
