import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../src/lib/project-root.js';
import type { RunSummary } from '../../src/model/run.js';
import type { FromRunProcess, RunRequest } from '../../src/model/run-process.js';
import { parseSpec } from '../../src/pipeline/spec/parse-spec.js';
import { describeEnd, heapMiBOfRun, RunChild, runProcessEntry } from '../../src/worker/child-process.js';

type Connection = RunRequest['connections'][string];

export interface MeasuredRun {
  readonly seconds: number;
  /** Linux's own high-water mark of the process. */
  readonly mebibytes: number;
  readonly summary: RunSummary;
}

/** Runs the document as the worker does it: in a process of its own, its start included in the time. */
export async function runDocument(document: string, connections: readonly Connection[]): Promise<MeasuredRun> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-bench-run-'));
  const named = Object.fromEntries(connections.map((connection) => [connection.name, connection]));
  const { spec } = parseSpec(document);
  // Its folder has a name of its own, and so has the run.
  const runId = folder;
  const identity = { runId, pipelineId: runId, attempt: 1, epoch: 1, startedAt: '2026-01-01T00:00:00Z' };
  const request: RunRequest = { ...identity, spec, connections: named, folder, params: {}, replay: null };
  try {
    const started = performance.now();
    const { summary, mebibytes } = await inProcess(request);
    return { seconds: (performance.now() - started) / 1000, mebibytes, summary };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function inProcess(request: RunRequest): Promise<Pick<MeasuredRun, 'summary' | 'mebibytes'>> {
  let receive = (_message: FromRunProcess): void => undefined;
  const heapMiB = heapMiBOfRun(request.spec.limits.memoryBytes);
  const child = new RunChild({ entry: runProcessEntry, heapMiB, folder: request.folder }, (message) => receive(message));
  let mebibytes = 0;
  const sampler = setInterval(() => void peakMebibytes(child.processId ?? 0).then((peak) => (mebibytes = Math.max(mebibytes, peak))), 100);
  try {
    const summary = await new Promise<RunSummary>((resolve, reject) => {
      receive = (message) => {
        if (message.type === 'ready') child.send({ type: 'run', request });
        else if (message.type === 'rejected') child.send({ type: 'stored', batch: message.batch, error: null });
        else if (message.type === 'failed') reject(new Error(message.error.message));
        else if (message.type === 'done') resolve(message.summary);
      };
      void child.ended.then((end) => reject(new Error(`The run's process is gone: ${describeEnd(end)}. ${child.errorOutput}`)));
    });
    return { summary, mebibytes };
  } finally {
    clearInterval(sampler);
    child.kill();
  }
}

/** Runs a floor, a script of this folder, in a process of its own. @returns its seconds */
export async function runFloor(script: string, ...args: readonly string[]): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, [join(projectRoot, 'dist', 'test', 'bench', script), ...args], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${script} ended with status ${code}.`);
  return (performance.now() - started) / 1000;
}

export function postgresConnection(name: string, url: URL): Connection {
  const config = {
    host: url.hostname,
    port: Number(url.port),
    database: url.pathname.slice(1),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  };
  return { name, kind: 'postgres', config, datasetNamespace: `postgres://localhost:${url.port}` };
}

/** The folder is the only one that the processes of this bench's runs may use. */
export function fileConnection(name: string, folder: string): Connection {
  process.env['TRIBUTARY_FILE_ROOTS'] = folder;
  return { name, kind: 'file', config: { folder }, datasetNamespace: 'file' };
}

async function peakMebibytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
}
