import type { ReadConversion, WriteConversion } from '../../model/connector.js';

/**
 * Which PostgreSQL types become DuckDB values exactly, and back. What is not here passes through as text or is read by `cast`.
 * Each line is tested at its extremes. Sources: PostgreSQL 18, "Data Types"; DuckDB 1.5, "Data Types"; and what was measured:
 * DuckDB writes BC behind the date, PostgreSQL behind the time; DuckDB's own text conversion of TIMESTAMPTZ is off by a
 * millisecond near the year 294246, so that it goes through whole microseconds here.
 */
const plain = (type: string): ReadConversion => ({ type, expression: `CAST({} AS ${type})` });
/** For types whose text form every store reads as the same value. */
const portable = (type: string): ReadConversion => ({ ...plain(type), portable: true });
const text: ReadConversion = { type: 'VARCHAR', expression: '{}', portable: true };

const dateBefore = `replace({}, ' BC', ' (BC)')`;
const timestampBefore = String.raw`CASE WHEN suffix({}, ' BC') THEN regexp_replace({}, '^(\S+) (.*) BC$', '\1 (BC) \2') ELSE {} END`;
const timestampOf = `CAST(${timestampBefore} AS TIMESTAMP)`;
const withoutZone = `replace({}, '+00', '')`;
const timestampTzOf = `CASE WHEN suffix({}, 'infinity') THEN CAST({} AS TIMESTAMPTZ) ELSE make_timestamptz(epoch_us(${timestampOf.replaceAll('{}', withoutZone)})) END`;

const exact: Readonly<Record<string, ReadConversion>> = {
  boolean: plain('BOOLEAN'),
  smallint: portable('SMALLINT'),
  integer: portable('INTEGER'),
  bigint: portable('BIGINT'),
  oid: plain('UINTEGER'),
  real: plain('FLOAT'),
  'double precision': plain('DOUBLE'),
  text,
  'character varying': text,
  character: text,
  name: text,
  uuid: portable('UUID'),
  date: { type: 'DATE', expression: `CAST(${dateBefore} AS DATE)` },
  'time without time zone': plain('TIME'),
  'timestamp without time zone': { type: 'TIMESTAMP', expression: timestampOf },
  'timestamp with time zone': { type: 'TIMESTAMPTZ', expression: timestampTzOf },
  bytea: { type: 'BLOB', expression: 'unhex(substr({}, 3))' },
  json: plain('JSON'),
  jsonb: plain('JSON'),
};

/** `numeric(12,2)` → word `numeric`, arguments [12, 2]; the arguments of `timestamp(3) with time zone` stand inside. */
export function splitType(type: string): { readonly word: string; readonly arguments: readonly number[] } {
  const match = /^([^(]*)\(([-\d, ]+)\)(.*)$/.exec(type);
  if (!match) return { word: type, arguments: [] };
  return { word: `${match[1]}${match[3]}`, arguments: (match[2] ?? '').split(',').map(Number) };
}

/** @param baseType  `format_type` of the column, or of the type under its domain; `enum` for an enumeration */
export function readConversion(baseType: string): ReadConversion | null {
  if (baseType === 'enum') return text;
  const {
    word,
    arguments: [precision, scale = 0],
  } = splitType(baseType);
  if (word === 'numeric') {
    const fits = precision !== undefined && precision <= 38 && scale >= 0 && scale <= precision;
    return fits ? portable(`DECIMAL(${precision},${scale})`) : null;
  }
  return exact[word] ?? null;
}

const asText = 'CAST({} AS VARCHAR)';
const timestampText = String.raw`regexp_replace(CAST({} AS VARCHAR), '^(\S+) \(BC\) (.*)$', '\1 \2 BC')`;
const timestampTzText = `CASE WHEN isinf({}) THEN CAST({} AS VARCHAR) ELSE regexp_replace(CAST(make_timestamp(epoch_us({})) AS VARCHAR) || '+00', '^(\\S+) \\(BC\\) (.*)$', '\\1 \\2 BC') END`;

const written: Readonly<Record<string, WriteConversion>> = {
  BOOLEAN: { type: 'boolean', expression: asText },
  TINYINT: { type: 'smallint', expression: asText },
  SMALLINT: { type: 'smallint', expression: asText },
  UTINYINT: { type: 'smallint', expression: asText },
  INTEGER: { type: 'integer', expression: asText },
  USMALLINT: { type: 'integer', expression: asText },
  BIGINT: { type: 'bigint', expression: asText },
  UINTEGER: { type: 'bigint', expression: asText },
  UBIGINT: { type: 'numeric(20,0)', expression: asText },
  HUGEINT: { type: 'numeric(39,0)', expression: asText },
  UHUGEINT: { type: 'numeric(39,0)', expression: asText },
  FLOAT: { type: 'real', expression: asText },
  DOUBLE: { type: 'double precision', expression: asText },
  VARCHAR: { type: 'text', expression: '{}' },
  UUID: { type: 'uuid', expression: asText },
  DATE: { type: 'date', expression: `replace(CAST({} AS VARCHAR), ' (BC)', ' BC')` },
  TIME: { type: 'time without time zone', expression: asText },
  TIMESTAMP: { type: 'timestamp without time zone', expression: timestampText },
  'TIMESTAMP WITH TIME ZONE': { type: 'timestamp with time zone', expression: timestampTzText },
  BLOB: { type: 'bytea', expression: String.raw`'\x' || lower(hex({}))` },
  JSON: { type: 'jsonb', expression: asText },
  INTERVAL: { type: 'interval', expression: asText },
};

export function writeConversion(duckdbType: string): WriteConversion | null {
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(duckdbType);
  if (decimal) return { type: `numeric(${decimal[1]},${decimal[2]})`, expression: asText };
  return written[duckdbType] ?? null;
}

/** A type of the server itself is made again as it is; one that only the other database knows (enum, domain, extension) is kept as text. */
export function createType(storeType: string): string {
  const bare = storeType.replace(/(\[\])+$/, '');
  const { word } = splitType(bare);
  return builtIn.has(word) ? storeType : 'text';
}

const builtIn = new Set([
  ...Object.keys(exact),
  'numeric',
  'interval',
  'time with time zone',
  'bit',
  'bit varying',
  'money',
  'inet',
  'cidr',
  'macaddr',
  'macaddr8',
  'point',
  'line',
  'lseg',
  'box',
  'path',
  'polygon',
  'circle',
  'xml',
  'jsonpath',
  'tsvector',
  'tsquery',
  'int4range',
  'int8range',
  'numrange',
  'tsrange',
  'tstzrange',
  'daterange',
  'int4multirange',
  'int8multirange',
  'nummultirange',
  'tsmultirange',
  'tstzmultirange',
  'datemultirange',
  'pg_lsn',
]);
