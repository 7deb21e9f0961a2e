import type { ColumnSchema, DatasetRef } from './dataset.js';
import type { CursorState, Reading, Slot } from './reading.js';
import type { Segment } from './segment.js';

/** How a column's text form becomes a DuckDB value, exactly; `{}` stands for the text (VARCHAR) expression. */
export interface ReadConversion {
  /** DuckDB type of the value. */
  readonly type: string;
  readonly expression: string;
  /** The text form is what every other kind of store reads as the same value of this type. */
  readonly portable?: boolean;
}

/** How a DuckDB value becomes the store's text form, exactly; `{}` stands for the value. */
export interface WriteConversion {
  /** The store's own word for the type of the column that is made for it. */
  readonly type: string;
  readonly expression: string;
}

export interface StreamColumn extends ColumnSchema {
  readonly type: string;
  readonly nullable: boolean;
  /** null: no exact conversion; the column may only pass through or be read by `cast` from its text. */
  readonly read: ReadConversion | null;
  /** False for what the store computes itself (generated columns): it can be read, not written. */
  readonly writable: boolean;
  /** True when a row may be written without it: nullable, defaulted or identity. */
  readonly optional: boolean;
}

export interface StreamDescription {
  /** As it is written in a pipeline document: `schema.table`. */
  readonly stream: string;
  readonly dataset: DatasetRef;
  readonly columns: readonly StreamColumn[];
  readonly primaryKey: readonly string[];
  /** Column lists, each of which identifies a row: the primary key and every other full unique index. */
  readonly uniqueKeys: readonly (readonly string[])[];
  /** Columns that could serve as an incremental cursor. */
  readonly cursorCandidates: readonly string[];
  /** Every load makes it anew, whatever columns it has now. Absent: no. */
  readonly madeAnew?: boolean;
}

/** True when a unique index of the table is on exactly these columns, in any order: what an upsert by them needs. */
export function hasUniqueKey({ uniqueKeys }: StreamDescription, key: readonly string[]): boolean {
  return uniqueKeys.some((unique) => unique.length === key.length && key.every((name) => unique.includes(name)));
}

export interface LoadColumn {
  readonly name: string;
  /** The store's own word. */
  readonly type: string;
}

/** Identity of one commit, the same for every attempt of a run. */
export interface LoadIdentity {
  readonly loadId: string;
  readonly pipelineId: string;
  readonly runId: string;
  readonly attempt: number;
  /** Refused when the destination has seen a higher one for the same slot. */
  readonly epoch: number;
}

export interface LoadRequest {
  readonly identity: LoadIdentity;
  readonly stream: string;
  readonly dataset: DatasetRef;
  /** One for each input the rows come from. */
  readonly slots: readonly SlotUpdate[];
  readonly columns: readonly LoadColumn[];
  readonly mode: 'append' | 'upsert' | 'overwrite';
  /** Empty for append. */
  readonly key: readonly string[];
  readonly orderBy: string | null;
  /** overwrite: the least part of the rows that stand there; fewer are OVERWRITE_SHRINKS. */
  readonly minRatio: number;
}

/** A state slot as the commit leaves it. */
export interface SlotUpdate {
  readonly input: string;
  /** Version that was read; another one at the commit is EPOCH_FENCED. null: any. */
  readonly expectedVersion: number | null;
  /** null: as it is. */
  readonly state: CursorState | null;
}

/**
 * staged = inserted + updated + deleted + unchanged + stale + rejected; `staged` counts the rows to load and the keys to erase.
 * Of an overwrite, staged = inserted + stale + rejected, and `deleted` are the rows that stood there.
 */
export interface LoadCounts {
  readonly staged: number;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  readonly unchanged: number;
  readonly stale: number;
  readonly rejected: number;
}

export interface CommittedLoad {
  readonly counts: LoadCounts;
  /** The attempt whose rows stand in the table. */
  readonly attempt: number;
  /** RFC 3339 */
  readonly committedAt: string;
}

/** A row that the load step refused: its key or `orderBy` is null. Values are the store's text forms. */
export interface RefusedRow {
  readonly position: number;
  /** From 1 among refused rows of equal content, in the order of their positions. */
  readonly ordinal: number;
  readonly code: 'NULL_KEY' | 'NULL_ORDER';
  readonly message: string;
  readonly row: Readonly<Record<string, string | null>>;
}

