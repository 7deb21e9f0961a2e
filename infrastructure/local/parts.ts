import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { cacheFolder } from './cache-folder.js';
import { checkGiven, replacedBy } from './given-servers.js';
import { startMongodb } from './mongodb.js';
import { startNeo4j } from './neo4j.js';
import type { PartAddresses, PartContext, StartedPart } from './part-context.js';
import type { PartError, PartLog, PartName } from './part-error.js';
import { loadPartSettings, type MongodbKind } from './part-settings.js';
import { runsAsRoot, startPostgres } from './postgres.js';
import { ProcessRegistry } from './process-registry.js';
import type { SupervisedProcess } from './supervised-process.js';

export interface StartPartsRequest<Name extends PartName> {
  /** Ports, credentials and data are kept here (0700). One user of it at a time. */
  readonly stateFolder: string;
  readonly only: readonly Name[];
  /** Servers that run already and replace the embedded ones. */
  readonly given?: Partial<PartAddresses>;
  /** Which embedded MongoDB is wanted. Absent: the one that the state folder has, or the first that can be had. */
  readonly mongodbKind?: MongodbKind | undefined;
  readonly log: PartLog;
  /** Called once when a part ends by itself after all were ready. */
  readonly onEnd?: (error: PartError) => void;
  /** Aborted: nothing more is started, what was is stopped, and `startParts` rejects with the reason. */
  readonly signal?: AbortSignal;
}

export type Parts<Name extends PartName> = Pick<PartAddresses, Name> & {
  /** Stops what was started here, in parallel. */
  readonly stop: () => Promise<void>;
  /** Stops, and removes the state folder and every datum of the parts that were started from it. */
  readonly remove: () => Promise<void>;
};

const starters: { readonly [Name in PartName]: (context: PartContext) => Promise<StartedPart<PartAddresses[Name]>> } = {
  neo4j: startNeo4j,
  mongodb: startMongodb,
  postgres: startPostgres,
};

/**
 * Starts the wanted parts in parallel, each the given server or else an embedded one. Orphans of a killed earlier start are stopped first.
 * @throws PartError of the first part that could not be had; the others are stopped then
 */
export async function startParts<Name extends PartName>(request: StartPartsRequest<Name>): Promise<Parts<Name>> {
  const { only, given = {}, log } = request;
  const stateFolder = resolve(request.stateFolder);
  const settings = await loadPartSettings(stateFolder, runsAsRoot);
  const cache = cacheFolder(process.env);
  mkdirSync(cache, { recursive: true });
  const registry = new ProcessRegistry(stateFolder);
  for (const part of await registry.stopOrphans()) log(part, 'left running by an earlier start: stopped');
  const failure = new AbortController();
  const signal = request.signal === undefined ? failure.signal : AbortSignal.any([request.signal, failure.signal]);
  const context = { stateFolder, cache, settings, registry, mongodbKind: request.mongodbKind ?? null, log, signal };
  const started = await startAll(only, context, given, failure);
  const stop = watch(started, request.onEnd);
  const remove = async (): Promise<void> => {
    await stop();
    await rm(settings.postgres.folder, { recursive: true, force: true });
    await rm(stateFolder, { recursive: true, force: true });
  };
  const addresses = Object.fromEntries(started.map(({ name, part }) => [name, part.address])) as Pick<PartAddresses, Name>;
  return { ...addresses, stop, remove };
}

interface Started {
  readonly name: PartName;
  readonly part: StartedPart<PartAddresses[PartName]>;
}

async function startAll(only: readonly PartName[], context: PartContext, given: Partial<PartAddresses>, failure: AbortController): Promise<Started[]> {
  const settled = await Promise.allSettled(
    only.map(async (name) => {
      try {
        return { name, part: await startOne(name, context, given) };
      } catch (error) {
        // The first failure is the cause; the others end because of it.
        if (!failure.signal.aborted) failure.abort(error);
        throw error;
      }
    }),
  );
  const started = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (started.length === only.length) return started;
  await Promise.all(started.map(async ({ part }) => part.process?.stop()));
  throw failure.signal.reason;
}

async function startOne<Name extends PartName>(name: Name, context: PartContext, given: Partial<PartAddresses>): Promise<StartedPart<PartAddresses[Name]>> {
  const address = given[name];
  if (address === undefined) return await starters[name](context);
  await checkGiven(name, address);
  context.log(name, `ready (the server that ${replacedBy[name]} names)`);
  return { address, process: null };
}

function watch(started: readonly Started[], onEnd: ((error: PartError) => void) | undefined): () => Promise<void> {
  let stopping = false;
  const processes = started.flatMap(({ part }): SupervisedProcess[] => (part.process === null ? [] : [part.process]));
  for (const { ended } of processes) {
    void ended.then((error) => {
      if (!stopping) onEnd?.(error);
    });
  }
  return async () => {
    stopping = true;
    await Promise.all(processes.map((each) => each.stop()));
  };
}
