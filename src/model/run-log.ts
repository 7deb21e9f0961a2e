import type { RunMetrics, RunState } from './run.js';

/** A change of a run's state, as the graph keeps it until it is in the log. */
export interface RunTransition {
  /** From 1 for each run, without gaps. */
  readonly transition: number;
  readonly state: RunState;
  readonly attempt: number;
  /** RFC 3339, by the graph's clock. */
  readonly at: string;
  readonly message: string | null;
  readonly metrics: RunMetrics;
  /** Since the run was started; null: it has not been. */
  readonly durationMs: number | null;
}

/** What a run is at. */
export type RunStage = 'binding' | 'reading' | 'transforming' | 'committing';

/** Where a run is, as its process can tell. */
export interface RunPlace {
  readonly stage: RunStage;
  /** The step that is being computed over several rows; null: rows go through all of them. */
  readonly step: string | null;
  /** That will be read in all, by the sources' own estimates, which may change; null: at least one does not know. */
  readonly rowsExpected: number | null;
}

export const atBinding: RunPlace = { stage: 'binding', step: null, rowsExpected: null };

/** How far a running run has come. */
export interface RunProgress {
  readonly at: string;
  readonly stage: RunStage;
  readonly step: string | null;
  readonly metrics: RunMetrics;
  readonly durationMs: number;
  /** Read in the last seconds; null: nothing can be said yet. */
  readonly rowsPerSecond: number | null;
  /** null: nobody knows how many rows there will be. */
  readonly secondsLeft: number | null;
}

/** One entry of a run's log, before it has a place in it. */
export interface NewRunEvent {
  readonly kind: 'state' | 'progress';
  readonly at: string;
  readonly state: RunState;
  readonly attempt: number;
  readonly message: string | null;
  readonly metrics: RunMetrics;
  readonly durationMs: number | null;
  readonly rowsPerSecond: number | null;
  /** null: of a change of state. */
  readonly stage: RunStage | null;
  readonly step: string | null;
  readonly secondsLeft: number | null;
}

/** One entry of a run's log. */
export interface RunEvent extends NewRunEvent {
  readonly runId: string;
  readonly pipelineId: string;
  /** From 1 within the run, without gaps. */
  readonly seq: number;
  /** Place of its append among those of all runs; events of one append share it. Rises with `seq` within a run. */
  readonly position: number;
}

/** The run whose log it is. */
export interface LoggedRun {
  readonly runId: string;
  readonly pipelineId: string;
}

/** The end of a run's log. */
export interface LogEnd {
  /** `seq` of the last event; 0: there is none. */
  readonly last: number;
  /** Number of the last change of state in it; 0: there is none. */
  readonly lastTransition: number;
  /** That change's; null: there is none. */
  readonly state: RunState | null;
  readonly attempt: number;
}
