import type { StreamColumn, StreamDescription } from '../../model/connector.js';
import type { DatasetRef } from '../../model/dataset.js';
import { PlatformError } from '../../model/errors.js';
import type { PostgresClient } from './client.js';
import { cursorType } from './cursor-type.js';
import { formatTableName, type TableName } from './identifiers.js';
import { readConversion } from './types.js';

const mostStreams = 1_000;

interface ColumnRow {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly base_type: string;
  readonly nullable: boolean;
  readonly writable: boolean;
  readonly optional: boolean;
}

interface KeyRow {
  readonly schema: string;
  readonly table: string;
  readonly primary: boolean;
  readonly columns: string[];
}

/** A column as statements need it. */
export interface TableColumn {
  readonly name: string;
  /** `format_type` of the column. */
  readonly type: string;
  /** Of the type under its domain; `enum` for an enumeration. */
  readonly baseType: string;
  readonly nullable: boolean;
}

/** Columns of the relations that `$1` names as JSON, in table order; a domain's base type stands beside its own. */
const columnsQuery = `
WITH RECURSIVE wanted AS (
  SELECT c.oid, n.nspname, c.relname, c.relkind
  FROM jsonb_to_recordset($1::jsonb) AS w(schema text, "table" text)
  JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w."table" AND c.relkind IN ('r','p','v','m','f')
), base AS (
  SELECT a.attrelid, a.attnum, a.atttypid AS typid, a.atttypmod AS typmod
  FROM pg_catalog.pg_attribute a JOIN wanted w ON w.oid = a.attrelid WHERE a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT b.attrelid, b.attnum, t.typbasetype, t.typtypmod FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.typid WHERE t.typtype = 'd'
)
SELECT w.nspname AS schema, w.relname AS "table", a.attname AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
       CASE WHEN t.typtype = 'e' THEN 'enum' ELSE pg_catalog.format_type(b.typid, b.typmod) END AS base_type,
       NOT a.attnotnull AS nullable,
       a.attgenerated = '' AND a.attidentity <> 'a' AS writable,
       NOT a.attnotnull OR a.atthasdef OR a.attidentity <> '' OR a.attgenerated <> '' AS optional
FROM wanted w
JOIN pg_catalog.pg_attribute a ON a.attrelid = w.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN base b ON b.attrelid = a.attrelid AND b.attnum = a.attnum
JOIN pg_catalog.pg_type t ON t.oid = b.typid AND t.typtype <> 'd'
ORDER BY w.nspname, w.relname, a.attnum`;

/** Whole-table unique indexes that an upsert can name: no predicate, no expression, checked at once, valid. */
const keysQuery = `
SELECT n.nspname AS schema, c.relname AS "table", i.indisprimary AS primary,
       ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int[]) WITH ORDINALITY k(attnum, place)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
             WHERE k.place <= i.indnkeyatts ORDER BY k.place) AS columns
FROM jsonb_to_recordset($1::jsonb) AS w(schema text, "table" text)
JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w."table"
JOIN pg_catalog.pg_index i ON i.indrelid = c.oid
WHERE i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indimmediate AND i.indisvalid
ORDER BY i.indisprimary DESC, i.indexrelid`;

const streamsQuery = `
SELECT n.nspname AS schema, c.relname AS "table"
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r','p','v','m','f') AND NOT c.relispartition
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND c.relname NOT IN ('_tributary_state', '_tributary_loads')
ORDER BY 1, 2 LIMIT ${mostStreams + 1}`;

/** Every table and view that the user can see. @throws PlatformError SOURCE_FAILED when there are more than 1,000 */
export async function listTables(client: PostgresClient): Promise<TableName[]> {
  const { rows } = await client.query<TableName>(streamsQuery);
  if (rows.length > mostStreams) {
    throw new PlatformError(
      'SOURCE_FAILED',
      `The database has more than ${mostStreams} tables and views, too many for one list. Name the stream in the pipeline, or use a user that sees fewer schemas.`,
    );
  }
  return rows;
}

/** The tables that exist, described; two queries for any number of them. */
export async function describeTables(
  client: PostgresClient,
  tables: readonly TableName[],
  datasetOf: (table: TableName) => DatasetRef,
): Promise<StreamDescription[]> {
  const wanted = JSON.stringify(tables);
  const columns = groupByTable((await client.query<ColumnRow>(columnsQuery, [wanted])).rows);
  const keys = groupByTable((await client.query<KeyRow>(keysQuery, [wanted])).rows);
  return tables.flatMap((table) => {
    const rows = columns.get(formatTableName(table));
    return rows ? [describe(table, datasetOf(table), rows, keys.get(formatTableName(table)) ?? [])] : [];
  });
}

/** In table order. @throws PlatformError STREAM_NOT_FOUND */
export async function tableColumns(client: PostgresClient, table: TableName): Promise<TableColumn[]> {
  const { rows } = await client.query<ColumnRow>(columnsQuery, [JSON.stringify([table])]);
  if (rows.length === 0) throw new PlatformError('STREAM_NOT_FOUND', `There is no table or view ${formatTableName(table)}. Check the stream of the input.`);
  return rows.map(({ name, type, base_type: baseType, nullable }) => ({ name, type, baseType, nullable }));
}

function describe(table: TableName, dataset: DatasetRef, rows: readonly ColumnRow[], keys: readonly KeyRow[]): StreamDescription {
  return {
    stream: formatTableName(table),
    dataset,
    columns: rows.map(toColumn),
    primaryKey: keys.find((key) => key.primary)?.columns ?? [],
    uniqueKeys: keys.map((key) => key.columns),
    cursorCandidates: rows.filter((row) => cursorType(row.base_type) !== null).map((row) => row.name),
  };
}

function toColumn(row: ColumnRow, index: number): StreamColumn {
  const { name, type, nullable, writable, optional } = row;
  return { name, type, nullable, writable, optional, ordinal: index + 1, read: readConversion(row.base_type) };
}

function groupByTable<Row extends TableName>(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(formatTableName(row));
    if (group) group.push(row);
    else groups.set(formatTableName(row), [row]);
  }
  return groups;
}
