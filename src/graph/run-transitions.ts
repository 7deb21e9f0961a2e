import type { RunTransition } from '../model/run-log.js';
import { type Fields, integer, text, texts } from './decode.js';
import { statement } from './statement.js';
import type { Locking } from './transaction.js';

/** Changes of state of one run that are not in the log, oldest first. */
export interface UnloggedRun {
  readonly runId: string;
  readonly pipelineId: string;
  readonly transitions: readonly RunTransition[];
}

interface KeptTransition extends Omit<RunTransition, 'at' | 'durationMs'> {
  readonly atMicros: number;
  readonly startedMicros: number | null;
  readonly endedMicros: number | null;
}

export const numberTransitions = statement<{ ids: readonly string[]; message: string } & Locking, { id: string; transition: number }>(
  'runs/number-transition',
  ['ids', 'message', 'lock'],
  (record) => ({ id: text(record, 'id'), transition: integer(record, 'transition') }),
);
export const unloggedOfRuns = statement<{ ids: readonly string[]; perRun: number }, UnloggedRun>('runs/unlogged', ['ids', 'perRun'], unlogged);
export const unloggedOldest = statement<{ waitedMs: number; limit: number; perRun: number }, UnloggedRun>(
  'runs/unlogged-oldest',
  ['waitedMs', 'limit', 'perRun'],
  unlogged,
);
export const markLogged = statement<{ logged: readonly { id: string; transition: number }[] } & Locking, { id: string; left: number }>(
  'runs/logged',
  ['logged', 'lock'],
  (record) => ({ id: text(record, 'id'), left: integer(record, 'left') }),
);

function unlogged(record: Fields): UnloggedRun {
  const transitions = texts(record, 'transitions').map((kept) => transitionOf(JSON.parse(kept) as KeptTransition));
  return { runId: text(record, 'runId'), pipelineId: text(record, 'pipelineId'), transitions };
}

function transitionOf({ atMicros, startedMicros, endedMicros, ...transition }: KeptTransition): RunTransition {
  const untilMicros = endedMicros ?? atMicros;
  return { ...transition, at: timeOf(atMicros), durationMs: startedMicros === null ? null : Math.max(0, Math.round((untilMicros - startedMicros) / 1000)) };
}

/** RFC 3339 with microseconds. */
function timeOf(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000);
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(micros - seconds * 1_000_000).padStart(6, '0')}Z`;
}
