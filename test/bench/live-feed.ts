import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import type { Parts } from '../../infrastructure/local/parts.js';
import { eventually } from '../support/eventually.js';
import { type SeenEvent, subscribe, subscriptionQuery } from '../support/feed-client.js';
import { type ApiFigures, startApiProcess } from '../support/live-processes.js';
import { startTributary, type Tributary } from '../support/tributary.js';
import { makeDatabase, query } from './database.js';
import { percentile } from './results.js';

const runsOfRound = 10;
/** Until the servers' Java code is compiled: medians fall so long. */
const warmUpRounds = 3;
const subscribers = 1_000;
const mostLatencyMs = 60;
const mostStartMs = 150;
const mostKibibytes = 64;

interface Latencies {
  /** From a change of state, by the graph's clock, to a subscriber's socket. */
  readonly changes: number[];
  /** From the request to the graph's RUNNING. */
  readonly starts: number[];
}

/** A whole server on the embedded parts: changes of state seen by a subscriber, the way from `startRun` to RUNNING, and 1,000 subscribers of an API process. */
export async function liveFeed(
  parts: Parts<'neo4j' | 'mongodb' | 'postgres'>,
  rounds: number,
  log: (line: string) => void,
): Promise<{ text: string; withinLimits: boolean }> {
  useServers(parts);
  const { changes, starts } = await measureRuns(new URL(parts.postgres.url), rounds, log);
  const kibibytes = await measureMemory(parts.mongodb.uri, log);
  const [change, start] = [changes, starts].map((values) => [0.5, 0.95].map((share) => percentile(values, share)));
  const withinLimits = (change?.[1] ?? 0) <= mostLatencyMs && (start?.[1] ?? 0) <= mostStartMs && kibibytes <= mostKibibytes;
  const show = (values: readonly number[] | undefined): string => (values ?? []).map((value) => value.toFixed(0)).join(' / ');
  const text = [
    `Live feed on the embedded parts, ${changes.length} changes of ${starts.length} runs behind a warm-up of ${warmUpRounds * runsOfRound}; ${subscribers.toLocaleString('en')} subscribers, each on its own connection:`,
    '',
    '| figure | value | limit |',
    '|---|---|---|',
    `| change → subscriber, ms, p50 / p95 | ${show(change)} | p95 ${mostLatencyMs} |`,
    `| \`startRun\` → RUNNING, ms, p50 / p95 | ${show(start)} | p95 ${mostStartMs} |`,
    `| memory of the API per subscriber, KiB | ${kibibytes.toFixed(1)} | ${mostKibibytes} |`,
  ].join('\n');
  return { text, withinLimits };
}

/** The supports of the tests name servers by these variables. */
function useServers({ neo4j, mongodb, postgres }: Parts<'neo4j' | 'mongodb' | 'postgres'>): void {
  Object.assign(process.env, {
    TEST_NEO4J_URI: neo4j.uri,
    TEST_NEO4J_USER: neo4j.user,
    TEST_NEO4J_PASSWORD: neo4j.password,
    TEST_MONGODB_URI: mongodb.uri,
    TEST_POSTGRES_URL: postgres.url,
  });
}

async function measureRuns(server: URL, rounds: number, log: (line: string) => void): Promise<Latencies> {
  const database = await makeDatabase(server, 'bench_live');
  await query(database, 'CREATE TABLE orders AS SELECT i AS id FROM generate_series(1, 1000) AS i');
  const tributary = await startTributary({ TRIBUTARY_SECRET_BENCH: decodeURIComponent(database.password) });
  const all: Latencies = { changes: [], starts: [] };
  try {
    await savePipeline(tributary, database);
    for (let round = 1 - warmUpRounds; round <= rounds; round += 1) {
      const { changes, starts } = await runRound(tributary);
      log(
        `${round <= 0 ? 'warm-up' : `round ${round}`}: change ${percentile(changes, 0.5).toFixed(0)} ms, start ${percentile(starts, 0.5).toFixed(0)} ms (medians)`,
      );
      if (round > 0) all.changes.push(...changes);
      if (round > 0) all.starts.push(...starts);
    }
  } finally {
    await tributary.stop();
  }
  return all;
}

