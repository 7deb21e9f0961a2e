import type { LoadRequest } from '../../model/connector.js';
import { PlatformError } from '../../model/errors.js';
import type { FileConfig, FileFormat } from './config.js';

/** A stream's name is a relative path: a file, a pattern with `*`, `?` or `**`, or a folder of parts, which ends with `/`. */
export interface StreamName {
  /** In its normal form. */
  readonly name: string;
  readonly kind: 'file' | 'pattern' | 'folder';
}

export type Compression = 'none' | 'gzip' | 'zstd';

export interface FileKind {
  readonly format: FileFormat;
  readonly compression: Compression;
}

/** Folder beside each output in which it is prepared and recorded; no stream. */
export const controlFolder = '.tributary';

const extensions: Readonly<Record<string, FileFormat>> = { csv: 'csv', tsv: 'csv', ndjson: 'ndjson', jsonl: 'ndjson', json: 'ndjson', parquet: 'parquet' };
const compressions: Readonly<Record<string, Compression>> = { gz: 'gzip', zst: 'zstd' };

/** null when it cannot be a name: absolute, empty, with `..` or a backslash, or in the folder that is ours. */
export function parseStream(stream: string): StreamName | null {
  if (stream === '' || stream.startsWith('/') || /[\\\0\n\r]/.test(stream)) return null;
  const segments = stream.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (segments.length === 0 || segments.some((segment) => segment === '..' || segment === controlFolder)) return null;
  const isFolder = stream.endsWith('/');
  const isPattern = segments.some(hasWildcard);
  if (isFolder && isPattern) return null;
  return { name: segments.join('/') + (isFolder ? '/' : ''), kind: isPattern ? 'pattern' : isFolder ? 'folder' : 'file' };
}

/** @throws PlatformError BAD_USER_INPUT */
export function streamOf(stream: string): StreamName {
  const parsed = parseStream(stream);
  if (parsed) return parsed;
  throw new PlatformError(
    'BAD_USER_INPUT',
    `"${stream}" is not the name of a file stream: write a path inside the connection's folder, as orders.csv, orders/*.csv or orders.csv/, without "..".`,
  );
}

/** Why a stream cannot be written in this mode; null when it can. */
export function loadProblem({ kind, name }: StreamName, mode: LoadRequest['mode']): string | null {
  if (mode === 'upsert') return 'files are not written by upsert: use append or overwrite';
  if (kind === 'pattern') return 'it names several files: name one, or a folder that ends with "/"';
  if (kind === 'file' && mode === 'append') return `a single file is only overwritten: to append, name a folder of parts, as ${name}/`;
  return null;
}

export function hasWildcard(segment: string): boolean {
  return /[*?]/.test(segment);
}

/** What a file's name says about its content, `orders.csv.gz` being CSV in gzip; null: nothing, and the connection neither. */
export function fileKind(name: string, { format }: Pick<FileConfig, 'format'>): FileKind | null {
  const words = name.replace(/\/$/, '').toLowerCase().split('.').slice(1);
  const compression = compressions[words.at(-1) ?? ''] ?? 'none';
  if (compression !== 'none') words.pop();
  const found = extensions[words.at(-1) ?? ''] ?? format;
  if (found === null || (found === 'parquet' && compression !== 'none')) return null;
  return { format: found, compression };
}

/** @throws PlatformError BAD_USER_INPUT when nobody says it */
export function kindOf(name: string, config: Pick<FileConfig, 'format'>): FileKind {
  const kind = fileKind(name, config);
  if (kind) return kind;
  throw new PlatformError(
    'BAD_USER_INPUT',
    `What is in ${name} cannot be told by its name: let it end with ${Object.keys(extensions)
      .map((extension) => `.${extension}`)
      .join(', ')} (but for Parquet also .gz or .zst behind it), or set "format" in the connection.`,
  );
}

export function isTabbed(name: string): boolean {
  return /\.tsv(\.gz|\.zst)?\/?$/i.test(name);
}
