import { readdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { makePrivateFolder, readJson, writePrivateJson } from './private-files.js';
import { identityOf, isRunning, nameOf, processIdentitySchema } from './process-identity.js';
import { stateRoles } from './state-lock.js';

const memberSchema = processIdentitySchema.extend({
  role: z.enum(stateRoles),
  /** True: it uses the servers of the owner and ends with it. */
  joined: z.boolean(),
});
/** A process that uses a state folder, as owner or beside it. */
export type Member = z.infer<typeof memberSchema>;

/** Enters this process in the list of those that use the folder. @returns its name, which no other process has */
export function addMember(stateFolder: string, as: Pick<Member, 'role' | 'joined'>): string {
  const self = identityOf(process.pid);
  if (self === null) throw new Error('The system does not tell when this process was started.');
  makePrivateFolder(membersFolder(stateFolder));
  writePrivateJson(fileOf(stateFolder, nameOf(self)), { ...self, ...as });
  return nameOf(self);
}

export function removeMember(stateFolder: string, name: string): void {
  rmSync(fileOf(stateFolder, name), { force: true });
}

/** The running processes that use the folder, but this one. */
export function otherMembers(stateFolder: string): Member[] {
  return runningMembers(stateFolder).filter(({ pid }) => pid !== process.pid);
}

/** Names of processes that have ended without removing their entries: what they held can be taken up at once. */
export function endedMembers(stateFolder: string): string[] {
  return allMembers(stateFolder)
    .filter((member) => !isRunning(member))
    .map(nameOf);
}

/** The folder of runs, in which each worker has one of its own name; those of processes that are gone are removed. Call `addMember` first. */
export async function runsFolderOf(stateFolder: string): Promise<string> {
  const folder = join(stateFolder, 'runs');
  makePrivateFolder(folder);
  // The folders are listed before the members: whoever has made one was a member by then.
  const found = readdirSync(folder);
  const running = new Set(runningMembers(stateFolder).map(nameOf));
  await Promise.all(found.filter((each) => !running.has(each)).map((each) => rm(join(folder, each), { recursive: true, force: true, maxRetries: 3 })));
  return folder;
}

function runningMembers(stateFolder: string): Member[] {
  return allMembers(stateFolder).filter(isRunning);
}

/** A file that cannot be read names nobody. */
function allMembers(stateFolder: string): Member[] {
  makePrivateFolder(membersFolder(stateFolder));
  return readdirSync(membersFolder(stateFolder)).flatMap((file) => {
    const found = memberSchema.safeParse(file.endsWith('.json') ? readJson(join(membersFolder(stateFolder), file)) : null);
    return found.success ? [found.data] : [];
  });
}

function membersFolder(stateFolder: string): string {
  return join(stateFolder, 'members');
}

function fileOf(stateFolder: string, name: string): string {
  return join(membersFolder(stateFolder), `${name}.json`);
}