async function savePipeline(tributary: Tributary, database: URL): Promise<void> {
  const config = {
    host: database.hostname,
    port: Number(database.port),
    database: 'bench_live',
    user: decodeURIComponent(database.username),
    password: '${env:TRIBUTARY_SECRET_BENCH}',
  };
  await tributary.ask('mutation ($config: JSON!) { createConnection(name: "bench", kind: "postgres", config: $config) { id } }', { config });
  const spec = `{version: 1, name: live, namespace: bench, inputs: {orders: {connection: bench, stream: public.orders}},
    outputs: [{from: orders, connection: bench, stream: mart.orders, load: {mode: overwrite}}]}`;
  await tributary.ask('mutation ($spec: JSON!) { savePipeline(spec: $spec) { ... on Pipeline { id } ... on Problem { message } } }', { spec });
}

async function runRound(tributary: Tributary): Promise<Latencies> {
  const latencies: Latencies = { changes: [], starts: [] };
  let running = (_event: SeenEvent): void => undefined;
  let ended = (_event: SeenEvent): void => undefined;
  const onEvent = (event: SeenEvent): void => {
    if (event.kind !== 'state') return;
    latencies.changes.push(Date.now() - Date.parse(String(event['at'])));
    if (event.state === 'RUNNING') running(event);
    if (event.state === 'COMPLETE' || event.state === 'FAIL') ended(event);
  };
  const job = { namespace: 'bench', name: 'live' };
  const subscriber = subscribe(tributary.url, { job }, { query: subscriptionQuery('cursor seq at kind state message'), onEvent });
  await eventually('the server has the subscription', async () => subscriber.socket()?.readyState === WebSocket.OPEN);
  for (let run = 0; run < runsOfRound; run += 1) {
    const done = new Promise<SeenEvent>((resolve) => {
      ended = resolve;
    });
    const askedAtMs = Date.now();
    running = (event) => latencies.starts.push(Date.parse(String(event['at'])) - askedAtMs);
    await tributary.ask('mutation { startRun(pipeline: {namespace: "bench", name: "live"}) { ... on Run { id } ... on Problem { message } } }');
    const { state, message } = await done;
    if (state !== 'COMPLETE') throw new Error(`A run of the bench ended ${state}: ${message}`);
  }
  await subscriber.close();
  return latencies;
}

async function measureMemory(mongodbUri: string, log: (line: string) => void): Promise<number> {
  const api = await startApiProcess(`${mongodbUri}/bench_live`);
  const address = `${api.url.replace('http', 'ws').replace('localhost', '127.0.0.1')}/graphql`;
  const memory = ({ rssBytes }: ApiFigures): number => rssBytes;
  const open = async (count: number) => {
    const clients = Array.from({ length: count }, () => createClient({ url: address, webSocketImpl: WebSocket, retryAttempts: 0 }));
    const sink = { next: () => undefined, error: () => undefined, complete: () => undefined };
    for (const client of clients) client.subscribe({ query: subscriptionQuery() }, sink);
    await eventually('all wait', async () => (await api.figures()).waiting === count);
    return async () => {
      for (const client of clients) await client.dispose();
      await eventually('none waits', async () => (await api.figures()).waiting === 0);
    };
  };
  // Code is compiled and the heap has its size before anything is measured.
  await (await open(subscribers / 10))();
  const before = memory(await api.figures());
  const close = await open(subscribers);
  const after = memory(await api.figures());
  await close();
  await api.stop();
  log(`API process: ${(before / 2 ** 20).toFixed(0)} MiB without subscribers, ${(after / 2 ** 20).toFixed(0)} MiB with ${subscribers}`);
  return (after - before) / subscribers / 1024;
}
