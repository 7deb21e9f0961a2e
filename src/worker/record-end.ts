import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { CompiledPipeline } from '../model/compiled-pipeline.js';
import { isPlatformError } from '../model/errors.js';
import { outputOfLoad } from '../model/load-id.js';
import { type Run, type RunSummary, replayTrigger } from '../model/run.js';
import { type FoundLoad, findCommittedLoads } from './committed-loads.js';
import type { RunOutput } from './output-places.js';
import type { ConnectionSource, DeadLetterKeeper, RunQueue } from './ports.js';
import * as reasons from './run-errors.js';
import type { RunEnd } from './supervise-run.js';

export interface EndedRun {
  readonly run: Run;
  readonly end: RunEnd;
  /** Those that it fills; null when the document could not be read: then nothing can have been committed. */
  readonly outputs: readonly RunOutput[] | null;
}

interface Recorders {
  readonly runs: RunQueue;
  readonly connections: ConnectionSource;
  readonly deadLetters: DeadLetterKeeper;
}

type UnfinishedEnd = Extract<RunEnd, { type: 'failed' | 'cancelled' }>;

/** How often a destination is asked, one second apart: when its answer may matter, and when a COMMIT may have been sent. */
const patientAttempts = 10;
const committingAttempts = 900;

/** Writes how a run ended, its dead letters first. A run whose loads all stand at their destinations is COMPLETE, whatever its process said. */
export async function recordEnd(ended: EndedRun, parts: Recorders, logger: Logger, signal: AbortSignal): Promise<void> {
  const { run, end, outputs } = ended;
  if (end.type === 'lost' || end.type === 'stopped') return;
  if (end.type === 'done') return complete(ended, end, parts, logger, signal);
  const found = outputs === null ? [] : await committedLoads(run, end, outputs, parts, logger, signal);
  const committed = (found ?? []).filter((load) => load !== null);
  const whole = committed.length > 0 && committed.length === found?.length;
  if (whole && end.bound !== null) return complete(ended, { compiled: end.bound, summary: summaryOf(end, committed) }, parts, logger, signal);
  if (found !== null) await settleLetters(ended, committed, parts.deadLetters, logger);
  const undecided = found === null && end.committing;
  const error = undecided ? reasons.commitUnknown(end.error) : whole ? reasons.committedWithoutLineage(end.error) : end.error;
  const record = { runId: run.id, epoch: run.epoch, error, metrics: end.metrics, steps: end.steps };
  const recorded = await persist(() => (end.type === 'cancelled' ? parts.runs.abort(record) : parts.runs.fail(record)), logger, signal);
  // Not before the run is final: until then another attempt may be at the same letters.
  if (recorded && found !== null) await releaseLetters(run, parts.deadLetters, logger);
}

async function complete(
  ended: EndedRun,
  { compiled, summary }: { compiled: CompiledPipeline; summary: RunSummary },
  { runs, deadLetters }: Recorders,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const { run } = ended;
  await settleLetters(ended, summary.outputs, deadLetters, logger);
  const report = { runId: run.id, epoch: run.epoch, compiled, summary: withEarlierCounts(run, summary), replay: run.trigger === replayTrigger };
  await persist(() => runs.complete(report), logger, signal);
}

/** When an earlier attempt had committed everything, this one read nothing: what was counted then is what happened. */
function withEarlierCounts(run: Run, summary: RunSummary): RunSummary {
  if (summary.outputs.some(({ committedAttempt }) => committedAttempt >= run.attempt)) return summary;
  return { ...summary, metrics: { ...run.metrics, rowsWritten: summary.metrics.rowsWritten }, steps: run.steps };
}

/** null: a destination did not answer, so that what it holds is not known. */
async function committedLoads(
  run: Run,
  end: UnfinishedEnd,
  outputs: readonly RunOutput[],
  { connections }: Recorders,
  logger: Logger,
  signal: AbortSignal,
): Promise<FoundLoad[] | null> {
  const matters = (end.killed && end.bound !== null) || run.attempt > 1;
  try {
    const attempts = end.committing ? committingAttempts : matters ? patientAttempts : 1;
    return await findCommittedLoads(connections, run.id, outputs, attempts, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    logger.warn({ err: error }, 'The destination could not be asked whether it holds the rows of this run.');
    return null;
  }
}

function summaryOf({ metrics, steps }: UnfinishedEnd, outputs: RunSummary['outputs']): RunSummary {
  const rowsWritten = outputs.reduce((sum, output) => sum + output.rowsWritten, 0);
  return { metrics: { ...metrics, rowsWritten }, steps, outputs };
}

/** Opens the letters of what was committed and deletes the rest. What fails here is made up for later, from what the destinations say. */
async function settleLetters({ run, outputs }: EndedRun, committed: RunSummary['outputs'], letters: DeadLetterKeeper, logger: Logger): Promise<void> {
  try {
    for (const { loadId, committedAttempt } of committed) {
      await letters.open(loadId, committedAttempt);
      const output = outputs?.find(({ index }) => index === outputOfLoad(loadId));
      if (output && run.trigger === replayTrigger) await letters.resolveReplayed(run.id, output);
    }
    await letters.discardPending(run.id);
  } catch (error) {
    logger.warn({ err: error }, 'The dead letters of this run could not be opened now; it is tried again.');
  }
}

async function releaseLetters({ id, trigger }: Run, letters: DeadLetterKeeper, logger: Logger): Promise<void> {
  if (trigger !== replayTrigger) return;
  try {
    await letters.releaseReplayed(id);
  } catch (error) {
    logger.warn({ err: error }, 'The dead letters that this run was given could not be released now; it is tried again.');
  }
}

/** Tries again while the graph is away; a refusal because somebody else has the run is the end of it: false. */
async function persist(write: () => Promise<void>, logger: Logger, signal: AbortSignal): Promise<boolean> {
  for (let pauseMs = 200; ; pauseMs = Math.min(pauseMs * 2, 5_000)) {
    try {
      await write();
      return true;
    } catch (error) {
      if (isPlatformError(error) && error.code === 'LEASE_LOST') {
        logger.warn('Another worker has this run; its end is not recorded here.');
        return false;
      }
      if (!isPlatformError(error) || !error.retryable || signal.aborted) throw error;
      logger.warn({ err: error }, 'The end of a run could not be recorded; trying again.');
      await wait(pauseMs);
    }
  }
}
