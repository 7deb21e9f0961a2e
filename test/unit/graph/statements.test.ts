import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { boundStatements, nothing, statement } from '../../../src/graph/statement.js';
import { projectRoot } from '../../../src/lib/project-root.js';

const cypher = join(projectRoot, 'cypher');
const files = readdirSync(cypher, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.cypher'))
  .map((file) => file.slice(0, -'.cypher'.length))
  .sort();

function read(file: string): string {
  return readFileSync(join(cypher, `${file}.cypher`), 'utf8');
}

beforeAll(async () => {
  const folder = join(projectRoot, 'src', 'graph');
  for (const file of readdirSync(folder)) await import(join(folder, file));
});

describe('the cypher files', () => {
  it('are each bound to exactly one statement', () => {
    expect([...boundStatements().keys()].sort()).toEqual(files);
  });

  it.each(files)('%s has a header: purpose, every parameter, result', (file) => {
    const header = read(file)
      .split('\n')
      .filter((line) => line.startsWith('// '))
      .map((line) => line.slice(3));
    expect(header[0]).toMatch(/^[A-Z].*\.$/);
    const described = header.flatMap((line) => /^\$(\w+) +\w/.exec(line)?.[1] ?? []);
    expect(described.sort()).toEqual(boundStatements().get(file)?.parameters);
    expect(header.some((line) => line.startsWith('=> '))).toBe(true);
  });

  it.each(files)('%s binds no path of a closure but for its length', (file) => {
    const text = read(file);
    if (!/\*\d*\.\./.test(text)) return;
    expect(text).toMatch(/min\(length\(path\)\)/);
    expect(text.replaceAll('min(length(path))', '').replaceAll('relationships(path)', '').replaceAll('MATCH path =', '')).not.toMatch(/\bpath\b(?! of)/);
  });

  it('are listed in cypher/README.md', () => {
    const readme = readFileSync(join(cypher, 'README.md'), 'utf8');
    expect(files.filter((file) => !readme.includes(`\`${file}\``))).toEqual([]);
  });
});

describe('statement', () => {
  it('refuses a file that is bound already', () => {
    expect(() => statement('meta/read', [], nothing)).toThrow('cypher/meta/read.cypher is bound twice.');
  });

  it('refuses parameters that are not those of the file', () => {
    const bound = boundStatements() as Map<string, unknown>;
    const before = bound.get('meta/lock');
    bound.delete('meta/lock');
    expect(() => statement<{ key: string }, null>('meta/lock', ['key'], nothing)).toThrow(
      'cypher/meta/lock.cypher uses the parameters (lock), but (key) are declared.',
    );
    bound.set('meta/lock', before);
  });
});
