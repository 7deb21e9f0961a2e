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
  readonly retry: RetrySpec;
  readonly limits: LimitsSpec;
  /** Values that a run is started with; `$name` in expressions. */
  readonly params: Readonly<Record<string, ParamSpec>>;
}

export interface ParamSpec {
  /** A DuckDB type. */
  readonly type: string;
  /** As text; null: the value NULL. Absent: every run must give one. */
  readonly default?: string | null;
}

export interface InputSpec {
  readonly connection: string;
  readonly stream: string;
  /** null: read whole by every run. */
  readonly incremental: IncrementalSpec | null;
  /** The rows whose values of these columns occur among the changed rows of any input are read whole. Empty: not. */
  readonly recomputeBy: readonly string[];
}

export interface IncrementalSpec {
  /** Column that grows with every change of a row. */
  readonly cursor: string;
  /** How far behind the last cursor each read begins: an ISO 8601 duration for times, a whole number for numbers; null: 0. */
  readonly lookback: string | number | null;
  /** Rows without a cursor end the run, are read every time, are left out, or become dead letters in every run. */
  readonly nulls: 'fail' | 'include' | 'exclude' | 'dlq';
}

export type StepSpec = MapStep | FilterStep | CastStep | JoinStep | AggregateStep | UnionStep | DedupeStep;

/** What a step that looks at several rows sees of an incremental input: `increment` accepts that it is the rows of this run only. */
export type Over = 'all' | 'increment';

/** Exactly the listed columns: name → DuckDB expression over the columns of `from`. */
export interface MapStep {
  readonly id: string;
  readonly map: { readonly from: string; readonly columns: Readonly<Record<string, string>>; readonly over: Over };
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
export type JoinKind = 'inner' | 'left' | 'right' | 'full' | 'semi' | 'anti' | 'cross';
/** One side of a join and the name it has in the join's expressions. */
export interface JoinSide {
  readonly from: string;
  readonly as: string;
}
/** Exactly the listed columns: expressions over both sides, for semi and anti over the left one. */
export interface JoinStep {
  readonly id: string;
  readonly join: {
    readonly left: JoinSide;
    readonly right: JoinSide;
    readonly kind: JoinKind;
    /** null for cross only. */
    readonly on: string | null;
    readonly columns: Readonly<Record<string, string>>;
    readonly over: Over;
  };
}
/** One row for each group: the group's columns, then the aggregates. No `groupBy`: one row in all. */
export interface AggregateStep {
  readonly id: string;
  readonly aggregate: {
    readonly from: string;
    /** Name → expression. */
    readonly groupBy: Readonly<Record<string, string>>;
    readonly columns: Readonly<Record<string, string>>;
    readonly over: Over;
  };
}
/** The rows of all sources, their columns matched by name. */
export interface UnionStep {
  readonly id: string;
  readonly union: { readonly from: readonly string[] };
}
/** One row for each key: the one with the highest (`last`) or lowest (`first`) `orderBy`, then the last or first position. */
export interface DedupeStep {
  readonly id: string;
  readonly dedupe: {
    readonly from: string;
    readonly key: readonly string[];
    readonly orderBy: string | null;
    readonly keep: 'last' | 'first';
    readonly over: Over;
  };
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
  /** overwrite: afterwards the table holds the rows of this run and no others. */
  readonly mode: 'append' | 'upsert' | 'overwrite';
  /** Required for upsert, empty for append. */
  readonly key: readonly string[];
  /** Of two rows with one key the one with the higher value wins; null: the later one. */
  readonly orderBy: string | null;
  /** overwrite: fails when the new rows are fewer than this part (0 to 1) of those that stand in the table. */
  readonly minRatio: number;
}

/** What becomes of an attempt whose error may pass by itself. */
export interface RetrySpec {
  /** Attempts that may fail so before the run is FAIL, at least 1: 1 is no retry. */
  readonly attempts: number;
  /** Upper bound of the first pause, in milliseconds, > 0; doubled for each further one. */
  readonly initialMs: number;
  /** Upper bound of every pause, in milliseconds. */
  readonly maxMs: number;
}

export interface LimitsSpec {
  /** Resident memory of the run's process, in bytes. */
  readonly memoryBytes: number;
  /** From the first attempt's start to the end, in milliseconds; null: none. */
  readonly timeoutMs: number | null;
  /** From an attempt's start to its end, in milliseconds; null: none. */
  readonly attemptTimeoutMs: number | null;
  /** More rejected rows end the run FAIL. null: no limit. */
  readonly rejectedRows: number | null;
  /** Part (0 to 1) of the rows read, looked at from 1,000 rows on; null: no limit. */
  readonly rejectedRatio: number | null;
}
