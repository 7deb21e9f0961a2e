import type { DuckDBConnection } from '@duckdb/node-api';
import { duckDbMessage } from '../../lib/duckdb-text.js';
import { ExpressionProblem } from './expression-problem.js';
import { parseAlone } from './parse-alone.js';
import type { Tree } from './syntax-tree.js';

/** The canonical name of a DuckDB type; it is parsed as the type of a cast and nothing else. @throws ExpressionProblem */
export async function parseType(connection: DuckDBConnection, text: string): Promise<string> {
  if (/^\s*(varchar|text|string|char|bpchar|nvarchar)\s*\(/i.test(text))
    throw new ExpressionProblem(`${text}: a text has no length in expressions. Write VARCHAR.`);
  const root = await parseAlone(connection, `CAST(NULL AS ${text}\n)`);
  const child = root['child'] as Tree | undefined;
  if (root['class'] !== 'CAST' || child?.['class'] !== 'CONSTANT') throw new ExpressionProblem(`"${text}" is not a type.`);
  try {
    const described = await connection.runAndReadAll(`DESCRIBE SELECT CAST(NULL AS ${text}\n) AS value`);
    return String(described.getRows()[0]?.[1]);
  } catch (error) {
    throw new ExpressionProblem(`"${text}" is not a type: ${duckDbMessage(error)}.`);
  }
}
