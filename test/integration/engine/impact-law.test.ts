import { describe, expect, it } from '@jest/globals';
import type { Change } from '../../../src/model/impact.js';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';
import { propertyRuns } from '../../support/property-runs.js';
import { dropCases, renameCases, retypeCases, source } from '../../unit/lineage/impact/impact-cases.js';
import type { JobDocument, TableDocument } from '../../unit/lineage/impact/impact-shop.js';
import { specCases } from '../../unit/lineage/impact/spec-cases.js';
import { generatedCases, generatedChains } from './generated-impact.js';
import { failureOf, type LawCase, lawCases, runOrder, tableOf } from './law-case.js';
import { runEngine } from './run-engine.js';

const written = await lawCases([...dropCases, ...renameCases, ...retypeCases]);
const anew = await lawCases(specCases);
const seed = Number(process.env['IMPACT_SEED'] ?? 7);
const generated = await lawCases(generatedCases(seed, propertyRuns(24).numRuns));
const chains = await lawCases(generatedChains(seed, propertyRuns(10).numRuns));

describe('what is said of a change comes true when the jobs are run', () => {
  it.each([
    ['written changes', written, 29, 67],
    ['written changes with several jobs', written.filter(({ jobs }) => jobs.length > 1), 12, 16],
    ['documents saved anew', anew, 12, 12],
    ['generated changes', generated, 7, 2],
    ['generated chains', chains, 4, 2],
  ] as const)('%s say enough to be held against it', (_, cases, none, breaks) => {
    expect(count(cases, 'NONE')).toBeGreaterThanOrEqual(none);
    expect(count(cases, 'BREAKS')).toBeGreaterThanOrEqual(breaks);
  });

  it.each(written)('$name', holds, 60_000);
  it.each(anew)('$name', holds, 60_000);
  it.each(generated)('$name', holds, 60_000);
  it.each(chains)('$name', holds, 60_000);
});

function count(cases: readonly LawCase[], severity: string): number {
  return cases.flatMap(({ said }) => [...said.values()]).filter((one) => one.severity === severity).length;
}

/** NONE: the same rows as before. BREAKS: the run fails, with the code that belongs to the reason. */
async function holds({ tables = {}, jobs, after, said, change }: LawCase): Promise<void> {
  const database = await createDatabase('law');
  try {
    await makeTables(database, { ...source, ...tables }, [...jobs, ...after]);
    for (const job of runOrder(jobs)) await run(database, job, 'before');
    const same = after.filter(({ name }) => said.get(name)?.severity === 'NONE').map((job) => tableOf(job));
    const before = await contents(database, same, change);
    await startAgain(database, jobs, said, tables);
    await apply(database, change);
    for (const job of order(after, said)) {
      const { severity = 'STALE', code = null } = said.get(job.name) ?? {};
      if (severity === 'BREAKS') expect([job.name, await endOf(run(database, job, 'after'))]).toEqual([job.name, failureOf(code)]);
      else if (severity !== 'STALE') await run(database, job, 'after');
    }
    expect(await contents(database, same, change)).toEqual(before);
  } finally {
    await database.drop();
  }
}

/** A table that is gone is gone until the next run of the job that makes it: who reads it fails before that. */
function order(after: readonly JobDocument[], said: LawCase['said']): JobDocument[] {
  const isFirst = ({ name }: JobDocument): boolean => said.get(name)?.code === 'DATASET_GONE';
  const jobs = runOrder(after);
  return [...jobs.filter(isFirst), ...jobs.filter((job) => !isFirst(job))];
}

function run(database: TestDatabase, { name, ...document }: JobDocument, when: string): Promise<unknown> {
  return runEngine({ document, connections: { shop: database }, runId: `${when}-${name}`, pipelineId: `job_${name}` });
}

function endOf(running: Promise<unknown>): Promise<unknown> {
  return running.then(
    () => 'It ran.',
    (error: Error & { code?: unknown }) => error.code ?? error,
  );
}

/**
 * As if the first runs had not been: an output that was there is there again, empty. What is only written by jobs that will not run
 * stays as they left it.
 */
async function startAgain(
  database: TestDatabase,
  jobs: readonly JobDocument[],
  said: LawCase['said'],
  tables: Readonly<Record<string, TableDocument>>,
): Promise<void> {
  const runs = jobs.filter(({ name }) => !['BREAKS', 'STALE'].includes(said.get(name)?.severity ?? ''));
  const stays = jobs.filter((job) => runs.every((one) => tableOf(one) !== tableOf(job)));
  for (const table of new Set(runs.map((job) => tableOf(job)))) {
    await database.query(Object.hasOwn(tables, table) ? `TRUNCATE ${table}` : `DROP TABLE ${table}`);
  }
  if (stays.length === 0) await database.query('DROP TABLE IF EXISTS mart._tributary_state, mart._tributary_loads CASCADE');
}

async function makeTables(database: TestDatabase, tables: Readonly<Record<string, TableDocument>>, jobs: readonly JobDocument[]): Promise<void> {
  await database.query('CREATE SCHEMA IF NOT EXISTS mart');
  for (const [stream, columns] of Object.entries(tables)) {
    const items = Object.entries(columns).map(([name, type]) => `"${name}" ${type.replace('!', ' NOT NULL')}`);
    const key = keyOf(jobs.find((job) => tableOf(job) === stream));
    const unique = stream.startsWith('mart.') && key.length > 0 ? [`UNIQUE (${key.map((name) => `"${name}"`).join(', ')})`] : [];
    await database.query(`CREATE TABLE ${stream} (${[...items, ...unique].join(', ')})`);
  }
  await database.query(`INSERT INTO public.orders SELECT n, n % 3, n % 7, n * 1.25, (n * 10)::text, timestamp '2026-01-01' + n * interval '1 hour',
    timestamp '2026-02-01' + n * interval '1 minute', n % 2 = 0, ARRAY[n, NULL], n::numeric::money FROM generate_series(1, 40) n`);
  await database.query(`INSERT INTO public.orders (id, note, updated_at) VALUES (41, '0', '2026-02-03')`);
  await database.query(`INSERT INTO public.customers VALUES (0, 'Ada', 'a@x', 'DE'), (1, 'Bob', NULL, 'FR'), (2, '', 'c@x', NULL)`);
}

async function apply(database: TestDatabase, change: Change): Promise<void> {
  if (change.kind === 'pipelineSpecs') return;
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

/** Rows by table. Of a table that is changed itself, what is dropped or renamed is not compared. */
async function contents(database: TestDatabase, tables: readonly string[], change: Change): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const table of tables) {
    const columns = (await columnsOf(database, table)).filter((name) => !isChanged(change, table, name));
    const rows = await database.query<{ row: string }>(`SELECT ROW(${columns.map((name) => `"${name}"`).join(', ')})::text AS row FROM ${table}`);
    found[table] = [columns.join(', '), ...rows.map(({ row }) => row).sort()];
  }
  return found;
}

function isChanged(change: Change, table: string, name: string): boolean {
  if (change.kind !== 'dropColumn' && change.kind !== 'renameColumn') return false;
  return change.column.dataset === `shop.${table}` && (change.column.name === name || (change.kind === 'renameColumn' && change.to === name));
}

/** By name, since a table that is made anew may have them in another order. */
async function columnsOf(database: TestDatabase, table: string): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    'SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attname',
    [table],
  );
  return rows.map(({ name }) => name);
}

function keyOf(job: JobDocument | undefined): readonly string[] {
  return (job?.['outputs'] as { load: { key?: readonly string[] } }[] | undefined)?.[0]?.load.key ?? [];
}
