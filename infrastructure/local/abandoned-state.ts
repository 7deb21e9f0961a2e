import { existsSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { loadPartSettings } from './part-settings.js';
import { runsAsRoot } from './postgres.js';
import { ProcessRegistry } from './process-registry.js';
import { ownerOf } from './state-lock.js';

/** Stops the parts and removes the data of every state folder in `parent` whose owner was killed: test runs leave none behind for long. */
export async function removeAbandonedState(parent: string): Promise<void> {
  if (!existsSync(parent)) return;
  for (const name of readdirSync(parent)) {
    const stateFolder = join(parent, name);
    if (!existsSync(join(stateFolder, 'lock.json')) || ownerOf(stateFolder) !== null) continue;
    await new ProcessRegistry(stateFolder).stopOrphans();
    const settings = await loadPartSettings(stateFolder, runsAsRoot);
    await rm(settings.postgres.folder, { recursive: true, force: true });
    await rm(stateFolder, { recursive: true, force: true });
  }
}
