import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** The folder of one attempt, readable by this user only. `runsFolder` is this worker's own. */
export async function makeRunFolder(runsFolder: string, runId: string, attempt: number): Promise<string> {
  const folder = join(runsFolder, `${runId}-${attempt}`);
  await mkdir(runsFolder, { recursive: true, mode: 0o700 });
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o700 });
  return folder;
}

export async function removeRunFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
