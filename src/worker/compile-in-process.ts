import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConcurrencyLimit } from '../lib/concurrency-limit.js';
import { PlatformError } from '../model/errors.js';
import type { CompileRequest, CompileResult, FromRunProcess } from '../model/run-process.js';
import { type ChildEnd, describeEnd, RunChild, runProcessEntry } from './child-process.js';
import { removeRunFolder } from './run-folder.js';

export interface CompileSettings {
  readonly entry?: string;
  /** In milliseconds. */
  readonly timeoutMs?: number;
}

interface Told {
  answer?: CompileResult;
  failure?: PlatformError;
  timedOut?: boolean;
}

const heapMiB = 128;
/** Between the answer and the exit of the process, in milliseconds. */
const exitWithinMs = 1_000;

/** Each is a process; the others wait. */
const compilesAtOnce = 2;

/** The Compile port: compiles in a process of its own, because an expression is somebody else's text. */
export function compileInProcess({ entry = runProcessEntry, timeoutMs = 15_000 }: CompileSettings = {}): (request: CompileRequest) => Promise<CompileResult> {
  const limit = new ConcurrencyLimit(compilesAtOnce);
  return (request) =>
    limit.run(async () => {
      const folder = await mkdtemp(join(tmpdir(), 'tributary-'));
      try {
        return await compile(request, { entry, timeoutMs, folder });
      } finally {
        await removeRunFolder(folder);
      }
    });
}

async function compile(request: CompileRequest, { entry, timeoutMs, folder }: Required<CompileSettings> & { folder: string }): Promise<CompileResult> {
  const told: Told = {};
  let killer: NodeJS.Timeout | undefined;
  const child = new RunChild({ entry, heapMiB, folder }, (message) => {
    if (message.type === 'ready') child.send({ type: 'compile', request });
    if (message.type === 'compiled') told.answer = message.result;
    if (message.type === 'failed') told.failure = failureOf(message);
    if (message.type !== 'compiled' && message.type !== 'failed') return;
    clearTimeout(killer);
    killer = setTimeout(() => child.kill(), exitWithinMs);
  });
  killer = setTimeout(() => {
    told.timedOut = true;
    child.kill();
  }, timeoutMs);
  const end = await child.ended;
  clearTimeout(killer);
  if (told.answer !== undefined) return told.answer;
  throw told.failure ?? (told.timedOut ? tooSlow(timeoutMs) : died(end));
}

function died(end: ChildEnd): PlatformError {
  return new PlatformError('RUN_PROCESS_DIED', `The process that checks the pipeline ended by itself (${describeEnd(end)}).`, { retryable: true });
}

function tooSlow(timeoutMs: number): PlatformError {
  const message = `Checking the pipeline took longer than ${timeoutMs / 1000} s and was stopped. Simplify its expressions, or split the pipeline.`;
  return new PlatformError('RUN_TIMED_OUT', message);
}

function failureOf({ error }: Extract<FromRunProcess, { type: 'failed' }>): PlatformError {
  return new PlatformError(error.code, error.message, { retryable: error.retryable, ...(error.step === null ? {} : { step: error.step }) });
}
