import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { StreamColumn } from '../../model/connector.js';
import { PlatformError } from '../../model/errors.js';
import type { Segment } from '../../model/segment.js';
import type { FileConfig, FileFormat } from './config.js';
import { openCsv } from './csv-header.js';
import { openDatabase, queryRows } from './database.js';
import { detectTypes } from './detect-types.js';
import type { SourceFile } from './list-files.js';
import { firstCsvRows } from './read-csv.js';
import { cutLines, objects } from './read-ndjson.js';
import { parquetColumns } from './read-parquet.js';
import type { Piece } from './segment-files.js';
import { kindOf } from './stream-name.js';
import { readConversion, writeConversion } from './types.js';

export interface FileColumn {
  readonly name: string;
  /** A DuckDB type. */
  readonly type: string;
}

/** Types are told by the first rows of some files, spread over all of them; a later value of another type fails by name. */
const sampledFiles = 16;
const sampledBytes = 1 << 20;

/** The columns of all files together, by name: those of the first file, then what others have beside them. */
export async function describeFiles(files: readonly SourceFile[], config: FileConfig): Promise<FileColumn[]> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'tributary-sample-')));
  const connection = await openDatabase([folder, ...new Set(files.map(({ path }) => dirname(path)))], null);
  try {
    const format = formatOf(files, config);
    if (format === 'parquet') return await ofParquet(files, connection);
    return format === 'csv' ? await ofCsv(files, config, connection, folder) : await ofNdjson(files, connection, folder);
  } finally {
    connection.closeSync();
    await rm(folder, { recursive: true, force: true });
  }
}

/** @throws PlatformError BAD_USER_INPUT when it cannot be told, or files of several formats are named together */
export function formatOf(files: readonly SourceFile[], config: FileConfig): FileFormat {
  const formats = new Set(files.map(({ name }) => kindOf(name, config).format));
  const [format = 'csv', ...others] = formats;
  if (others.length === 0) return format;
  throw new PlatformError('BAD_USER_INPUT', `The stream names files of several formats (${[...formats].join(', ')}). Name those of one only, as orders/*.csv.`);
}

export function toStreamColumns(columns: readonly FileColumn[]): StreamColumn[] {
  return columns.map(({ name, type }, index) => ({
    name,
    type,
    nullable: true,
    ordinal: index + 1,
    read: readConversion(type),
    writable: true,
    optional: true,
  }));
}

async function ofCsv(files: readonly SourceFile[], { csv }: FileConfig, connection: DuckDBConnection, folder: string): Promise<FileColumn[]> {
  const names = new Map<string, string>();
  for (const file of files) {
    const opened = await openCsv(file, kindOf(file.name, { format: 'csv' }).compression, csv);
    await opened.close();
    for (const name of opened.names) if (!names.has(name.toLowerCase())) names.set(name.toLowerCase(), name);
  }
  const columns = [...names.values()];
  if (csv.types === 'text') return columns.map((name) => ({ name, type: 'VARCHAR' }));
  const segments: Segment[] = [];
  const { signal } = new AbortController();
  for (const file of spread(files)) {
    const segment = await firstCsvRows({ files: [file], csv, columns, folder, limits: { segmentBytes: sampledBytes }, signal });
    if (segment) segments.push(segment);
  }
  const types = await detectTypes(connection, segments, columns, 'texts');
  return columns.map((name) => ({ name, type: types.get(name) ?? 'VARCHAR' }));
}

async function ofParquet(files: readonly SourceFile[], connection: DuckDBConnection): Promise<FileColumn[]> {
  const columns = new Map<string, FileColumn>();
  for (const file of files) {
    for (const { column_name: name, column_type: found } of await parquetColumns(connection, file)) {
      const type = writeConversion(found) ? found : 'JSON';
      const known = columns.get(name.toLowerCase());
      if (!known) columns.set(name.toLowerCase(), { name, type });
      else if (known.type !== type)
        throw new PlatformError(
          'SOURCE_MALFORMED',
          `Column "${name}" is ${known.type} in ${files[0]?.name} and ${type} in ${file.name}. Read them as two streams and cast.`,
        );
    }
  }
  return [...columns.values()];
}

const jsonTypes: Readonly<Record<string, string>> = {
  UBIGINT: 'BIGINT',
  BIGINT: 'BIGINT',
  HUGEINT: 'HUGEINT',
  DOUBLE: 'DOUBLE',
  BOOLEAN: 'BOOLEAN',
  VARCHAR: 'VARCHAR',
  NULL: 'VARCHAR',
};

async function ofNdjson(files: readonly SourceFile[], connection: DuckDBConnection, folder: string): Promise<FileColumn[]> {
  const pieces: Piece[] = [];
  for (const file of spread(files)) {
    for await (const { piece } of cutLines(file, folder, { segmentBytes: sampledBytes })) {
      pieces.push(piece);
      break;
    }
  }
  if (pieces.length === 0) return [];
  const rows = `SELECT json FROM (${pieces.map((piece) => `SELECT json FROM ${objects(piece)}`).join(' UNION ALL ')}) WHERE json IS NOT NULL`;
  const [found] = await queryRows<{ structure: string | null }>(connection, `SELECT CAST(json_group_structure(json) AS VARCHAR) AS structure FROM (${rows})`);
  const structure = JSON.parse(found?.structure ?? '{}') as unknown;
  if (typeof structure !== 'object' || structure === null || Array.isArray(structure)) return [];
  return Object.entries(structure).map(([name, type]: [string, unknown]) => ({ name, type: typeof type === 'string' ? (jsonTypes[type] ?? 'JSON') : 'JSON' }));
}

/** The first, the last, and some between. */
function spread(files: readonly SourceFile[]): SourceFile[] {
  if (files.length <= sampledFiles) return [...files];
  return Array.from({ length: sampledFiles }, (_, index) => files[Math.round((index * (files.length - 1)) / (sampledFiles - 1))] as SourceFile);
}
