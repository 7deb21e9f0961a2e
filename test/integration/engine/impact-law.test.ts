import { describe, expect, it } from '@jest/globals';
import type { Change } from '../../../src/model/impact.js';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';
import { dropCases, type ImpactCase, renameCases, retypeCases, source } from '../../unit/lineage/impact/impact-cases.js';
import { openShop, report, type TableDocument } from '../../unit/lineage/impact/impact-shop.js';
import { generatedCases } from './generated-impact.js';
import { runEngine } from './run-engine.js';

const written = [...dropCases, ...renameCases, ...retypeCases].filter(({ jobs }) => jobs.length === 1);

describe('what is said of a change comes true when the job is run', () => {
  it.each(written)('$name', holds, 60_000);
  it.each(generatedCases(Number(process.env['IMPACT_SEED'] ?? 7), 60))('$name', holds, 60_000);
});

/** NONE: the same rows as before. BREAKS: the run fails. */
async function holds({ tables = {}, jobs: [job], change }: Pick<ImpactCase, 'tables' | 'jobs' | 'change'>): Promise<void> {
  if (job === undefined) throw new Error('The case has no job.');
  const shop = await openShop({ ...source, ...tables }, [job]);
  const { findings } = await report(shop, change);
  const severity = findings.find(({ kind }) => kind === 'JOB')?.severity;
  if (severity !== 'NONE' && severity !== 'BREAKS') return;
  const database = await createDatabase('law');
  try {
    await makeTables(database, { ...source, ...tables }, outputKey(job));
    const document = withoutNames(job);
    const connections = { shop: database };
    const table = (document['outputs'] as { stream: string }[])[0]?.stream ?? '';
    await runEngine({ document, connections, runId: 'before' });
    // Of the output's own table, what is dropped is not compared.
    const dropped = change.kind === 'dropColumn' && change.column.dataset === `shop.${table}` ? change.column.name : null;
    const columns = (await columnsOf(database, table)).filter((name) => name !== dropped);
    const before = await rowsOf(database, table, columns);
    await startAgain(database, table, Object.hasOwn(tables, table));
    await apply(database, change);
    const run = runEngine({ document, connections, runId: 'after' });
    if (severity === 'BREAKS') return await expect(run).rejects.toBeDefined();
    await run;
    expect(await rowsOf(database, table, columns)).toEqual(before);
  } finally {
    await database.drop();
  }
}

/** As if the first run had not been: an output that was there is there again, empty. */
async function startAgain(database: TestDatabase, table: string, stays: boolean): Promise<void> {
  const [schema] = table.split('.');
  await database.query(stays ? `TRUNCATE ${table}` : `DROP TABLE ${table}`);
  await database.query(`DROP TABLE IF EXISTS "${schema}"._tributary_state, "${schema}"._tributary_loads CASCADE`);
}

async function makeTables(database: TestDatabase, tables: Readonly<Record<string, TableDocument>>, key: readonly string[]): Promise<void> {
  await database.query('CREATE SCHEMA IF NOT EXISTS mart');
  for (const [stream, columns] of Object.entries(tables)) {
    const items = Object.entries(columns).map(([name, type]) => `"${name}" ${type.replace('!', ' NOT NULL')}`);
    const unique = stream.startsWith('mart.') && key.length > 0 ? [`UNIQUE (${key.map((name) => `"${name}"`).join(', ')})`] : [];
    await database.query(`CREATE TABLE ${stream} (${[...items, ...unique].join(', ')})`);
  }
  await database.query(`INSERT INTO public.orders SELECT n, n % 3, n % 7, n * 1.25, (n * 10)::text, timestamp '2026-01-01' + n * interval '1 hour',
    timestamp '2026-02-01' + n * interval '1 minute', n % 2 = 0, ARRAY[n, NULL], n::numeric::money FROM generate_series(1, 40) n`);
  await database.query(`INSERT INTO public.orders (id, note, updated_at) VALUES (41, '0', '2026-02-03')`);
  await database.query(`INSERT INTO public.customers VALUES (0, 'Ada', 'a@x', 'DE'), (1, 'Bob', NULL, 'FR'), (2, '', 'c@x', NULL)`);
}

async function apply(database: TestDatabase, change: Change): Promise<void> {
  if (change.kind === 'pipelineSpecs') throw new Error('Only sources change here.');
  const dataset = change.kind === 'dropDataset' ? change.dataset.name : change.column.dataset;
  const table = dataset.replace(/^shop\./, '');
  if (change.kind === 'dropDataset') await database.query(`DROP TABLE ${table}`);
  else if (change.kind === 'dropColumn') await database.query(`ALTER TABLE ${table} DROP COLUMN "${change.column.name}"`);
  else if (change.kind === 'renameColumn') await database.query(`ALTER TABLE ${table} RENAME COLUMN "${change.column.name}" TO "${change.to}"`);
  else await retype(database, table, change.column.name, change.to);
}

/** A value that PostgreSQL cannot turn into the other type becomes NULL. */
async function retype(database: TestDatabase, table: string, column: string, to: string): Promise<void> {
  const change = (using: string) => database.query(`ALTER TABLE ${table} ALTER COLUMN "${column}" TYPE ${to} USING ${using}`);
  await change(`"${column}"::${to}`).catch(() => change(`NULL::${to}`));
}

async function columnsOf(database: TestDatabase, table: string): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    'SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped',
    [table],
  );
  return rows.map(({ name }) => name);
}

async function rowsOf(database: TestDatabase, table: string, columns: readonly string[]): Promise<string[]> {
  const list = columns.map((name) => `"${name}"`).join(', ');
  const rows = await database.query<{ row: string }>(`SELECT ROW(${list})::text AS row FROM ${table}`);
  return rows.map(({ row }) => row).sort();
}

function outputKey(job: Readonly<Record<string, unknown>>): readonly string[] {
  return (job['outputs'] as { load: { key?: readonly string[] } }[])[0]?.load.key ?? [];
}

function withoutNames({ name: _, ...document }: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return document;
}
