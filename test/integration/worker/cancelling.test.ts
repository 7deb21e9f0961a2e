import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { eventually } from '../../support/eventually.js';
import { childrenOf } from '../../support/processes.js';
import { openWorkBench, runProcesses, type WorkBench } from './work-bench.js';

let bench: WorkBench;
let holder: Client;

/** From the call that cancels to ABORT, in milliseconds. */
const visibleWithinMs = 2_000;

beforeAll(async () => {
  bench = await openWorkBench();
  await bench.database.query(
    'CREATE TABLE orders AS SELECT n AS id, n::text AS note FROM generate_series(1, 1000) n; CREATE TABLE target (id integer, note text)',
  );
  await bench.database.query(
    "CREATE VIEW slow AS SELECT n AS id, (SELECT 'x' FROM pg_sleep(CASE WHEN n > 0 THEN 0.01 END)) AS note FROM generate_series(1, 100000) n",
  );
  await bench.database.query(
    "CREATE TABLE deciding (id integer, note text); CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(600); RETURN NEW; END'",
  );
  await bench.database.query('CREATE TRIGGER wait BEFORE INSERT ON deciding FOR EACH STATEMENT EXECUTE FUNCTION wait()');
  holder = new Client({ connectionString: bench.database.url });
  await holder.connect();
  await bench.worker().start();
}, 300_000);
afterAll(async () => {
  await holder?.end();
  await bench?.close();
});

const document = (input: string, output: string, columns = '{id: id, note: note}', more = '') =>
  `inputs: {rows: {connection: $db, stream: public.${input}}}, steps: [{id: shaped, map: {from: rows, columns: ${columns}}}],
   outputs: [{from: shaped, connection: $db, stream: public.${output}, load: {mode: append}}]${more}`;

/** Sessions of runs of which the server says so. */
async function sessions(condition: string): Promise<number> {
  const text = `SELECT count(*)::int AS found FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'tributary%' AND ${condition}`;
  return (await bench.database.query<{ found: number }>(text))[0]?.found ?? 0;
}

const eventuallySession = (what: string, condition: string) => eventually(what, async () => (await sessions(condition)) > 0);

async function cancelled(id: string): Promise<void> {
  const askedAtMs = performance.now();
  await bench.runs.cancel(id);
  expect(await bench.ended(id)).toMatchObject({ state: 'ABORT', error: { code: 'RUN_CANCELLED' } });
  expect(performance.now() - askedAtMs).toBeLessThan(visibleWithinMs);
  expect(await runProcesses()).toEqual([]);
  await eventually('its sessions are gone', async () => (await sessions('true')) === 0, 5_000);
}

describe('a run that is cancelled is ABORT within two seconds, and nothing of it is left at the servers', () => {
  it.each(['orders', 'target'])('while PostgreSQL waits for a lock of %s', async (locked) => {
    await holder.query(`BEGIN; LOCK TABLE ${locked} IN ACCESS EXCLUSIVE MODE`);
    const id = await bench.queue(`waits_for_${locked}`, document('orders', 'target'));
    await eventuallySession('it waits', "wait_event_type = 'Lock'");
    await cancelled(id);
    await holder.query('ROLLBACK');
  });

  it('while a COPY runs at the source', async () => {
    const id = await bench.queue('copies', document('slow', 'target'));
    await eventuallySession('it reads', "query LIKE 'COPY%' AND state = 'active'");
    await cancelled(id);
  });

  it('while the destination computes the merge', async () => {
    const id = await bench.queue('merges', document('orders', 'deciding'));
    await eventuallySession('it merges', "wait_event = 'PgSleep'");
    await cancelled(id);
    expect(await bench.database.query('SELECT count(*)::int AS rows FROM deciding')).toEqual([{ rows: 0 }]);
  });

  it('while DuckDB computes', async () => {
    const columns = '{id: id, note: "CAST(list_sum(list_transform(range(30000000), lambda x: x * id)) AS VARCHAR)"}';
    const id = await bench.queue('computes', document('orders', 'target', columns, ', limits: {memory: 4GiB}'));
    await eventually('it runs', async () => (await bench.runs.get(id))?.state === 'RUNNING');
    await eventually('it computes', async () => (await childrenOf(process.pid)).some(({ cpuSeconds }) => cpuSeconds >= 2));
    await cancelled(id);
  });

  it('while dead letters wait for a MongoDB that does not answer', async () => {
    const store = bench.letters.store.bind(bench.letters);
    let stored = 0;
    bench.letters.store = () => {
      stored += 1;
      return new Promise(() => undefined);
    };
    const id = await bench.queue(
      'rejects',
      `inputs: {rows: {connection: $db, stream: public.orders}}, steps: [{id: typed, cast: {from: rows, columns: {note: DATE}, onError: reject}}],
       outputs: [{from: typed, connection: $db, stream: public.dates, load: {mode: append}}]`,
    );
    await eventually('letters are stored', async () => stored > 0);
    await cancelled(id);
    bench.letters.store = store;
  });

  describe('while a server', () => {
    let silent: Server;
    const sockets = new Set<Socket>();
    let answers = true;

    beforeAll(async () => {
      const { host, port } = bench.database;
      silent = createServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => undefined);
        if (!answers) return;
        const server = new (socket.constructor as typeof Socket)();
        server.on('error', () => undefined).connect(port, host);
        socket.pipe(server).pipe(socket);
      });
      silent.listen(0, '127.0.0.1');
      await once(silent, 'listening');
    });
    afterAll(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });

    it('accepts the connection and never answers', async () => {
      const connection = `${bench.database.name}_silent`;
      await bench.connect(connection, { port: (silent.address() as { port: number }).port });
      await bench.save('hangs', document('orders', 'target').replaceAll('connection: $db', `connection: ${connection}`));
      answers = false;
      sockets.clear();
      const id = await bench.start('hangs');
      await eventually('it connects', async () => sockets.size > 0);
      await cancelled(id);
    });
  });
});
