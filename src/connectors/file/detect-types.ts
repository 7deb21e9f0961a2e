import { type DuckDBConnection } from '@duckdb/node-api';
import { quoteIdentifier } from '../../lib/duckdb-text.js';
import type { Segment } from '../../model/segment.js';
import { queryRows } from './database.js';

interface Candidate {
  readonly type: string;
  /** True for a text that is such a value and nothing is lost by taking it for one; `{}` is the text. */
  readonly condition: string;
}

const date = '[0-9]{4}-[0-9]{2}-[0-9]{2}';
const time = '[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?';
const matching = (pattern: string, type: string): string => `regexp_full_match({}, '${pattern}') AND TRY_CAST({} AS ${type}) IS NOT NULL`;

const temporal: readonly Candidate[] = [
  { type: 'DATE', condition: matching(date, 'DATE') },
  { type: 'TIME', condition: matching(time, 'TIME') },
  { type: 'TIMESTAMP', condition: matching(`${date}[ T]${time}`, 'TIMESTAMP') },
  { type: 'TIMESTAMP WITH TIME ZONE', condition: matching(`${date}[ T]${time}(Z|[-+][0-9]{2}(:?[0-9]{2})?)`, 'TIMESTAMPTZ') },
];

/** 007, +7 and " 7" stay text, and so do numbers with more digits than a DOUBLE keeps. */
const plain: readonly Candidate[] = [
  { type: 'BOOLEAN', condition: `{} IN ('true', 'false', 'TRUE', 'FALSE', 'True', 'False')` },
  { type: 'BIGINT', condition: 'coalesce(CAST(TRY_CAST({} AS BIGINT) AS VARCHAR) = {}, false)' },
  {
    type: 'DOUBLE',
    condition: `${matching('-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?', 'DOUBLE')} AND length(regexp_replace({}, '[^0-9]', '', 'g')) <= 15`,
  },
  ...temporal,
];

/** The type of each column by the texts of these segments, VARCHAR where no other holds them all or there is none. */
export async function detectTypes(
  connection: DuckDBConnection,
  segments: readonly Segment[],
  columns: readonly string[],
  of: 'texts' | 'strings',
): Promise<Map<string, string>> {
  const candidates = of === 'texts' ? plain : temporal;
  const types = new Map(columns.map((name) => [name, 'VARCHAR']));
  if (segments.length === 0 || columns.length === 0) return types;
  const rows = segments.map(({ scan }) => `SELECT * FROM ${scan?.sql}`).join(' UNION ALL BY NAME ');
  const tests = columns.flatMap((name, index) =>
    candidates.map(({ condition }, place) => `bool_and(${condition.replaceAll('{}', () => quoteIdentifier(name))}) AS "t${index}_${place}"`),
  );
  const [found] = await queryRows<Record<string, boolean | null>>(connection, `SELECT ${tests.join(', ')} FROM (${rows})`);
  for (const [index, name] of columns.entries()) {
    const fitting = candidates.find((_, place) => found?.[`t${index}_${place}`] === true);
    if (fitting) types.set(name, fitting.type);
  }
  return types;
}
