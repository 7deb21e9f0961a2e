import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { projectRoot } from '../../src/lib/project-root.js';
import { servers } from './servers.js';

export interface Answer {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions: { readonly code: string } }[];
}

/** A server as `npm start` runs it, on the test servers and without the example shop: whole, or with a part of the work. */
export interface Tributary {
  /** Answers nothing when it only is a worker. */
  readonly url: string;
  readonly pid: number;
  /** Logs and run folders; the servers' own data lie elsewhere. */
  readonly stateFolder: string;
  /** Everything it has printed so far. */
  output(): string;
  /** The answer as it is, errors included. */
  send(query: string, variables?: Readonly<Record<string, unknown>>): Promise<Answer>;
  /** The data; an error in the answer fails the test. */
  ask<Data>(query: string, variables?: Readonly<Record<string, unknown>>): Promise<Data>;
  /** Waits until the run has ended and returns it. */
  finishedRun(id: string): Promise<FinishedRun>;
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Resolves with its exit status, null when a signal ended it, once it has ended. */
  readonly ended: Promise<number | null>;
  /** Another server over the same state, when this one has ended. */
  restart(): Promise<Tributary>;
  stop(): Promise<void>;
}

export interface FinishedRun {
  readonly id: string;
  readonly state: string;
  readonly attempt: number;
  readonly error: { readonly code: string; readonly message: string; readonly step: string | null } | null;
  readonly metrics: { readonly rowsRead: number; readonly rowsWritten: number; readonly rowsRejected: number };
  readonly steps: readonly { readonly step: string; readonly rowsIn: number; readonly rowsOut: number; readonly rowsRejected: number }[];
}

const startWithinMs = 60_000;
const runWithinMs = 60_000;
const runQuery = `query ($id: ID!) { run(id: $id) { id state attempt error { code message step } metrics { rowsRead rowsWritten rowsRejected }
  steps { step rowsIn rowsOut rowsRejected } } }`;

export interface StartOptions {
  readonly only?: 'api' | 'worker';
  /** Shared with other processes, whose test removes it. Default: one of its own, removed by `stop`. */
  readonly stateFolder?: string;
}

/** @param variables  of its environment, e.g. TRIBUTARY_SECRET_…; an empty one counts as absent */
export async function startTributary(variables: Readonly<Record<string, string>>, options: StartOptions = {}): Promise<Tributary> {
  const stateFolder = options.stateFolder ?? (await makeStateFolder());
  return start({ ...variables, TRIBUTARY_STATE: stateFolder }, { ...options, stateFolder, keeps: options.stateFolder !== undefined });
}

export function makeStateFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'tributary-e2e-'));
}

/** Starts the program and waits for its end, which is expected at once. */
export async function startInVain(
  variables: Readonly<Record<string, string>>,
  programArguments: readonly string[] = [],
): Promise<{ readonly status: number | null; readonly output: string }> {
  const { child, ended, printed } = spawnTributary(variables, programArguments, await freePort());
  const timer = setTimeout(() => child.kill('SIGKILL'), startWithinMs);
  const status = await ended;
  clearTimeout(timer);
  return { status, output: printed() };
}

function spawnTributary(variables: Readonly<Record<string, string>>, programArguments: readonly string[], port: number) {
  const child = spawn(process.execPath, [join(projectRoot, 'dist', 'src', 'start.js'), ...programArguments], {
    env: environment(variables, port),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const ended = once(child, 'close').then(([status]) => status as number | null);
  return { child, ended, printed: () => printed };
}

async function start(variables: Readonly<Record<string, string>>, options: StartOptions & { stateFolder: string; keeps: boolean }): Promise<Tributary> {
  const { only, stateFolder, keeps } = options;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const { child, ended, printed } = spawnTributary(variables, only === undefined ? [] : ['--only', only], port);
  await ready(child, printed, async () => (only === 'worker' ? printed().includes('Ready.') : await answers(`${url}/readyz`)));
  const send = async (query: string, values: Readonly<Record<string, unknown>> = {}): Promise<Answer> => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables: values }),
    });
    return (await response.json()) as Answer;
  };
  const ask = async <Data>(query: string, values: Readonly<Record<string, unknown>> = {}): Promise<Data> => {
    const answer = await send(query, values);
    if (answer.errors) throw new Error(answer.errors.map(({ message, extensions }) => `${extensions.code}: ${message}`).join('\n'));
    return answer.data as Data;
  };
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await ended;
  };
  return {
    url,
    pid: child.pid ?? 0,
    stateFolder,
    output: printed,
    ended,
    send,
    ask,
    finishedRun: (id) => finishedRun(ask, id),
    kill,
    restart: () => start(variables, options),
    stop: async () => {
      await kill('SIGTERM');
      if (!keeps) await rm(stateFolder, { recursive: true, force: true });
    },
  };
}

function environment(variables: Readonly<Record<string, string>>, port: number): NodeJS.ProcessEnv {
  const { neo4j, mongodb, postgres } = servers;
  return {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    NEO4J_URI: neo4j.uri,
    NEO4J_USER: neo4j.user,
    NEO4J_PASSWORD: neo4j.password,
    MONGODB_URI: mongodb.uri,
    TRIBUTARY_EXAMPLE_POSTGRES_URL: postgres.url,
    TRIBUTARY_EXAMPLE: 'no',
    PORT: String(port),
    ...variables,
  };
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url).catch(() => null);
  return response?.ok === true;
}

async function ready(child: ChildProcess, printed: () => string, isReady: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + startWithinMs;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`The server ended with status ${child.exitCode}:\n${printed()}`);
    if (await isReady()) return;
    await wait(100);
  }
  child.kill('SIGKILL');
  throw new Error(`The server was not ready within ${startWithinMs / 1000} s:\n${printed()}`);
}

async function finishedRun(ask: Tributary['ask'], id: string): Promise<FinishedRun> {
  const deadline = performance.now() + runWithinMs;
  for (;;) {
    const { run } = await ask<{ run: FinishedRun }>(runQuery, { id });
    if (!['QUEUED', 'RUNNING'].includes(run.state)) return run;
    if (performance.now() > deadline) throw new Error(`Run ${id} is still ${run.state}.`);
    await wait(100);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('No port was given.');
  return address.port;
}
