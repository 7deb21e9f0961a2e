import { quoteIdentifier, quoteText } from '../../lib/duckdb-text.js';
import type { CompiledInput, CompiledInputRejects } from '../../model/compiled-pipeline.js';
import type { Segment } from '../../model/segment.js';
import { textColumn, valueColumn } from './relation.js';

/** Name of the view over a segment's file: every column as text. */
export function rawRelation(alias: string): string {
  return quoteIdentifier(`_raw:${alias}`);
}

/**
 * A SELECT over the file of a segment as it is. `allow_quoted_nulls=false` keeps '' apart from NULL; line and buffer size must
 * exceed the widest row; without `new_line` the first CR LF is taken for the row end, also one inside quotes.
 */
export function rawSql(input: CompiledInput, segment: Segment): string {
  if (segment.scan) return scannedSql(input, segment.scan);
  const columns = ["'_pos': 'BIGINT'", ...input.columns.map(({ name }) => `${quoteText(`_text:${name}`)}: 'VARCHAR'`)].join(', ');
  const lineBytes = Math.max(segment.widestRowBytes + 1, 65_536);
  const bufferBytes = Math.max(segment.sizeBytes + 1, lineBytes * 2);
  return `SELECT * FROM read_csv(${quoteText(segment.path)}, header = false, auto_detect = false, delim = ',', quote = '"', escape = '"', new_line = '\\n', nullstr = '',
    allow_quoted_nulls = false, strict_mode = true, max_line_size = ${lineBytes}, buffer_size = ${bufferBytes}, columns = {${columns}})`;
}

/** Rows keep the order of the file: one thread reads it. */
function scannedSql(input: CompiledInput, { sql, firstPosition }: NonNullable<Segment['scan']>): string {
  const texts = input.columns.map(({ name }) => `, ${quoteIdentifier(name)} AS ${textColumn(name)}`).join('');
  return `SELECT row_number() OVER () + ${firstPosition - 1} AS _pos${texts} FROM ${sql}`;
}

/** The input as its readers need it: texts as they are, values converted exactly, without the rows that it refuses. */
export function inputSql(input: CompiledInput): string {
  const items = input.columns.flatMap((column) => [
    ...(column.text ? [textColumn(column.name)] : []),
    ...(column.value ? [`${valueSql(column)} AS ${valueColumn(column.name)}`] : []),
  ]);
  const where = input.rejects ? ` WHERE NOT ${input.rejects.conditionSql}` : '';
  return `SELECT ${['_pos', ...items].join(', ')} FROM ${rawRelation(input.alias)}${where}`;
}

/** A row without a cursor is refused, and kept with everything that is read of it. */
export function rejectsWithoutCursor(cursor: string, columns: readonly string[]): CompiledInputRejects {
  const fields = columns.map((name) => `${quoteText(name)}, ${textColumn(name)}`);
  return {
    conditionSql: `(${textColumn(cursor)} IS NULL)`,
    messageSql: quoteText(`its cursor "${cursor}" is null, so that nobody can tell whether it is new`),
    rowSql: `json_object(${fields.join(', ')})`,
    kept: true,
  };
}

export function valueSql({ name, read }: CompiledInput['columns'][number]): string {
  return (read?.expression ?? '{}').replaceAll('{}', textColumn(name));
}
