import type { SourceFile } from './imports.js';

/** A part of the house: the folder or file its sources are in, and the parts they may import beside themselves. */
export interface Part {
  readonly in: string;
  readonly mayImport: readonly string[];
}

const everything = ['src/model', 'src/lib', 'src/connectors', 'src/lineage', 'src/graph', 'src/documents', 'src/pipeline'];

/** DESIGN: who may import whom. Of two parts that hold a file the longer path counts. */
export const parts: readonly Part[] = [
  { in: 'src/model', mayImport: [] },
  { in: 'src/lib', mayImport: [] },
  { in: 'src/connectors', mayImport: ['src/model', 'src/lib'] },
  { in: 'src/lineage', mayImport: ['src/model', 'src/lib'] },
  { in: 'src/graph', mayImport: ['src/model', 'src/lib'] },
  { in: 'src/documents', mayImport: ['src/model', 'src/lib'] },
  { in: 'src/pipeline', mayImport: ['src/model', 'src/lib', 'src/lineage'] },
  { in: 'src/services', mayImport: everything },
  { in: 'src/worker', mayImport: ['src/services', 'src/model', 'src/lib'] },
  { in: 'src/worker/run-process.ts', mayImport: ['src/worker', 'src/pipeline', 'src/connectors', 'src/model', 'src/lib'] },
  // Agenda's backend is handed the connection of `documents`; only its type is named.
  { in: 'src/worker/wake-tasks.ts', mayImport: ['src/worker', 'src/documents'] },
  { in: 'src/api', mayImport: ['src/services', 'src/model', 'src/lib'] },
  { in: 'src/cli', mayImport: [] },
  { in: 'src/config', mayImport: ['src/model', 'src/lib'] },
  { in: 'infrastructure/local', mayImport: ['src/lib'] },
  { in: 'src/compose.ts', mayImport: [...everything, 'src/services', 'src/worker', 'src/api', 'src/config'] },
  { in: 'src/example.ts', mayImport: ['src/config', 'src/cli', 'src/lib', 'infrastructure/local'] },
  { in: 'src/stop-signals.ts', mayImport: ['src/lib'] },
  {
    in: 'src/start.ts',
    mayImport: ['src/compose.ts', 'src/example.ts', 'src/stop-signals.ts', 'src/config', 'src/cli', 'src/model', 'src/lib', 'infrastructure/local'],
  },
];

/** Every import that the table does not allow, and every source that is in no part, as a sentence. */
export function forbiddenImports(sources: readonly SourceFile[]): string[] {
  return sources.flatMap(({ path, imports }) => {
    const part = partOf(path);
    if (part === undefined) return [`${path} is in no part of the house.`];
    const allowed = new Set([part.in, ...part.mayImport]);
    return imports
      .filter((target) => !partsOf(target.replace(/\.js$/, '.ts')).some((each) => allowed.has(each.in)))
      .map((target) => `${path} must not import ${target}.`);
  });
}

function partOf(path: string): Part | undefined {
  return partsOf(path).sort((left, right) => right.in.length - left.in.length)[0];
}

function partsOf(path: string): Part[] {
  return parts.filter(({ in: place }) => path === place || path.startsWith(`${place}/`));
}

/** Import cycles, each once, as `a.ts → b.ts → a.ts`. */
export function importCycles(sources: readonly SourceFile[]): string[] {
  const paths = new Set(sources.map(({ path }) => path));
  const importsOf = new Map(sources.map(({ path, imports }) => [path, imports.map((target) => sourceOf(target, paths))]));
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const before = trail.indexOf(path);
    if (before >= 0) cycles.push([...trail.slice(before), path].join(' → '));
    if (before >= 0 || done.has(path)) return;
    for (const next of importsOf.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const { path } of sources) visit(path, []);
  return cycles;
}

function sourceOf(target: string, paths: ReadonlySet<string>): string {
  const typescript = target.replace(/\.js$/, '.ts');
  return paths.has(typescript) ? typescript : target;
}