/** One load: `stage` any number of segments, then `refused`, then exactly one of `commit` and `abort`. */
export interface Load {
  /** Segments of rows are staged without `_pos`. Absent: with it. */
  readonly unnumbered?: boolean;
  /** Copies the segment behind what is staged already. */
  stage(segment: Segment, signal: AbortSignal): Promise<void>;
  /**
   * Keys (and `orderBy` where the segment has it) of rows that the commit deletes, unless a row with that key is staged to be loaded
   * or the stored one has a higher `orderBy`. Upsert only.
   */
  stageErased(segment: Segment, signal: AbortSignal): Promise<void>;
  /** Rows that `commit` will leave out, in batches of at most 1,000. To be stored before the commit. */
  refused(signal: AbortSignal): AsyncIterable<readonly RefusedRow[]>;
  /**
   * One transaction: locks the state slots in name order, refuses an older epoch (EPOCH_FENCED), records the load id
   * (already there: returns that load, changes nothing), makes schema and table if missing, merges, advances the slots.
   */
  commit(signal: AbortSignal): Promise<CommittedLoad>;
  /** Leaves the destination as it was. Safe at any point, also twice. */
  abort(): Promise<void>;
}

/** A connection in use. Every method rejects with a PlatformError whose message holds no secret. */
export interface Session {
  /** Resolves when the system answers and lets us in. CONNECTION_FAILED or ACCESS_DENIED otherwise. */
  check(): Promise<void>;
  /** At most 1,000 streams, by name. */
  discover(): Promise<StreamDescription[]>;
  /** null: there is no such stream. A malformed name is BAD_USER_INPUT. */
  describe(stream: string): Promise<StreamDescription | null>;
  /** The dataset that a stream of this name is or would be. */
  datasetOf(stream: string): DatasetRef;
  /** Begins to read: where the store has snapshots, everything read through the result is of one. */
  openReading(signal: AbortSignal): Promise<Reading>;
  /** The state slots of one output, in the order of `inputs`; missing ones have version 0. */
  readSlots(stream: string, pipelineId: string, inputs: readonly string[]): Promise<Slot[]>;
  /** Checks the destination (DESTINATION_MISMATCH) and opens the staging. */
  load(request: LoadRequest, signal: AbortSignal): Promise<Load>;
  /**
   * Ends what earlier attempts at this load still have open at the destination: their process may stand still and hold locks for ever.
   * Absent: nothing can be left open.
   */
  endEarlier?(load: Pick<LoadIdentity, 'loadId' | 'epoch'>): Promise<void>;
  /** What is recorded of a load: null when it has not been committed. Decides after an unknown commit result. */
  findLoad(stream: string, loadId: string): Promise<CommittedLoad | null>;
  close(): Promise<void>;
}

/** An outside system. Pure but for `open`'s result. */
export interface Connector {
  readonly kind: string;
  /** Fields of `config` that hold secrets and therefore must be `${env:TRIBUTARY_SECRET_…}` references. */
  readonly secretFields: readonly string[];
  /** Everything that is wrong with the fields of a config, each as a sentence; empty when it can be used. */
  configProblems(config: Readonly<Record<string, unknown>>): string[];
  /** Namespace of this connection's datasets as OpenLineage's naming says; the local host is always `localhost`. */
  datasetNamespace(config: Readonly<Record<string, unknown>>): string;
  /** The stream's name in its normal form (`orders` → `public.orders`); null when it cannot be a name here. */
  normalizeStream(stream: string): string | null;
  /** How a column of this type is read; null when there is no exact form. */
  readConversion(storeType: string): ReadConversion | null;
  /** True when a column of this type can serve as an incremental cursor. */
  isCursorType(storeType: string): boolean;
  /** Why a column cannot have this name here, as the end of a sentence; null when it can. */
  columnNameProblem(name: string): string | null;
  /** The column that is made for a computed DuckDB type; null when there is no exact form. */
  writeConversion(duckdbType: string): WriteConversion | null;
  /** The type given to a column made for a value passed through from a column of the same kind of store. */
  createType(storeType: string): string;
  /** True when every value of store type `from` is stored in a column of type `to` unchanged. */
  assignable(from: string, to: string): boolean;
  /** True when a column whose type is changed so keeps every value and its text form. Absent: nobody knows. */
  readonly keepsText?: (from: string, to: string) => boolean;
  /** Why this stream cannot be loaded in this mode, as a sentence without its stop; null when it can. Absent: every one can. */
  readonly loadProblem?: (stream: string, mode: LoadRequest['mode']) => string | null;
  /** `config` with its secrets in place. Opens nothing until a method is called. */
  open(config: Readonly<Record<string, unknown>>, datasetNamespace: string): Session;
}
