/** A pipeline document after parsing: what a user wrote, with defaults filled in. `schema/pipeline.schema.json` is its public form. */
export interface PipelineSpec {
  readonly version: 1;
  readonly name: string;
  readonly namespace: string;
  readonly owners: readonly string[];
  readonly description: string | null;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly steps: readonly StepSpec[];
  readonly outputs: readonly OutputSpec[];
  readonly limits: LimitsSpec;
}

export interface InputSpec {
  readonly connection: string;
  readonly stream: string;
}

export type StepSpec = MapStep | FilterStep | CastStep;

/** Exactly the listed columns: name → DuckDB expression over the columns of `from`. */
export interface MapStep {
  readonly id: string;
  readonly map: { readonly from: string; readonly columns: Readonly<Record<string, string>> };
}
/** Keeps the rows for which `where` is true. */
export interface FilterStep {
  readonly id: string;
  readonly filter: { readonly from: string; readonly where: string };
}
/** Gives the listed columns another DuckDB type and keeps all others. */
export interface CastStep {
  readonly id: string;
  readonly cast: { readonly from: string; readonly columns: Readonly<Record<string, string>>; readonly onError: CastErrorPolicy };
}
/** fail: the run ends FAIL. reject: the row becomes a dead letter. null: the value becomes NULL. */
export type CastErrorPolicy = 'fail' | 'reject' | 'null';

export interface OutputSpec {
  readonly from: string;
  readonly connection: string;
  readonly stream: string;
  readonly load: LoadSpec;
}
export interface LoadSpec {
  readonly mode: 'append' | 'upsert';
  /** Required for upsert, empty for append. */
  readonly key: readonly string[];
  /** Of two rows with one key the one with the higher value wins; null: the later one. */
  readonly orderBy: string | null;
}

export interface LimitsSpec {
  /** Resident memory of the run's process, in bytes. */
  readonly memoryBytes: number;
  /** From the first attempt's start to the end, in milliseconds; null: none. */
  readonly timeoutMs: number | null;
}
