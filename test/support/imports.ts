import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import ts from 'typescript';

/** A source file and what it imports of ours, as paths from the project's root. */
export interface SourceFile {
  readonly path: string;
  readonly imports: readonly string[];
  readonly lines: number;
}

/** Every TypeScript and JavaScript source under the folders; `root` is the project's. */
export function readSources(root: string, folders: readonly string[]): SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile() && /\.(ts|js)$/.test(entry.name))
      .map((entry) => toSource(relative(root, join(entry.parentPath, entry.name)), readFileSync(join(entry.parentPath, entry.name), 'utf8'))),
  );
}

/** Static, dynamic and type imports and re-exports that name a file. */
export function toSource(path: string, text: string): SourceFile {
  const imports = ts
    .preProcessFile(text, true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => name.startsWith('.'))
    .map((name) => posix.join(dirname(path), name));
  return { path, imports: [...new Set(imports)], lines: text.trimEnd().split('\n').length };
}
