import type { Logger } from 'pino';
import { outputOfLoad } from '../model/load-id.js';
import { isFinal, type Run, replayTrigger } from '../model/run.js';
import { findCommittedLoads } from './committed-loads.js';
import { outputsOfRun, type RunOutput } from './output-places.js';
import type { ConnectionSource, DeadLetterKeeper, ParseSpec, RunQueue } from './ports.js';

export interface SettlingParts {
  readonly runs: RunQueue;
  readonly specOf: (pipelineId: string, version: number) => Promise<unknown>;
  readonly connections: ConnectionSource;
  readonly deadLetters: DeadLetterKeeper;
  readonly parseSpec: ParseSpec;
  readonly logger: Logger;
}

/** Letters are given to a run just before it is queued: how old a run must be to be missed, in milliseconds. */
const missedAfterMs = 60_000;

/**
 * Finishes what a crash or an absent MongoDB interrupted: opens the dead letters of committed loads of final runs and deletes the
 * others; of the letters that such runs were given, says which are in their tables and releases the others. Safe to repeat.
 */
export async function settleInterruptedLetters(parts: SettlingParts, isExecuting: (runId: string) => boolean): Promise<void> {
  const { deadLetters } = parts;
  const runIds = new Set([...(await deadLetters.runsWithPending()), ...(await deadLetters.runsWithReplayed())]);
  for (const runId of runIds) {
    if (isExecuting(runId)) continue;
    try {
      await settle(parts, runId);
    } catch (error) {
      parts.logger.warn({ err: error, runId }, 'The dead letters of a run could not be settled; it is tried again.');
    }
  }
}

/** How long a destination is asked, in milliseconds. */
const settlePatienceMs = 10_000;

async function settle(parts: SettlingParts, runId: string): Promise<void> {
  const { runs, specOf, connections, deadLetters, parseSpec } = parts;
  const run = await runs.get(runId);
  if (run === null) return settleMissing(deadLetters, runId);
  if (!isFinal(run.state)) return;
  // A run that was never claimed has committed nothing.
  if (run.attempt > 0) {
    const { spec } = parseSpec(await specOf(run.pipelineId, run.pipelineVersion));
    const outputs = outputsOfRun(spec, null);
    const loads = await findCommittedLoads(connections, { runId, endedEpoch: run.epoch }, outputs, settlePatienceMs);
    for (const load of loads) if (load !== null) await settleLoad(deadLetters, run, load, outputs);
  }
  await deadLetters.discardPending(runId);
  await deadLetters.releaseReplayed(runId);
}

async function settleLoad(
  deadLetters: DeadLetterKeeper,
  run: Run,
  { loadId, committedAttempt }: { readonly loadId: string; readonly committedAttempt: number },
  outputs: readonly RunOutput[],
): Promise<void> {
  await deadLetters.open(loadId, committedAttempt);
  const output = outputs.find(({ index }) => index === outputOfLoad(loadId));
  if (output && run.trigger === replayTrigger) await deadLetters.resolveReplayed(run.id, output);
}

/** Never queued, unless it is about to be. */
async function settleMissing(deadLetters: DeadLetterKeeper, runId: string): Promise<void> {
  await deadLetters.discardPending(runId);
  if (Date.now() - madeAtMs(runId) > missedAfterMs) await deadLetters.releaseReplayed(runId);
}

/** A run's id begins with the time it was made at. */
function madeAtMs(runId: string): number {
  return Number.parseInt(runId.replaceAll('-', '').slice(0, 12), 16);
}
