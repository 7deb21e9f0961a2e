import type { TypedColumn } from './relation-types.js';

/** How values of a type are written to a Parquet file and read back unchanged; `{}` stands for the value. */
interface StoredForm {
  readonly write: string;
  readonly read: string;
}

/** Types that DuckDB writes to Parquet as another one, with a loss. */
const lossy = /\b(U?HUGEINT|INTERVAL|TIME WITH TIME ZONE|TIMESTAMP_S|BIT)\b/;

const interval: StoredForm = {
  write: `CASE WHEN {} IS NULL THEN NULL ELSE struct_pack(months := date_part('year', {}) * 12 + date_part('month', {}), days := date_part('day', {}),
    micros := date_part('hour', {}) * 3600000000 + date_part('minute', {}) * 60000000 + date_part('microsecond', {})) END`,
  read: 'to_months(({}).months::INTEGER) + to_days(({}).days::INTEGER) + to_microseconds(({}).micros)',
};

/** What Parquet does not hold exactly goes as text. */
function storedForm(type: string): StoredForm {
  if (type === 'INTERVAL') return interval;
  return { write: lossy.test(type) ? 'CAST({} AS VARCHAR)' : '{}', read: `CAST({} AS ${type})` };
}

/** Columns of a file have numbers for names, so that no name can clash. */
export function storedName(index: number): string {
  return `c${index}`;
}

export function writeSql({ type }: TypedColumn, sql: string): string {
  return storedForm(type).write.replaceAll('{}', sql);
}

export function readSql({ type }: TypedColumn, sql: string): string {
  return storedForm(type).read.replaceAll('{}', sql);
}
