import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readJson, writePrivateJson } from './private-files.js';
import { identityOf, isRunning, processIdentitySchema } from './process-identity.js';

/** What a process that executes runs is called in the graph, where it holds them. */
export interface WorkerIdentity {
  /** No other process ever has it. */
  readonly id: string;
  /** Those that had this state folder and have ended for certain: what they held can be taken up at once. */
  readonly ended: readonly string[];
  /** To be called when what the ended ones held has been taken up: they are not named again. */
  forgetEnded(): void;
}

/** Several workers may use one state folder at a time: each has a file of its own in it, which names its process. */
export function takeWorkerIdentity(stateFolder: string): WorkerIdentity {
  const folder = join(stateFolder, 'workers');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const self = identityOf(process.pid);
  if (self === null) throw new Error('The system does not tell when this process was started.');
  const id = randomUUID();
  writePrivateJson(join(folder, `${id}.json`), self);
  const ended = readdirSync(folder).flatMap((name) => (name.endsWith('.json') && hasEnded(join(folder, name)) ? [name.slice(0, -'.json'.length)] : []));
  return {
    id,
    ended,
    forgetEnded: () => {
      for (const each of ended) rmSync(join(folder, `${each}.json`), { force: true });
    },
  };
}

/** A file that cannot be read is left alone: the leases of its worker pass by themselves. */
function hasEnded(file: string): boolean {
  const found = processIdentitySchema.safeParse(readJson(file));
  return found.success && !isRunning(found.data);
}
