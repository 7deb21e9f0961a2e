import type { DuckDBConnection } from '@duckdb/node-api';
import { duckDbMessage, quoteIdentifier, quoteText } from '../../lib/duckdb-text.js';
import { PlatformError } from '../../model/errors.js';
import { ExpressionProblem } from './expression-problem.js';
import { parseType } from './parse-type.js';

/** What `$name` stands for in every expression of a run. */
export interface ParamValue {
  readonly name: string;
  /** A DuckDB type. */
  readonly type: string;
  /** Text form; null: NULL. */
  readonly value: string | null;
}

const macroPrefix = '_param:';
const [texts, names, comments] = [/[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'/, /"(?:[^"]|"")*"/, /--[^\n\r]*/];
const dollarQuoted = /\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$[\s\S]*?\$\1\$/;
const word = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/;
const param = /\$(?<param>[A-Za-z_][A-Za-z0-9_]*)/;
const scanner = new RegExp([texts, names, comments, /\/\*/, dollarQuoted, word, param].map(({ source }) => source).join('|'), 'g');

/** The expression that gives a parameter's value, typed. */
export function paramSql(name: string): string {
  return `${quoteIdentifier(macroPrefix + name)}()`;
}

export function isParamFunction(name: string): boolean {
  return name.startsWith(macroPrefix);
}

/** Replaces every `$name` that is not inside a text, a quoted name or a comment. What the result means is for the parser to confirm. */
export function replaceParams(text: string): string {
  let result = '';
  let done = 0;
  for (scanner.lastIndex = 0; ; ) {
    const match = scanner.exec(text);
    if (!match) return result + text.slice(done);
    if (match[0] === '/*') scanner.lastIndex = endOfComment(text, match.index);
    const name = match.groups?.['param'];
    if (name === undefined) continue;
    result += text.slice(done, match.index) + paramSql(name);
    done = scanner.lastIndex;
  }
}

/** Comments of this kind stand in one another. */
function endOfComment(text: string, start: number): number {
  const marks = /\/\*|\*\//g;
  marks.lastIndex = start;
  let depth = 0;
  for (let mark = marks.exec(text); mark; mark = marks.exec(text)) {
    depth += mark[0] === '/*' ? 1 : -1;
    if (depth === 0) return marks.lastIndex;
  }
  return text.length;
}

/**
 * Makes a macro for each parameter; one that is there already gets the new value.
 *
 * @throws PlatformError BAD_USER_INPUT for a value that is not of its type
 */
export async function declareParams(connection: DuckDBConnection, params: readonly ParamValue[]): Promise<void> {
  for (const param of params) {
    try {
      await declareParam(connection, param);
    } catch (error) {
      if (!(error instanceof ExpressionProblem)) throw error;
      throw new PlatformError('BAD_USER_INPUT', `Parameter "${param.name}": ${error.message}`, { cause: error });
    }
  }
}

/** @throws ExpressionProblem when the type is none, or the value not of it */
export async function declareParam(connection: DuckDBConnection, { name, type, value }: ParamValue): Promise<void> {
  if (value?.includes('\0')) throw new ExpressionProblem('A NUL character cannot stand in a value.');
  const sql = `CAST(${value === null ? 'NULL' : quoteText(value)} AS ${await parseType(connection, type)})`;
  try {
    await connection.run(`SELECT ${sql}`);
  } catch (error) {
    throw new ExpressionProblem(`Its value cannot be read as ${type}: ${duckDbMessage(error)}.`);
  }
  await connection.run(`CREATE OR REPLACE MACRO ${paramSql(name)} AS ${sql}`);
}
