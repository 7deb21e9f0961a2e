import { join } from 'node:path';
import { z } from 'zod';
import type { PartName } from './part-error.js';
import { readJson, writePrivateJson } from './private-files.js';
import { commandLineOf, identityOf, isRunning, type ProcessIdentity, processIdentitySchema, stopProcess } from './process-identity.js';

const entrySchema = processIdentitySchema.extend({
  part: z.enum(['neo4j', 'mongodb', 'postgres']),
  /** Stands in the command line of the process: the folder of its data. */
  mark: z.string(),
});
type Entry = z.infer<typeof entrySchema>;

/** How each part is asked to stop: PostgreSQL's fast stop is SIGINT, the Java servers run their hooks on SIGTERM. */
export const stopSignals: Readonly<Record<PartName, NodeJS.Signals>> = { neo4j: 'SIGTERM', mongodb: 'SIGTERM', postgres: 'SIGINT' };

/** Milliseconds a part gets to stop before it is killed. */
export const stopGraceMs = 5_000;

/** The processes started from a state folder, on file, so that the next start finds those that a killed parent left. */
export class ProcessRegistry {
  private readonly file: string;

  constructor(stateFolder: string) {
    this.file = join(stateFolder, 'processes.json');
  }

  /** @returns null when the process has ended already */
  add(part: PartName, pid: number, mark: string): ProcessIdentity | null {
    const identity = identityOf(pid);
    if (identity === null) return null;
    this.save([...this.entries, { ...identity, part, mark }]);
    return identity;
  }

  remove(identity: ProcessIdentity): void {
    this.save(this.entries.filter((entry) => entry.pid !== identity.pid || entry.start !== identity.start));
  }

  /** Stops what earlier starts left running and returns which parts those were. */
  async stopOrphans(): Promise<PartName[]> {
    const orphans = this.entries.filter((entry) => isRunning(entry) && commandLineOf(entry.pid).includes(entry.mark));
    await Promise.all(orphans.map((orphan) => stopProcess(orphan, stopSignals[orphan.part], stopGraceMs)));
    this.save([]);
    return orphans.map((orphan) => orphan.part);
  }

  /** As the file has them now: an earlier start of this process may still be told of ends. */
  private get entries(): Entry[] {
    const found = z.array(entrySchema).safeParse(readJson(this.file));
    return found.success ? found.data : [];
  }

  private save(entries: readonly Entry[]): void {
    writePrivateJson(this.file, entries);
  }
}
