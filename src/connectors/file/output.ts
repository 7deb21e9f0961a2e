import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { FileAccess } from './access.js';
import { toFileError } from './errors.js';
import { type Manifest, noManifest, parseManifest } from './manifest.js';
import { controlFolder, type StreamName } from './stream-name.js';

const manifestName = /^manifest-(\d{10})\.json$/;
const stageName = /^stage-/;

/**
 * A file or a folder of parts that we write. Beside it, in a hidden folder, lie the manifests by version: making the next one, which
 * succeeds once only, is the commit. Files wait in a stage folder until then, and whoever comes next puts them in their place.
 */
export class FileOutput {
  constructor(
    private readonly access: FileAccess,
    readonly stream: StreamName,
  ) {}

  /** Folder of the files, made when `make` says so; null: not there. All links followed. */
  async folder(make = false): Promise<string | null> {
    const relative = this.stream.kind === 'folder' ? this.stream.name : dirname(this.stream.name);
    const found = await this.access.real(relative);
    if (found !== null || !make) return found;
    await this.makeFolders(relative);
    return this.access.real(relative);
  }

  /** Name of the file of a load. */
  partName(loadHash: string, extension: string): string {
    return this.stream.kind === 'folder' ? `part-${loadHash}.${extension}` : basename(this.stream.name);
  }

  /** Of the files in its folder, but hidden ones. */
  async visibleNames(): Promise<string[]> {
    const folder = await this.folder();
    if (folder === null) return [];
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => !entry.isDirectory() && !/^[._]/.test(entry.name)).map(({ name }) => name);
  }

  /** A folder of its own to write in, and who writes there. */
  async openStage(): Promise<string> {
    const control = join((await this.folder(true)) ?? '', controlFolder, this.controlName());
    const id = randomBytes(8).toString('hex');
    const stage = join(control, `stage-${id}`);
    try {
      // It has an owner as soon as others can see it.
      await mkdir(join(control, `making-${id}`), { recursive: true, mode: 0o700 });
      await writeFile(join(control, `making-${id}`, 'owner.json'), JSON.stringify({ host: hostname(), pid: process.pid }));
      await rename(join(control, `making-${id}`), stage);
      return stage;
    } catch (error) {
      throw toFileError(error, 'load', this.stream.name);
    }
  }

  /** The newest manifest, its files in their places. */
  async current(): Promise<Manifest> {
    const folder = await this.folder();
    if (folder === null) return noManifest;
    const control = join(folder, controlFolder, this.controlName());
    try {
      const manifest = await newest(control);
      await place(manifest, folder, control);
      return manifest;
    } catch (error) {
      throw toFileError(error, 'load', this.stream.name);
    }
  }

  /**
   * Makes the manifest the newest one, and puts its files in their places; false: another load has made one of this version before.
   *
   * @param loadId  a load that this manifest is the first to have
   */
  async publish(manifest: Manifest, loadId: string): Promise<boolean> {
    const folder = (await this.folder(true)) ?? '';
    const control = join(folder, controlFolder, this.controlName());
    const written = join(control, `writing-${randomBytes(8).toString('hex')}`);
    const name = `manifest-${String(manifest.version).padStart(10, '0')}.json`;
    try {
      await writeDurably(written, JSON.stringify(manifest));
      await link(written, join(control, name));
      await syncFolder(control);
      // The manifest of this version may have been there and removed as an old one: then a newer one holds, which does not know this load.
      if ((await newest(control)).loads[loadId] === undefined) {
        await rm(join(control, name), { force: true });
        return false;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw toFileError(error, 'load', this.stream.name);
    } finally {
      await rm(written, { force: true });
    }
    await place(manifest, folder, control);
    return true;
  }

  /** Removes what loads have left whose process has died, and manifests that have been replaced. */
  async cleanUp(): Promise<void> {
    const folder = await this.folder();
    if (folder === null) return;
    const control = join(folder, controlFolder, this.controlName());
    const manifest = await this.current();
    for (const name of await readdir(control).catch(() => [])) {
      const version = Number(manifestName.exec(name)?.[1] ?? Number.NaN);
      if (version < manifest.version - 1) await unlink(join(control, name)).catch(() => undefined);
      if (stageName.test(name) && !manifest.parts.some(({ stage }) => stage === name) && !(await isOwned(join(control, name))))
        await rm(join(control, name), { recursive: true, force: true });
    }
  }

  private controlName(): string {
    return this.stream.kind === 'folder' ? 'parts' : basename(this.stream.name);
  }

  /** One by one, so that a link on the way that leads out is found before anything is made behind it. */
  private async makeFolders(relative: string): Promise<void> {
    const names = relative.split('/').filter((name) => name !== '' && name !== '.');
    for (const [index, name] of names.entries()) {
      const parent = (await this.access.real(names.slice(0, index).join('/'))) ?? '';
      await mkdir(join(parent, name)).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw toFileError(error, 'load', relative);
      });
    }
  }
}

/** Others may be removing old ones meanwhile. */
async function newest(control: string): Promise<Manifest> {
  for (;;) {
    const names = (await readdir(control).catch(() => [])).filter((name) => manifestName.test(name)).sort();
    const last = names.at(-1);
    if (last === undefined) return noManifest;
    const text = await readFile(join(control, last), 'utf8').catch(() => null);
    if (text !== null) return parseManifest(text, join(control, last));
  }
}

/** Safe to do by several at a time, and again: what is in its place already is left there. */
async function place({ parts, replaced }: Manifest, folder: string, control: string): Promise<void> {
  let moved = 0;
  for (const { name, stage } of parts) {
    if (stage === null) continue;
    const path = join(control, stage, name);
    if (!(await stat(path).catch(() => null))) continue;
    await rename(path, join(folder, name)).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
    moved += 1;
  }
  for (const name of replaced) await rm(join(folder, name), { force: true });
  if (moved > 0) await syncFolder(folder);
}

async function isOwned(stage: string): Promise<boolean> {
  try {
    const owner = JSON.parse(await readFile(join(stage, 'owner.json'), 'utf8')) as { host: string; pid: number };
    if (owner.host !== hostname()) return true;
    process.kill(owner.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  await file.sync().finally(() => file.close());
}

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  // Not every file system does it for folders.
  await folder.sync().catch(() => undefined);
  await folder.close();
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
