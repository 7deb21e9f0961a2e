import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { batches } from '../lib/batches.js';
import { ConcurrencyLimit } from '../lib/concurrency-limit.js';
import type { CompileMany, CompileOutcome } from '../model/impact.js';
import type { CompileRequest } from '../model/run-process.js';
import { describeEnd, RunChild, runProcessEntry } from './child-process.js';
import type { CompileSettings } from './compile-in-process.js';
import { removeRunFolder } from './run-folder.js';

const heapMiB = 256;
/** So many documents are sent to one process. */
const requestsPerProcess = 400;

/**
 * Compiles many documents in one process, each in a sandbox of its own. One that kills the process or takes too long is a failure
 * of its own; those behind it are compiled by another process.
 */
export function compileManyInProcess({ entry = runProcessEntry, timeoutMs = 15_000 }: CompileSettings = {}): CompileMany {
  const limit = new ConcurrencyLimit(1);
  return async (requests) => {
    const outcomes: CompileOutcome[] = [];
    for (const batch of batches(requests, requestsPerProcess)) outcomes.push(...(await limit.run(() => compileBatch(batch, entry, timeoutMs))));
    return outcomes;
  };
}

async function compileBatch(requests: readonly CompileRequest[], entry: string, timeoutMs: number): Promise<CompileOutcome[]> {
  const outcomes: CompileOutcome[] = [];
  while (outcomes.length < requests.length) {
    const folder = await mkdtemp(join(tmpdir(), 'tributary-'));
    try {
      const { done, failure } = await compileRest(requests.slice(outcomes.length), { entry, timeoutMs, folder });
      outcomes.push(...done);
      if (outcomes.length < requests.length) outcomes.push({ failure: failure ?? 'The process that compiles it ended by itself.' });
    } finally {
      await removeRunFolder(folder);
    }
  }
  return outcomes;
}

/** What one process could compile, and why it ended before the rest. `timeoutMs` counts for each document. */
async function compileRest(
  requests: readonly CompileRequest[],
  { entry, timeoutMs, folder }: Required<CompileSettings> & { readonly folder: string },
): Promise<{ readonly done: readonly CompileOutcome[]; readonly failure: string | null }> {
  const done: CompileOutcome[] = [];
  let failure: string | null = null;
  const tooSlow = (): void => {
    failure = `Compiling it took longer than ${timeoutMs / 1000} s and was stopped.`;
    child.kill();
  };
  let killer = setTimeout(tooSlow, timeoutMs);
  const child = new RunChild({ entry, heapMiB, folder }, (message) => {
    if (message.type === 'ready') child.send({ type: 'compileMany', requests });
    if (message.type === 'failed') failure = message.error.message;
    if (message.type !== 'compiledOne') return;
    done.push({ result: message.result, casts: message.casts });
    clearTimeout(killer);
    killer = setTimeout(tooSlow, timeoutMs);
  });
  const end = await child.ended;
  clearTimeout(killer);
  if (done.length < requests.length) failure ??= `The process that compiles it ended by itself (${describeEnd(end)}).`;
  return { done, failure };
}
