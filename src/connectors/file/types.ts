import type { ReadConversion, WriteConversion } from '../../model/connector.js';

/** A file's columns have the types of DuckDB, whose texts stand in CSV. */
const asText = 'CAST({} AS VARCHAR)';
/** DuckDB's cast of a text rounds a fraction and takes 1e3, so that only digits are let through. */
const wholeNumber = (type: string): string =>
  `CASE WHEN {} IS NULL OR regexp_full_match({}, '\\s*[-+]?[0-9]+\\s*') THEN CAST({} AS ${type}) ELSE error('Could not convert ''' || {} || ''' to a whole number (${type})') END`;
const zoned = 'TIMESTAMP WITH TIME ZONE';

const integers: Readonly<Record<string, number>> = {
  TINYINT: 3,
  UTINYINT: 3,
  SMALLINT: 5,
  USMALLINT: 5,
  INTEGER: 10,
  UINTEGER: 10,
  BIGINT: 19,
  UBIGINT: 20,
  HUGEINT: 39,
  UHUGEINT: 39,
};
/** Ranges that lie in the one of the type. */
const wider: Readonly<Record<string, readonly string[]>> = {
  TINYINT: ['SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT'],
  UTINYINT: ['SMALLINT', 'USMALLINT', 'INTEGER', 'UINTEGER', 'BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT'],
  SMALLINT: ['INTEGER', 'BIGINT', 'HUGEINT'],
  USMALLINT: ['INTEGER', 'UINTEGER', 'BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT'],
  INTEGER: ['BIGINT', 'HUGEINT'],
  UINTEGER: ['BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT'],
  BIGINT: ['HUGEINT'],
  UBIGINT: ['HUGEINT', 'UHUGEINT'],
  FLOAT: ['DOUBLE'],
  TIMESTAMP_S: ['TIMESTAMP_MS', 'TIMESTAMP'],
  TIMESTAMP_MS: ['TIMESTAMP'],
};
const others = [
  'BOOLEAN',
  'FLOAT',
  'DOUBLE',
  'DATE',
  'TIME',
  'TIMESTAMP',
  'TIMESTAMP_S',
  'TIMESTAMP_MS',
  'TIMESTAMP_NS',
  zoned,
  'UUID',
  'BLOB',
  'JSON',
  'INTERVAL',
  'BIT',
];

/** Their texts mean the same everywhere. Texts of dates and times are of many forms, some of them read differently. */
const portable = new Set(['VARCHAR', 'UUID', 'FLOAT', 'DOUBLE', ...Object.keys(integers)]);

const decimal = /^DECIMAL\((\d+),(\d+)\)$/;

export function readConversion(word: string): ReadConversion | null {
  const type = inFull(word);
  if (type === 'VARCHAR') return { type, expression: '{}', portable: true };
  if (integers[type] !== undefined) return { type, expression: wholeNumber(type), portable: true };
  if (decimal.test(type)) return { type, expression: `CAST({} AS ${type})`, portable: true };
  if (!others.includes(type)) return null;
  return { type, expression: `CAST({} AS ${type})`, ...(portable.has(type) && { portable: true }) };
}

export function writeConversion(word: string): WriteConversion | null {
  const type = inFull(word);
  if (type === 'VARCHAR') return { type, expression: '{}' };
  // Near the year 294246 the text that DuckDB makes of it is off by a millisecond.
  if (type === zoned)
    return { type, expression: `CASE WHEN isinf({}) THEN CAST({} AS VARCHAR) ELSE CAST(make_timestamp(epoch_us({})) AS VARCHAR) || '+00' END` };
  return integers[type] !== undefined || others.includes(type) || decimal.test(type) ? { type, expression: asText } : null;
}

function inFull(word: string): string {
  return word === 'TIMESTAMPTZ' ? zoned : word;
}

/** True when every value of type `from` is stored in a column of type `to` unchanged. */
export function assignable(from: string, to: string): boolean {
  if (from === to || to === 'VARCHAR' || wider[from]?.includes(to) === true) return true;
  const target = decimal.exec(to);
  if (!target) return false;
  const whole = Number(target[1]) - Number(target[2]);
  const source = decimal.exec(from);
  if (!source) return whole >= (integers[from] ?? Number.POSITIVE_INFINITY);
  return Number(target[2]) >= Number(source[2]) && whole >= Number(source[1]) - Number(source[2]);
}

/** What a column of this type is in Parquet, where DuckDB would round what it cannot hold. */
export function parquetType(type: string): string {
  if (type === 'HUGEINT' || type === 'UHUGEINT') return 'DECIMAL(38,0)';
  return ['INTERVAL', 'BIT', 'JSON'].includes(type) ? 'VARCHAR' : type;
}

/** The value of a text of this type; a text that is none fails. */
export function valueFrom(text: string, type: string): string {
  return (readConversion(type)?.expression ?? '{}').replaceAll('{}', () => text);
}

/** JSON of a text of this type, as exact as JSON can be: numbers by their digits. */
export function jsonOf(text: string, type: string): string {
  const value = valueFrom(text, type);
  if (type === 'FLOAT' || type === 'DOUBLE')
    return `CASE WHEN isfinite(${value}) THEN CAST(${value} AS VARCHAR) ELSE '"' || CAST(${value} AS VARCHAR) || '"' END`;
  if (type === 'BOOLEAN' || type === 'JSON' || integers[type] !== undefined || decimal.test(type)) return `CAST(${value} AS VARCHAR)`;
  return `CAST(to_json(${type === 'VARCHAR' ? text : `CAST(${value} AS VARCHAR)`}) AS VARCHAR)`;
}
