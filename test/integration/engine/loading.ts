import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgresConnector } from '../../../src/connectors/postgres/connector.js';
import type { CommittedLoad, Load, LoadRequest, RefusedRow, Session } from '../../../src/model/connector.js';
import type { TestDatabase } from '../../support/postgres.js';
import { formatCsv, type TextRow } from '../../unit/pipeline/csv.js';

export interface LoadOptions {
  readonly stream?: string;
  readonly columns?: Readonly<Record<string, string>>;
  readonly key?: readonly string[];
  readonly orderBy?: string | null;
  readonly loadId?: string;
  readonly attempt?: number;
  readonly epoch?: number;
  readonly inputs?: readonly string[];
  readonly slots?: LoadRequest['slots'];
  readonly mode?: LoadRequest['mode'];
  readonly minRatio?: number;
}

export const never = new AbortController().signal;

export function openSession({ host, port, name, user, password }: Pick<TestDatabase, 'host' | 'port' | 'name' | 'user' | 'password'>): Session {
  return postgresConnector.open({ host, port, database: name, user, password }, `postgres://localhost:${port}`);
}

let loads = 0;

/** Without a key an append, with one an upsert. Another load id and epoch 1 unless they are given. */
export function loadRequest(session: Session, options: LoadOptions = {}): LoadRequest {
  const { stream = 'public.target', columns = { id: 'integer', v: 'text' }, key = [], orderBy = null } = options;
  loads += 1;
  return {
    identity: {
      loadId: options.loadId ?? `run-${loads}/0/1`,
      pipelineId: 'job_1',
      runId: `run-${loads}`,
      attempt: options.attempt ?? 1,
      epoch: options.epoch ?? 1,
    },
    stream,
    dataset: session.datasetOf(stream),
    slots: options.slots ?? (options.inputs ?? ['source']).map((input) => ({ input, expectedVersion: null, state: null })),
    columns: Object.entries(columns).map(([name, type]) => ({ name, type })),
    mode: options.mode ?? (key.length === 0 ? 'append' : 'upsert'),
    key,
    orderBy,
    minRatio: options.minRatio ?? 0,
  };
}

/** Stages the rows as one segment; positions from `first`. */
export async function stageRows(load: Load, request: LoadRequest, rows: readonly TextRow[], first = 1, signal = never): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-load-'));
  try {
    const text = formatCsv(load.unnumbered ? rows : rows.map((row, index) => [String(first + index), ...row]));
    const path = join(folder, 'segment.csv');
    await writeFile(path, text);
    await load.stage({ path, columns: request.columns.map(({ name }) => name), rows: rows.length, sizeBytes: text.length, widestRowBytes: 0 }, signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function refusedRows(load: Load, signal = never): Promise<RefusedRow[]> {
  const all: RefusedRow[] = [];
  for await (const batch of load.refused(signal)) all.push(...batch);
  return all;
}

/** Opens, stages and asks for what is refused: only `commit` is left. */
export async function staged(session: Session, rows: readonly TextRow[], options: LoadOptions = {}): Promise<{ load: Load; refused: RefusedRow[] }> {
  const request = loadRequest(session, options);
  const load = await session.load(request, never);
  await stageRows(load, request, rows);
  return { load, refused: await refusedRows(load) };
}

export async function loadRows(session: Session, rows: readonly TextRow[], options: LoadOptions = {}): Promise<CommittedLoad & { refused: RefusedRow[] }> {
  const { load, refused } = await staged(session, rows, options);
  return { ...(await load.commit(never)), refused };
}

/** Sessions of the engine that are in this database now. */
export async function engineBackends(database: TestDatabase): Promise<{ pid: number; state: string; query: string; wait_event: string | null }[]> {
  return database.query(`SELECT pid, state, query, wait_event FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'tributary%'`);
}

/** Asks until the answer is true; the condition is one that must come about. */
export async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end; ) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`Waited 20 s in vain until ${what}.`);
}

/** Stages rows that erase: the named columns, positions from `first`. */
export async function stageErased(load: Load, columns: readonly string[], rows: readonly TextRow[], first = 100): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-erase-'));
  try {
    const text = formatCsv(rows.map((row, index) => [String(first + index), ...row]));
    const path = join(folder, 'erased.csv');
    await writeFile(path, text);
    await load.stageErased({ path, columns, rows: rows.length, sizeBytes: text.length, widestRowBytes: 0 }, never);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
