import { type ChildProcess, fork } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connect as connectTls } from 'node:tls';
import { z } from 'zod';
import { projectRoot } from '../../src/lib/project-root.js';
import { programAt } from './mongod-program.js';
import type { Missing, MongodProgram } from './mongodb-ladder.js';
import { plainEnvironment } from './supervised-process.js';

export interface DownloadRequest {
  /** null: the one that the library chooses. */
  readonly version: string | null;
  readonly cache: string;
  readonly log: (text: string) => void;
  readonly signal: AbortSignal;
}

const answerSchema = z.union([z.object({ path: z.string().nullable() }), z.object({ problem: z.string() })]);
type Answer = z.infer<typeof answerSchema>;

const entry = join(projectRoot, 'dist', 'infrastructure', 'local', 'mongod-download-process.js');
const reachedWithinMs = 3_000;
const publicMirror = 'https://fastdl.mongodb.org';
const proxyNames = ['https_proxy', 'http_proxy', 'HTTPS_PROXY', 'HTTP_PROXY'];

/** A real mongod in the cache folder: found there, or downloaded when its host answers within 3 s. Its MONGOMS_… variables hold, e.g. for a mirror. */
export async function downloadedMongod(request: DownloadRequest): Promise<MongodProgram | Missing> {
  const folder = join(request.cache, 'mongod');
  mkdirSync(folder, { recursive: true });
  const kept = await ask('locate', folder, request);
  if ('path' in kept && kept.path !== null) return await programAt(kept.path);
  const host = downloadHost(process.env);
  const unreached = await reach(host, request.signal);
  if (unreached !== null) return { missing: `none could be downloaded, since ${host.name} did not answer (${unreached})` };
  request.log(`mongod is downloaded from ${host.name}, once; this may take a few minutes`);
  const got = await ask('download', folder, request);
  if ('problem' in got) return { missing: `none could be downloaded from ${host.name} (${got.problem})` };
  return got.path === null ? { missing: `none could be downloaded from ${host.name}` } : await programAt(got.path);
}

/**
 * The library runs in a process of its own: it prints to the console and can only be stopped with its process.
 * Certificates are checked, which it leaves out unless it is told otherwise.
 */
async function ask(mode: 'locate' | 'download', folder: string, { version, log, signal }: DownloadRequest): Promise<Answer> {
  signal.throwIfAborted();
  const child = fork(entry, [mode, version ?? ''], {
    env: { ...libraryEnvironment(process.env), MONGOMS_DOWNLOAD_DIR: folder, npm_config_strict_ssl: 'true' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [],
    cwd: folder,
    signal,
  });
  relayProgress(child, log);
  return new Promise((resolve, reject) => {
    let answer: Answer = { problem: 'the process that downloads it ended without an answer' };
    child.on('message', (message) => {
      answer = answerSchema.parse(message);
    });
    child.once('error', reject);
    child.once('close', () => (signal.aborted ? reject(signal.reason) : resolve(answer)));
  });
}

function libraryEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const passed = Object.entries(environment).filter(([name]) => name.startsWith('MONGOMS_') || proxyNames.includes(name) || name === 'NODE_EXTRA_CA_CERTS');
  return { ...plainEnvironment(), ...Object.fromEntries(passed) };
}

/** One line for every tenth. */
function relayProgress({ stdout, stderr }: ChildProcess, log: (text: string) => void): void {
  stderr?.resume();
  if (stdout === null) return;
  let told = 0;
  createInterface({ input: stdout }).on('line', (line) => {
    const [, percent, size] = /: ([\d.]+)% \(.* \/ ([\d.]+)mb\)/.exec(line) ?? [];
    const tenth = Math.floor(Number(percent ?? 0) / 10);
    if (tenth <= told) return;
    told = tenth;
    log(`${tenth * 10} % of ${size} MB`);
  });
}

interface Host {
  readonly name: string;
  readonly port: number;
  readonly tls: boolean;
}

/** What must answer before the library is asked: the mirror, or the proxy in front of it. */
function downloadHost(environment: NodeJS.ProcessEnv): Host {
  const proxy = proxyNames.map((name) => environment[name] ?? '').find((value) => value !== '');
  const url = new URL(proxy ?? (environment['MONGOMS_DOWNLOAD_URL'] || environment['MONGOMS_DOWNLOAD_MIRROR'] || publicMirror));
  const tls = url.protocol === 'https:';
  return { name: url.hostname, port: Number(url.port || (tls ? 443 : 80)), tls };
}

/** @returns null when it answered, else why not */
function reach({ name, port, tls }: Host, signal: AbortSignal): Promise<string | null> {
  return new Promise((resolve) => {
    const socket: Socket = tls ? connectTls({ host: name, port, servername: name }) : connectTcp({ host: name, port });
    const settle = (reason: string | null): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(reason);
    };
    const timer = setTimeout(() => settle(`nothing within ${reachedWithinMs / 1_000} s`), reachedWithinMs);
    socket.once(tls ? 'secureConnect' : 'connect', () => settle(null));
    socket.on('error', (error: NodeJS.ErrnoException) => settle(error.code ?? error.message));
    signal.addEventListener('abort', () => settle('stopped'), { once: true });
  });
}
