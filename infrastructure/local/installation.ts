import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson, writePrivateJson } from './private-files.js';

const schema = z.object({ id: z.uuid() });

/** Tells this installation's runs from those of others on the same graph; made once per state folder. */
export function installationId(stateFolder: string): string {
  const file = join(stateFolder, 'installation.json');
  const found = schema.safeParse(readJson(file));
  if (found.success) return found.data.id;
  const id = randomUUID();
  writePrivateJson(file, { id });
  return id;
}
