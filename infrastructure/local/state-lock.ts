import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson, writePrivateJson } from './private-files.js';
import { identityOf, isRunning, type ProcessIdentity, processIdentitySchema } from './process-identity.js';

const sharedSchema = z.object({
  /** null: the owner was given a server by a variable, whose login is not written down. */
  neo4j: z.object({ uri: z.string(), user: z.string(), password: z.string() }).nullable(),
  mongodb: z.object({ uri: z.string() }).nullable(),
  /** Values of the owner's own variables TRIBUTARY_SECRET_…, by name. */
  secrets: z.record(z.string(), z.string()),
});
/** What processes that join the owner use of it. */
export type SharedServers = z.infer<typeof sharedSchema>;

export const stateRoles = ['all', 'api', 'worker'] as const;
export type StateRole = (typeof stateRoles)[number];

const noteSchema = z.object({
  /** Where it serves; null while it is starting, and of one that has no API. */
  url: z.string().nullable(),
  role: z.enum(stateRoles).default('all'),
  /** null until they run. */
  shared: sharedSchema.nullable().default(null),
  /** True: it is about to stop its servers. */
  stopping: z.boolean().default(false),
});
const ownerSchema = processIdentitySchema.extend(noteSchema.shape);
/** The process that owns a state folder: it runs the embedded servers. */
export type StateOwner = z.infer<typeof ownerSchema>;
type Note = z.infer<typeof noteSchema>;

/** Held by one process at a time; one that was killed holds nothing. */
export interface StateLock {
  /** Tells other processes what they may use, and where this one serves. */
  publish(change: Partial<Omit<Note, 'role'>>): void;
  release(): void;
}

/** Takes the state folder, or returns the running process that has it. */
export function takeStateFolder(stateFolder: string, role: StateRole = 'all'): { readonly lock: StateLock } | { readonly owner: StateOwner } {
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
  const file = lockFile(stateFolder);
  const self = identityOf(process.pid);
  if (self === null) throw new Error('The system does not tell when this process was started.');
  const note: Note = { url: null, role, shared: null, stopping: false };
  for (let attempt = 0; attempt < 10; attempt += 1) {
    if (create(file, self, note)) return { lock: lockOf(file, self, note) };
    const owner = ownerOf(stateFolder);
    if (owner !== null) return { owner };
    removeStaleLock(stateFolder);
  }
  throw new Error(`The lock file ${file} could not be taken: it is made again and again by processes that end at once.`);
}

/** The running process that uses the state folder; null when there is none. */
export function ownerOf(stateFolder: string): StateOwner | null {
  return runningOwnerIn(lockFile(stateFolder));
}

/**
 * Removes the lock of a process that is gone. Another start may have replaced it since it was read, so the file is moved away first and
 * looked at then: the lock of a running process is put back.
 */
export function removeStaleLock(stateFolder: string): void {
  const file = lockFile(stateFolder);
  const moved = `${file}.${randomUUID()}`;
  try {
    renameSync(file, moved);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if (runningOwnerIn(moved) !== null) linkUnlessThere(moved, file);
  rmSync(moved);
}

function runningOwnerIn(file: string): StateOwner | null {
  const found = ownerSchema.safeParse(readJson(file));
  return found.success && isRunning(found.data) ? found.data : null;
}

function lockFile(stateFolder: string): string {
  return join(stateFolder, 'lock.json');
}

/** The file appears with its whole content, so that no other start reads half of it. */
function create(file: string, self: ProcessIdentity, note: Note): boolean {
  const whole = `${file}.${self.pid}`;
  writePrivateJson(whole, { ...self, ...note });
  try {
    return linkUnlessThere(whole, file);
  } finally {
    rmSync(whole);
  }
}

/** @returns false when there is a file of that name already */
function linkUnlessThere(existing: string, file: string): boolean {
  try {
    linkSync(existing, file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function lockOf(file: string, self: ProcessIdentity, first: Note): StateLock {
  let note = first;
  return {
    publish: (change) => {
      const owner = runningOwnerIn(file);
      if (owner !== null && !isSame(owner, self)) {
        throw new Error(`The state folder was taken by process ${owner.pid} while this one was starting. Stop that one, then start again.`);
      }
      note = { ...note, ...change };
      writePrivateJson(file, { ...self, ...note });
    },
    release: () => {
      const owner = runningOwnerIn(file);
      if (owner !== null && isSame(owner, self)) rmSync(file, { force: true });
    },
  };
}

export function isSame(one: ProcessIdentity, other: ProcessIdentity): boolean {
  return one.pid === other.pid && one.start === other.start && one.boot === other.boot;
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
