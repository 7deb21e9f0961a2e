import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { createFileConnector } from '../../../../src/connectors/file/connector.js';
import type { CommittedLoad, Load, LoadRequest, Session } from '../../../../src/model/connector.js';
import type { Segment } from '../../../../src/model/segment.js';
import { formatCsv, parseCsv, type TextRow } from '../../pipeline/csv.js';

export const never = new AbortController().signal;

/** A folder that is the only allowed root, with the connection's folder `data` in it, and one for segments. */
export interface TestFolder {
  readonly root: string;
  readonly data: string;
  readonly work: string;
  write(name: string, content: string | Buffer): Promise<string>;
  text(name: string): Promise<string>;
  session(config?: Readonly<Record<string, unknown>>): Session;
  remove(): Promise<void>;
}

export async function makeFolder(): Promise<TestFolder> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'tributary-files-')));
  const [data, work] = [join(root, 'data'), join(root, 'work')];
  await mkdir(data);
  await mkdir(work);
  return {
    root,
    data,
    work,
    write: async (name, content) => {
      const path = join(data, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
      return path;
    },
    text: (name) => readFile(join(data, name), 'utf8'),
    session: (config = {}) => createFileConnector(() => [root]).open({ folder: data, ...config }, 'file'),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

export interface ReadRows {
  readonly segments: readonly Segment[];
  /** Positions are looked at and left out. */
  readonly rows: (string | null)[][];
}

/** Everything of a stream, as texts. */
export async function readRows(folder: TestFolder, session: Session, stream: string, columns: readonly string[], segmentBytes = 1 << 20): Promise<ReadRows> {
  const reading = await session.openReading(never);
  const segments: Segment[] = [];
  const rows: (string | null)[][] = [];
  try {
    for await (const segment of reading.read({ stream, columns, window: null, keys: null, folder: folder.work, limits: { segmentBytes } })) {
      const found = await textsOf(segment, rows.length);
      if (found.length !== segment.rows) throw new Error(`The segment says ${segment.rows} rows and has ${found.length}.`);
      rows.push(...found);
      segments.push(segment);
      await rm(segment.path);
    }
  } finally {
    await reading.close();
  }
  return { segments, rows };
}

const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
const connection = await instance.connect();

export async function query(sql: string): Promise<Record<string, unknown>[]> {
  return (await connection.runAndReadAll(sql)).getRowObjectsJson();
}

async function textsOf({ path, columns, scan }: Segment, before: number): Promise<(string | null)[][]> {
  if (scan) {
    if (scan.firstPosition !== before + 1) throw new Error(`The segment begins at ${scan.firstPosition} and not at ${before + 1}.`);
    const reader = await connection.runAndReadAll(`SELECT * FROM ${scan.sql}`);
    return reader.getRows() as (string | null)[][];
  }
  const rows = parseCsv(await readFile(path, 'utf8'));
  for (const [index, row] of rows.entries())
    if (row[0] !== String(before + index + 1)) throw new Error(`Row ${before + index + 1} has the position ${row[0]}.`);
  return rows.map((row) => row.slice(1, columns.length + 1));
}

let loads = 0;

export function loadRequest(session: Session, stream: string, columns: Readonly<Record<string, string>>, given: Partial<LoadRequest> = {}): LoadRequest {
  loads += 1;
  return {
    identity: { loadId: `run-${loads}/0/1`, pipelineId: 'job_1', runId: `run-${loads}`, attempt: 1, epoch: 1 },
    stream,
    dataset: session.datasetOf(stream),
    slots: [{ input: 'source', expectedVersion: null, state: null }],
    columns: Object.entries(columns).map(([name, type]) => ({ name, type })),
    mode: 'overwrite',
    key: [],
    orderBy: null,
    minRatio: 0,
    ...given,
  };
}

/** Stages the rows as one segment. */
export async function stageRows(folder: TestFolder, load: Load, request: LoadRequest, rows: readonly TextRow[]): Promise<void> {
  loads += 1;
  const path = join(folder.work, `segment-${loads}.csv`);
  const text = formatCsv(rows.map((row, index) => [String(index + 1), ...row]));
  await writeFile(path, text);
  await load.stage({ path, columns: request.columns.map(({ name }) => name), rows: rows.length, sizeBytes: Buffer.byteLength(text), widestRowBytes: 0 }, never);
}

export async function loadRows(folder: TestFolder, session: Session, request: LoadRequest, rows: readonly TextRow[]): Promise<CommittedLoad> {
  const load = await session.load(request, never);
  await stageRows(folder, load, request, rows);
  return load.commit(never);
}
