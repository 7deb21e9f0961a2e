import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { freePort } from './ports.js';
import { makePrivateFolder, readJson, writePrivateJson } from './private-files.js';

const mongodbSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('emulator') }),
  z.object({ kind: z.enum(['mongod', 'download']), port: z.number().int(), version: z.string() }),
]);
/** The kind of MongoDB that was chosen first. Port and version: of a real one, whose replica set is named by its port. */
export type MongodbRecord = z.infer<typeof mongodbSchema>;
export type MongodbKind = MongodbRecord['kind'];

const settingsSchema = z.object({
  /** The folder these settings were made in: a copy of it must not share data that lies elsewhere. */
  stateFolder: z.string(),
  neo4j: z.object({ port: z.number().int(), password: z.string() }),
  /** Absent until the embedded MongoDB has been started once. */
  mongodb: mongodbSchema.optional(),
  postgres: z.object({ port: z.number().int(), password: z.string(), folder: z.string() }),
});

/** Ports and credentials of the embedded parts: chosen once, then kept beside their data. */
export type PartSettings = z.infer<typeof settingsSchema>;

/** @param secondUser true when PostgreSQL runs as another user than we, who must be able to reach its folder */
export async function loadPartSettings(stateFolder: string, secondUser: boolean): Promise<PartSettings> {
  makePrivateFolder(stateFolder);
  const found = settingsSchema.safeParse(readJson(settingsFile(stateFolder)));
  if (found.success && (found.data.stateFolder === stateFolder || !existsSync(found.data.stateFolder))) return found.data;
  const folder = secondUser ? join(sharedFolder, projectHash(stateFolder)) : join(stateFolder, 'postgres');
  const settings: PartSettings = found.success
    ? { ...found.data, stateFolder, postgres: { port: await freePort(), password: newPassword(), folder } }
    : {
        stateFolder,
        neo4j: { port: await freePort(), password: newPassword() },
        postgres: { port: await freePort(), password: newPassword(), folder },
      };
  savePartSettings(settings);
  return settings;
}

export function savePartSettings(settings: PartSettings): void {
  writePrivateJson(settingsFile(settings.stateFolder), settings);
}

/** Reached by every user, unlike a project folder of mode 0700. */
export const sharedFolder = '/var/lib/tributary';

function settingsFile(stateFolder: string): string {
  return join(stateFolder, 'parts.json');
}

function projectHash(stateFolder: string): string {
  return createHash('sha256').update(stateFolder).digest('hex').slice(0, 16);
}

function newPassword(): string {
  return randomBytes(24).toString('base64url');
}
