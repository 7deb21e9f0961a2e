import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PlatformError } from '../../model/errors.js';
import type { FileAccess } from './access.js';
import { toFileError } from './errors.js';
import { hasWildcard, type StreamName } from './stream-name.js';

/** A file as it was found. One that differs from this when it is read has been changed meanwhile. */
export interface SourceFile {
  /** Path below the connection's folder. */
  readonly name: string;
  /** All links followed. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Size, time and place on the disk. */
  readonly mark: string;
}

const mostFiles = 10_000;

/** The files of a stream, by name. Names that begin with `.` or `_` are found only when they are written out. */
export async function listFiles(access: FileAccess, { name, kind }: StreamName): Promise<SourceFile[]> {
  const pattern = kind === 'folder' ? `${name}*` : name;
  const names = new Set<string>();
  for await (const found of matches(access, '', pattern.split('/'))) {
    names.add(found);
    if (names.size > mostFiles) throw new PlatformError('BAD_USER_INPUT', `${name} names more than ${mostFiles} files. Read fewer of them at a time.`);
  }
  const files: SourceFile[] = [];
  for (const each of [...names].sort()) {
    const file = await findFile(access, each);
    if (file) files.push(file);
  }
  return files;
}

/** null: there is none, or it is not a plain file. */
async function findFile(access: FileAccess, name: string): Promise<SourceFile | null> {
  const path = await access.real(name);
  if (path === null) return null;
  const found = await stat(path, { bigint: true }).catch(() => null);
  return found?.isFile() ? { name, path, sizeBytes: Number(found.size), mark: markOf(found) } : null;
}

export function markOf({ size, mtimeNs, ino }: { readonly size: bigint; readonly mtimeNs: bigint; readonly ino: bigint }): string {
  return `${size}-${mtimeNs}-${ino}`;
}

/** Names below `folder` that match; a folder behind a link is entered only when its name is written out. */
async function* matches(access: FileAccess, folder: string, [first = '', ...rest]: readonly string[]): AsyncGenerator<string> {
  if (!hasWildcard(first)) {
    const name = join(folder, first);
    if (rest.length > 0) yield* matches(access, name, rest);
    else yield name;
    return;
  }
  const path = await access.real(folder);
  if (path === null) return;
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR' || (error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw toFileError(error, 'read', folder);
  });
  const visible = entries.filter(({ name }) => !/^[._]/.test(name));
  if (first === '**') {
    yield* matches(access, folder, rest.length > 0 ? rest : ['*']);
    for (const entry of visible) if (entry.isDirectory()) yield* matches(access, join(folder, entry.name), ['**', ...rest]);
    return;
  }
  const expression = toExpression(first);
  for (const entry of visible.filter(({ name }) => expression.test(name))) {
    const name = join(folder, entry.name);
    if (rest.length === 0 && !entry.isDirectory()) yield name;
    else if (rest.length > 0 && entry.isDirectory()) yield* matches(access, name, rest);
  }
}

function toExpression(segment: string): RegExp {
  const escaped = segment.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replace(/\*+/g, '.*').replaceAll('?', '.')}$`, 'su');
}
