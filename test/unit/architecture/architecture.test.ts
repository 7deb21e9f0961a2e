import { describe, expect, it } from '@jest/globals';
import { projectRoot } from '../../../src/lib/project-root.js';
import { forbiddenImports, importCycles } from '../../support/architecture.js';
import { readSources, toSource } from '../../support/imports.js';

const sources = readSources(projectRoot, ['src', 'infrastructure/local']);

describe('the house', () => {
  it('has only imports that go down the floors', () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(forbiddenImports(sources)).toEqual([]);
  });

  it('has no import cycle', () => {
    expect(importCycles(sources)).toEqual([]);
  });

  it('has no file of more than 250 lines', () => {
    expect(sources.filter(({ lines }) => lines > 250).map(({ path, lines }) => `${path}: ${lines}`)).toEqual([]);
  });

  it('has no index file', () => {
    expect(sources.map(({ path }) => path).filter((path) => /(^|\/)index\.[jt]s$/.test(path))).toEqual([]);
  });
});

describe('the check of imports', () => {
  it('finds a floor that imports the one above it', () => {
    const planted = toSource('src/model/run.ts', "import { RunService } from '../services/runs.js';");
    expect(forbiddenImports([planted])).toEqual(['src/model/run.ts must not import src/services/runs.js.']);
  });

  it('finds type imports, dynamic imports and re-exports as well', () => {
    const planted = toSource(
      'src/graph/graph.ts',
      "import type { A } from '../pipeline/a.js'; export { b } from '../api/b.js'; export const c = () => import('../config/c.js');",
    );
    expect(forbiddenImports([planted])).toEqual([
      'src/graph/graph.ts must not import src/pipeline/a.js.',
      'src/graph/graph.ts must not import src/api/b.js.',
      'src/graph/graph.ts must not import src/config/c.js.',
    ]);
  });

  it('lets the entry of run processes import the pipeline, and no other file of the worker', () => {
    const text = "import { runPipeline } from '../pipeline/run-pipeline.js';";
    expect(forbiddenImports([toSource('src/worker/run-process.ts', text)])).toEqual([]);
    expect(forbiddenImports([toSource('src/worker/worker.ts', text)])).toEqual(['src/worker/worker.ts must not import src/pipeline/run-pipeline.js.']);
  });

  it('finds a source that belongs to no part', () => {
    expect(forbiddenImports([toSource('src/helpers/text.ts', '')])).toEqual(['src/helpers/text.ts is in no part of the house.']);
  });

  it('finds a cycle of three files', () => {
    const planted = [
      toSource('src/lib/a.ts', "import { b } from './b.js';"),
      toSource('src/lib/b.ts', "import type { C } from './c.js';"),
      toSource('src/lib/c.ts', "export { a } from './a.js';"),
    ];
    expect(importCycles(planted)).toEqual(['src/lib/a.ts → src/lib/b.ts → src/lib/c.ts → src/lib/a.ts']);
  });
});
