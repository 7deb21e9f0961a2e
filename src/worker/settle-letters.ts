import type { Logger } from 'pino';
import { isFinal } from '../model/run.js';
import { findCommittedLoads } from './committed-loads.js';
import type { ConnectionSource, DeadLetterKeeper, ParseSpec, RunQueue } from './ports.js';

export interface SettlingParts {
  readonly runs: RunQueue;
  readonly specOf: (pipelineId: string, version: number) => Promise<unknown>;
  readonly connections: ConnectionSource;
  readonly deadLetters: DeadLetterKeeper;
  readonly parseSpec: ParseSpec;
  readonly logger: Logger;
}

/** Finishes what a crash or an absent MongoDB interrupted: opens the dead letters of committed loads of final runs and deletes the others. Safe to repeat. */
export async function settleInterruptedLetters(parts: SettlingParts, isExecuting: (runId: string) => boolean): Promise<void> {
  for (const runId of await parts.deadLetters.runsWithPending()) {
    if (isExecuting(runId)) continue;
    try {
      await settle(parts, runId);
    } catch (error) {
      parts.logger.warn({ err: error, runId }, 'The dead letters of a run could not be opened; it is tried again.');
    }
  }
}

async function settle({ runs, specOf, connections, deadLetters, parseSpec }: SettlingParts, runId: string): Promise<void> {
  const run = await runs.get(runId);
  if (run === null) return deadLetters.discardPending(runId);
  if (!isFinal(run.state)) return;
  const { spec } = parseSpec(await specOf(run.pipelineId, run.pipelineVersion));
  const loads = await findCommittedLoads(connections, runId, spec.outputs, 1);
  for (const load of loads) if (load !== null) await deadLetters.open(load.loadId, load.committedAttempt);
  await deadLetters.discardPending(runId);
}
