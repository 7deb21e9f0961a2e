import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { CompiledPipeline } from '../model/compiled-pipeline.js';
import { type ErrorRecord, isPlatformError } from '../model/errors.js';
import { outputOfLoad } from '../model/load-id.js';
import { type Run, type RunSummary, replayTrigger } from '../model/run.js';
import { type FoundLoad, findCommittedLoads } from './committed-loads.js';
import type { RunOutput } from './output-places.js';
import type { ConnectionSource, DeadLetterKeeper, RunQueue } from './ports.js';
import { type RetryBudget, retryPauseMs } from './retry-pause.js';
import * as reasons from './run-errors.js';
import type { RunEnd, UnfinishedEnd } from './supervise-run.js';

export interface EndedRun {
  readonly run: Run;
  readonly end: RunEnd;
  /** Those that it fills; null when the document could not be read: then nothing can have been committed. */
  readonly outputs: readonly RunOutput[] | null;
  /** null when the document could not be read. */
  readonly budget: RetryBudget | null;
}

interface Recorders {
  readonly runs: RunQueue;
  readonly connections: ConnectionSource;
  readonly deadLetters: DeadLetterKeeper;
}

/** How long a destination that does not answer is asked again what it has committed, in milliseconds: of a cancelled run it is asked once. */
const patienceMs = 900_000;
const cancelPatienceMs = 0;
/** Writing the end of a run may take the graph so long so often; then the run is not worth it. */
const mostTimeouts = 5;

/**
 * Writes how an attempt ended. A run whose loads all stand at their destinations is COMPLETE, whatever its process said; one whose
 * failure may pass by itself is queued again, when it is known what its destinations hold.
 *
 * @returns in how many milliseconds the next attempt may begin; null: there is none
 */
export async function recordEnd(ended: EndedRun, parts: Recorders, logger: Logger, signal: AbortSignal): Promise<number | null> {
  const { run, end, outputs } = ended;
  if (end.type === 'lost' || end.type === 'stopped') return null;
  if (end.type === 'done') return complete(ended, end, parts, logger, signal);
  const soon = end.committing ? null : pauseOf(end.error, ended);
  // The next attempt asks the destinations before anything else.
  if (soon !== null) return retry(ended, end, end.error, soon, parts, logger, signal);
  const asked = end.committing || mayHaveCommittedBefore(ended);
  const found = asked ? await committedLoads(ended, end, parts, logger, signal) : [];
  const committed = (found ?? []).filter((load) => load !== null);
  const whole = committed.length > 0 && committed.length === outputs?.length;
  if (whole && end.bound !== null) return complete(ended, { compiled: end.bound, summary: summaryOf(end, committed) }, parts, logger, signal);
  const opened = await openLetters(ended, committed, parts.deadLetters, logger);
  const undecided = found === null;
  const error = undecided ? reasons.commitUnknown(end.error) : whole ? reasons.committedWithoutLineage(end.error) : end.error;
  const record = { runId: run.id, epoch: run.epoch, error, metrics: end.metrics, steps: end.steps };
  const pauseMs = pauseOf(error, ended);
  if (pauseMs !== null) return retry(ended, end, error, pauseMs, parts, logger, signal);
  const recorded = await persist(() => (end.type === 'cancelled' ? parts.runs.abort(record) : parts.runs.fail(record)), logger, signal);
  // Not before the run is final: until then another attempt may be at the same letters. What is not known is settled by the next sweep.
  if (recorded && opened && found !== null && (asked || run.attempt === 1)) await dropLetters(run, parts.deadLetters, logger, run.trigger === replayTrigger);
  return null;
}

/** In how many milliseconds the next attempt may begin; null: there is none. */
function pauseOf(error: ErrorRecord, { end, budget }: EndedRun): number | null {
  return end.type === 'failed' && budget !== null ? retryPauseMs(error, budget) : null;
}

