import { setTimeout as wait } from 'node:timers/promises';
import type { CommittedLoad } from '../model/connector.js';
import { PlatformError } from '../model/errors.js';
import { loadId } from '../model/load-id.js';
import type { OutputSummary } from '../model/run.js';
import type { RunOutput } from './output-places.js';
import type { ConnectionSource } from './ports.js';

/** What a destination says about one output of a run; null: it holds no such load. */
export type FoundLoad = OutputSummary | null;

/**
 * Asks every destination which of a run's loads it has committed, in the order of the outputs. It decides after an end
 * whose commit result nobody saw.
 *
 * @param endedEpoch  sessions of attempts up to this one are ended first, since their processes are gone and their servers may not have
 *   noticed; null: there are none
 * @param patienceMs  how long a destination that does not answer is asked again, with a second between; the signal ends it
 * @throws PlatformError of the connection when a destination does not answer
 */
export async function findCommittedLoads(
  connections: ConnectionSource,
  { runId, endedEpoch }: { readonly runId: string; readonly endedEpoch: number | null },
  outputs: readonly RunOutput[],
  patienceMs: number,
  signal?: AbortSignal,
): Promise<FoundLoad[]> {
  return Promise.all(
    outputs.map(async (output) => {
      const id = loadId(runId, output.index);
      const load = await insist(patienceMs, signal, () => findOne(connections, output, id, endedEpoch));
      return load === null ? null : summaryOf(id, load);
    }),
  );
}

async function findOne(connections: ConnectionSource, { connection, stream }: RunOutput, id: string, endedEpoch: number | null): Promise<CommittedLoad | null> {
  const session = await connections.open(connection);
  try {
    if (endedEpoch !== null) await session.endEarlier?.({ loadId: id, epoch: endedEpoch + 1 });
    return await session.findLoad(stream, id);
  } finally {
    await session.close();
  }
}

/** A destination is given so long for one answer, in milliseconds: a commit under way is waited for in it. */
const longestQuestionMs = 30_000;
const shortestQuestionMs = 2_000;

/** The bytes are known only to the process that wrote them. */
function summaryOf(id: string, { attempt, counts }: CommittedLoad): OutputSummary {
  return { loadId: id, committedAttempt: attempt, rowsWritten: counts.inserted + counts.updated + counts.deleted, bytesWritten: 0 };
}

async function insist<T>(patienceMs: number, signal: AbortSignal | undefined, question: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      return await answered(question(), Math.min(longestQuestionMs, Math.max(patienceMs, shortestQuestionMs)), signal);
    } catch (error) {
      if (performance.now() >= deadline || signal?.aborted) throw error;
      await wait(1_000, undefined, signal && { signal });
    }
  }
}

/** One that stands still answers nothing, not even that. */
async function answered<T>(answer: Promise<T>, withinMs: number, signal: AbortSignal | undefined): Promise<T> {
  const given = new AbortController();
  const late = wait(withinMs, undefined, { signal: signal ? AbortSignal.any([signal, given.signal]) : given.signal }).then(() => {
    throw new PlatformError('DESTINATION_FAILED', `The destination did not say within ${withinMs / 1_000} s what it holds of this run.`, { retryable: true });
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    given.abort();
    answer.catch(() => undefined);
    late.catch(() => undefined);
  }
}
