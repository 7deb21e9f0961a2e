import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { projectRoot } from '../../../src/lib/project-root.js';
import type { PipelineSpec } from '../../../src/model/pipeline-spec.js';
import type { RunRequest } from '../../../src/model/run-process.js';
import { forkedProcesses } from '../../../src/worker/run-processes.js';
import type { SupervisionRules } from '../../../src/worker/supervise-run.js';

export const scriptedChild = join(projectRoot, 'test', 'unit', 'worker', 'scripted-child.mjs');

export const quickRules: SupervisionRules = {
  processes: forkedProcesses(scriptedChild),
  graceMs: 200,
  progressEveryMs: 100,
  liveEveryMs: 100,
  exitWithinMs: 300,
};

/** Logs nowhere; what was logged is kept. */
export function keptLog(): { logger: pino.Logger; lines: string[] } {
  const lines: string[] = [];
  return { logger: pino({ level: 'debug' }, { write: (line: string) => lines.push(line) }), lines };
}

/** `name` says what the scripted process does. */
export function scriptedSpec(name: string): PipelineSpec {
  return {
    version: 1,
    name,
    namespace: 'test',
    owners: [],
    description: null,
    inputs: { orders: { connection: 'shop', stream: 'public.orders', incremental: null, recomputeBy: [] } },
    steps: [],
    outputs: [{ from: 'orders', connection: 'shop', stream: 'mart.orders', load: { mode: 'append', key: [], orderBy: null, minRatio: 0 } }],
    retry: { attempts: 1, initialMs: 1_000, maxMs: 300_000 },
    limits: { memoryBytes: 512 * 1024 * 1024, timeoutMs: null, attemptTimeoutMs: null, rejectedRows: null, rejectedRatio: null },
    params: {},
  };
}

export function scriptedRequest(name: string): RunRequest {
  return {
    runId: '0198f7a0-0000-7000-8000-000000000001',
    pipelineId: 'job_1',
    attempt: 1,
    epoch: 1,
    spec: scriptedSpec(name),
    connections: {
      shop: { name: 'shop', kind: 'postgres', config: { host: 'localhost', password: 'secret-word' }, datasetNamespace: 'postgres://localhost:5432' },
    },
    folder: mkdtempSync(join(tmpdir(), 'tributary-test-')),
    startedAt: '2026-01-01T00:00:00Z',
    params: {},
    replay: null,
  };
}

export function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}