async function retry(
  { run }: EndedRun,
  { metrics, steps }: UnfinishedEnd,
  error: ErrorRecord,
  delayMs: number,
  { runs }: Recorders,
  logger: Logger,
  signal: AbortSignal,
): Promise<number | null> {
  const failed = { runId: run.id, epoch: run.epoch, error, metrics, steps, delayMs };
  return (await persist(() => runs.retryAttempt(failed), logger, signal)) ? delayMs : null;
}

/** A retry begins when it is known what was committed; a run whose worker was lost or stopped may stand at its destinations. */
function mayHaveCommittedBefore({ run, budget }: EndedRun): boolean {
  return budget !== null && budget.failedAttempts < run.attempt - 1;
}

async function complete(
  ended: EndedRun,
  { compiled, summary }: { compiled: CompiledPipeline; summary: RunSummary },
  { runs, deadLetters }: Recorders,
  logger: Logger,
  signal: AbortSignal,
): Promise<null> {
  const { run } = ended;
  const opened = await openLetters(ended, summary.outputs, deadLetters, logger);
  const report = { runId: run.id, epoch: run.epoch, compiled, summary: withEarlierCounts(run, summary), replay: run.trigger === replayTrigger };
  const recorded = await persist(() => runs.complete(report), logger, signal);
  if (recorded && opened) await dropLetters(run, deadLetters, logger, false);
  return null;
}

/** When an earlier attempt had committed everything, this one read nothing: what was counted then is what happened. */
function withEarlierCounts(run: Run, summary: RunSummary): RunSummary {
  if (summary.outputs.some(({ committedAttempt }) => committedAttempt >= run.attempt)) return summary;
  return { ...summary, metrics: { ...run.metrics, rowsWritten: summary.metrics.rowsWritten }, steps: run.steps };
}

/** null: a destination did not answer, so that what it holds is not known. */
async function committedLoads(
  { run, outputs }: EndedRun,
  end: UnfinishedEnd,
  { connections }: Recorders,
  logger: Logger,
  signal: AbortSignal,
): Promise<FoundLoad[] | null> {
  // Who cancels wants to see it soon: what stands at a destination that does not answer is settled later.
  const askedMs = end.type === 'cancelled' && !end.committing ? cancelPatienceMs : patienceMs;
  try {
    return await findCommittedLoads(connections, { runId: run.id, endedEpoch: run.epoch }, outputs ?? [], askedMs, signal);
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

/** Opens the letters of what was committed. What fails here is made up for later, from what the destinations say: false. */
async function openLetters({ run, outputs }: EndedRun, committed: RunSummary['outputs'], letters: DeadLetterKeeper, logger: Logger): Promise<boolean> {
  try {
    for (const { loadId, committedAttempt } of committed) {
      await letters.open(loadId, committedAttempt);
      const output = outputs?.find(({ index }) => index === outputOfLoad(loadId));
      if (output && run.trigger === replayTrigger) await letters.resolveReplayed(run.id, output);
    }
    return true;
  } catch (error) {
    logger.warn({ err: error }, 'The dead letters of this run could not be opened now; it is tried again.');
    return false;
  }
}

/** Deletes the letters of attempts that did not commit; `release`: also gives back those that a replay was given and that are in no table. */
async function dropLetters({ id }: Run, letters: DeadLetterKeeper, logger: Logger, release: boolean): Promise<void> {
  try {
    await letters.discardPending(id);
    if (release) await letters.releaseReplayed(id);
  } catch (error) {
    logger.warn({ err: error }, 'The dead letters of this run could not be settled now; it is tried again.');
  }
}

/** Tries again while the graph is away; a refusal because somebody else has the run is the end of it: false. */
async function persist(write: () => Promise<void>, logger: Logger, signal: AbortSignal): Promise<boolean> {
  let timeouts = 0;
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
      if (error.code === 'GRAPH_TIMEOUT') timeouts += 1;
      if (timeouts >= mostTimeouts) throw error;
      logger.warn({ err: error }, 'The end of a run could not be recorded; trying again.');
      await wait(pauseMs);
    }
  }
}
