import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../lib/project-root.js';
import type { Fields } from './decode.js';

/** One question to the graph: the text of a file in `cypher/`, its parameters, and how a record of its answer is read. */
export interface Statement<Params, Result> {
  /** Path below `cypher/`, without the extension. */
  readonly file: string;
  /** Without comments. */
  readonly text: string;
  readonly parameters: readonly string[];
  readonly decode: (record: Fields) => Result;
  /** Never set: lets the compiler know the parameters of a statement. */
  readonly params?: Params;
}

const bound = new Map<string, Statement<never, unknown>>();

/** Every statement that has been bound so far, by file. */
export function boundStatements(): ReadonlyMap<string, Statement<never, unknown>> {
  return bound;
}

/**
 * Binds a file of `cypher/` to its types. Reads it once, when the module is loaded.
 *
 * @param file path below `cypher/`, without the extension
 * @throws Error when the file is bound already, or its `$params` are not those declared
 */
export function statement<Params extends object, Result>(
  file: string,
  parameters: readonly (keyof Params & string)[],
  decode: (record: Fields) => Result,
): Statement<Params, Result> {
  if (bound.has(file)) throw new Error(`cypher/${file}.cypher is bound twice.`);
  const text = withoutComments(readFileSync(join(projectRoot, 'cypher', `${file}.cypher`), 'utf8'));
  const used = [...new Set([...text.matchAll(/\$([A-Za-z_]\w*)/g)].map((match) => match[1] as string))].sort();
  const declared = [...parameters].sort();
  if (used.join() !== declared.join()) {
    throw new Error(`cypher/${file}.cypher uses the parameters (${used.join(', ')}), but (${declared.join(', ')}) are declared.`);
  }
  const made: Statement<Params, Result> = { file, text, parameters: declared, decode };
  bound.set(file, made as Statement<never, unknown>);
  return made;
}

/** Decoder of statements that return nothing. */
export function nothing(): null {
  return null;
}

function withoutComments(text: string): string {
  return text
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('//'))
    .join('\n')
    .trim();
}
