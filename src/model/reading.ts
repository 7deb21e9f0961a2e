import type { Segment, SegmentLimits } from './segment.js';

/** Rows whose cursor is at or behind `from` (less the lookback) and before `to`. */
export interface CursorWindow {
  readonly cursor: string;
  /** Text form; null: from the beginning. */
  readonly from: string | null;
  /** Text form; null: to the end of the snapshot. */
  readonly to: string | null;
  readonly lookback: string | number | null;
  /** Rows without a cursor are read as well. */
  readonly nulls: boolean;
  /** Rows at `from` that an earlier window has read and that are left out; null: they are read again. */
  readonly seen: SeenRows | null;
}

/** Rows at the end of a window, so that the next one does not read them twice. */
export interface SeenRows {
  /** Columns that the hashes cover. */
  readonly columns: readonly string[];
  /** Row hash → how many such rows. */
  readonly counts: Readonly<Record<string, number>>;
}

/** How far one input has been read for one output. Kept at the destination. */
export interface CursorState {
  readonly stream: string;
  readonly cursor: string;
  /** Highest cursor read, as text; null: no row had one. */
  readonly last: string | null;
  readonly seen: SeenRows | null;
}

/** What a destination says about the slot of one input. */
export interface Slot {
  readonly input: string;
  /** 0: never committed. */
  readonly version: number;
  readonly state: CursorState | null;
}

export interface WindowRequest {
  readonly stream: string;
  readonly cursor: string;
  /** `last` of the state; null: from the beginning. */
  readonly from: string | null;
  readonly lookback: string | number | null;
  /** fail: there must be none. */
  readonly nulls: 'fail' | 'include' | 'exclude';
  /** What the last window read at its end. */
  readonly seen: SeenRows | null;
  /** Columns to tell rows at the end of the window by; null: they may be read again. */
  readonly seenColumns: readonly string[] | null;
}

export interface FoundWindow {
  readonly window: CursorWindow;
  /** Highest cursor within the window or before it. */
  readonly last: string | null;
  readonly seen: SeenRows | null;
}

/** Rows that have one of these value lists in these columns. */
export interface ReadKeys {
  readonly columns: readonly string[];
  /** Text forms. */
  readonly rows: readonly (readonly (string | null)[])[];
}

export interface ReadRequest {
  readonly stream: string;
  /** Only these are asked for, in this order. */
  readonly columns: readonly string[];
  /** null: every row. */
  readonly window: CursorWindow | null;
  /** null: every row. Never beside a window. */
  readonly keys: ReadKeys | null;
  /** Segments are written here; the reader owns and removes them. */
  readonly folder: string;
  readonly limits: SegmentLimits;
}

/** Streams of one connection being read, one after the other. */
export interface Reading {
  /**
   * The rows that are new since `from`. Nothing that a transaction under way may still write lies before its end.
   *
   * @throws PlatformError CURSOR_NULL when `nulls` is fail and there is a row without a cursor
   */
  window(request: WindowRequest): Promise<FoundWindow>;
  /** The different values of `columns` among the rows of a window, as texts; null: more than `most`. */
  touched(stream: string, window: CursorWindow, columns: readonly string[], most: number): Promise<ReadKeys['rows'] | null>;
  /**
   * How many rows a read will give, by the source's own estimate; null: it cannot say. Absent: it never can, but its segments may tell
   * their share. Costs next to nothing.
   */
  expectedRows?(request: Omit<ReadRequest, 'folder' | 'limits'>): Promise<number | null>;
  /** Writes segments in source order; ends when the source is exhausted. A stream without rows yields none. */
  read(request: ReadRequest): AsyncIterable<Segment>;
  close(): Promise<void>;
}
