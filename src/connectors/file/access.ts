import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { PlatformError } from '../../model/errors.js';
import { toFileError } from './errors.js';

/** Where a connection may read and write: its folder, when that lies inside one of the allowed roots, all links followed. */
export class FileAccess {
  constructor(
    private readonly folder: string,
    private readonly roots: readonly string[],
  ) {}

  /** The connection's folder with all links followed. @throws PlatformError CONNECTION_FAILED, ACCESS_DENIED */
  async base(): Promise<string> {
    try {
      return this.inside(await realpath(this.folder), this.folder, await this.realRoots());
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw toFileError(error, 'read', this.folder);
      throw new PlatformError('CONNECTION_FAILED', `There is no folder ${this.folder}. Make it, or change "folder" of the connection.`, { cause: error });
    }
  }

  /** The real path of something below the folder; null when it is not there. @throws PlatformError ACCESS_DENIED when a link leads out */
  async real(relative: string): Promise<string | null> {
    const base = await this.base();
    try {
      return this.inside(await realpath(join(base, relative)), join(this.folder, relative), await this.realRoots());
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
      throw toFileError(error, 'read', relative);
    }
  }

  private async realRoots(): Promise<string[]> {
    const found = await Promise.all(this.roots.map((root) => realpath(root).catch(() => null)));
    return found.filter((root) => root !== null);
  }

  private inside(real: string, named: string, roots: readonly string[]): string {
    if (roots.some((root) => real === root || real.startsWith(root.endsWith(sep) ? root : root + sep))) return real;
    const allowed = this.roots.length === 0 ? 'none is set' : this.roots.join(', ');
    throw new PlatformError(
      'ACCESS_DENIED',
      `${named} lies outside the folders that may be used (${allowed}). Move it into one of them, or name its folder in TRIBUTARY_FILE_ROOTS and start the server again.`,
    );
  }
}
