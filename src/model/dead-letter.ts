export type DeadLetterStatus = 'OPEN' | 'REPLAYED' | 'DISCARDED';
export type DeadLetterStage = 'extract' | 'transform' | 'load';

/** An output of a pipeline, as its document names it. */
export interface OutputPlace {
  readonly connection: string;
  readonly stream: string;
}

/** A row that was refused, as the run's process reports it. The same row in another attempt gets the same id. */
export interface RejectedRow {
  /** Hash of load id, stage, step, and key or row hash with ordinal among equals. */
  readonly id: string;
  readonly loadId: string;
  readonly stage: DeadLetterStage;
  /** The step that refused it; of stage extract the input, of stage load the stream of the output. */
  readonly step: string;
  readonly code: string;
  readonly message: string;
  /** Column → text form; null for NULL. */
  readonly row: Readonly<Record<string, unknown>>;
}

export interface DeadLetter extends Omit<RejectedRow, 'row'> {
  /** null when the row is too large to be kept. */
  readonly row: Readonly<Record<string, unknown>> | null;
  readonly runId: string;
  readonly pipelineId: string;
  readonly attempt: number;
  readonly status: DeadLetterStatus;
  /** The output that the row was on its way to. */
  readonly output: OutputPlace;
  readonly createdAt: string;
}

/** A letter that a run takes again. */
export interface ReplayedLetter {
  readonly id: string;
  readonly stage: DeadLetterStage;
  readonly step: string;
  readonly output: OutputPlace;
  readonly row: Readonly<Record<string, unknown>> | null;
}
