import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { type Parts, startParts } from '../../../infrastructure/local/parts.js';
import type { Worker } from '../../../src/worker/worker.js';
import { eventually } from '../../support/eventually.js';
import { openWorkBench, type WorkBench } from './work-bench.js';

let bench: WorkBench;

beforeAll(async () => {
  bench = await openWorkBench();
  await bench.database.query("CREATE TABLE orders AS SELECT n AS id, repeat('x', 200) AS note FROM generate_series(1, 200000) n");
}, 300_000);
afterAll(() => bench?.close());

const upsertInto = (connection: string, more = '') =>
  `inputs: {orders: {connection: $db, stream: public.orders}}, steps: [{id: few, filter: {from: orders, where: "id <= 1000"}}],
   outputs: [{from: few, connection: ${connection}, stream: public.target, load: {mode: upsert, key: [id]}}]${more}`;

describe('a destination whose server is killed in the middle of a load', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-dying-'));
  let parts: Parts<'postgres'>;
  let connection: string;
  let worker: Worker;

  const start = async (): Promise<void> => {
    parts = await startParts({ stateFolder: folder, only: ['postgres'], log: () => undefined, onEnd: () => undefined });
  };
  const ask = async (sql: string): Promise<unknown[]> => {
    const client = new Client({ connectionString: parts.postgres.url });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  };

  /** Kills it while a load waits for the table behind its COMMIT's announcement, and starts it again. */
  async function dieInTheMiddle(): Promise<void> {
    const holder = new Client({ connectionString: parts.postgres.url });
    holder.on('error', () => undefined);
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('LOCK TABLE target IN ACCESS EXCLUSIVE MODE');
    const waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE 'tributary%/0/%'";
    await eventually('the load waits', async () => (await ask(waiting)).length > 0);
    const { postgres } = JSON.parse(readFileSync(join(folder, 'parts.json'), 'utf8')) as { postgres: { folder: string } };
    process.kill(Number(readFileSync(join(postgres.folder, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGKILL');
    await holder.end().catch(() => undefined);
    await parts.stop().catch(() => undefined);
    await start();
  }

  beforeAll(async () => {
    await start();
    await ask("CREATE TABLE target (id integer PRIMARY KEY, note text); INSERT INTO target VALUES (0, 'before')");
    const url = new URL(parts.postgres.url);
    connection = `${bench.database.name}_dying`;
    bench.secrets.set('TRIBUTARY_SECRET_DYING', decodeURIComponent(url.password));
    const secret = ['$', '{env:TRIBUTARY_SECRET_DYING}'].join('');
    await bench.connect(connection, { host: url.hostname, port: Number(url.port), database: url.pathname.slice(1), user: url.username, password: secret });
    worker = bench.worker();
    await worker.start();
  }, 120_000);
  afterAll(async () => {
    await worker?.stop();
    await parts?.remove();
  });

  it('is as before, and the run FAIL, when the server says after its restart that nothing was committed', async () => {
    await bench.save('dying', upsertInto(connection));
    const [id] = await Promise.all([bench.start('dying'), dieInTheMiddle()]);
    expect(await bench.ended(id)).toMatchObject({ state: 'FAIL', attempt: 1, error: { code: 'DESTINATION_FAILED', retryable: true } });
    expect(await ask('SELECT * FROM target')).toEqual([{ id: 0, note: 'before' }]);
  });

  it('is loaded by the next attempt when the document has `retry`', async () => {
    await bench.save('surviving', upsertInto(connection, ', retry: {attempts: 5, initial: PT0.5S}'));
    const [id] = await Promise.all([bench.start('surviving'), dieInTheMiddle()]);
    expect(await bench.ended(id)).toMatchObject({ state: 'COMPLETE', attempt: 2, error: null });
    expect(await ask('SELECT count(*)::int AS rows FROM target')).toEqual([{ rows: 1001 }]);
  });
});

describe('a disk that is full', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-full-'));
  const mounted = mountSmallDisk(folder);
  const onSmallDisk = mounted ? it : it.skip;
  if (!mounted) console.warn('Skipped: a run on a full disk, because this user may not mount a small one.');
  afterAll(async () => {
    if (mounted) execFileSync('umount', [folder]);
    await rm(folder, { recursive: true, force: true });
  });

  onSmallDisk('ends the run with DISK_FULL and leaves the destination as before and the folder empty', async () => {
    await bench.database.query("CREATE TABLE target (id integer PRIMARY KEY, note text); INSERT INTO target VALUES (0, 'before')");
    const worker = bench.worker({ runsFolder: folder });
    await worker.start();
    const document = `inputs: {orders: {connection: $db, stream: public.orders}},
      outputs: [{from: orders, connection: $db, stream: public.target, load: {mode: upsert, key: [id]}}]`;
    const run = await bench.ended(await bench.queue('full', document));
    expect(run).toMatchObject({ state: 'FAIL', error: { code: 'DISK_FULL' } });
    expect(await bench.database.query('SELECT * FROM target')).toEqual([{ id: 0, note: 'before' }]);
    await worker.stop();
    expect(await readdir(folder)).toEqual([]);
  });
});

/** 4 MiB; false where it needs rights that this user has not. */
function mountSmallDisk(folder: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
