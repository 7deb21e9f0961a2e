/**
 * A bounded piece of a stream on its way: a CSV file in the run's folder. Rows are never held as objects.
 * Format: comma, `"` doubled inside quotes, LF between rows, no header; an unquoted empty field is NULL, `""` the empty
 * string. The first field of every row is `_pos`, its position in the read (from 1), unless it is on the way to an unnumbered load.
 */
export interface Segment {
  readonly path: string;
  /** Names behind `_pos`, in file order. */
  readonly columns: readonly string[];
  readonly rows: number;
  readonly sizeBytes: number;
  /** Length of the longest row in bytes; 0 when nobody needs it, on the way to a destination. */
  readonly widestRowBytes: number;
  /**
   * For a file in another format: what reads it in a FROM of DuckDB, with every column of `columns` as VARCHAR, and the position
   * of its first row. Absent: the format above.
   */
  readonly scan?: { readonly sql: string; readonly firstPosition: number };
  /** The part of the whole read that ends with it, in (0, 1], by the source's own measure, rising. Absent: the source cannot say. */
  readonly share?: number;
}

export interface SegmentLimits {
  /** A segment is closed at the first row end at or behind this size, in bytes. */
  readonly segmentBytes: number;
}

/** Size of a segment for `limits.memory`. Several are under way at a time, as files and as tables: each a sixty-fourth of it, at most 16 MiB. */
export function segmentBytes(memoryBytes: number): number {
  return Math.min(16 * 2 ** 20, Math.floor(memoryBytes / 64));
}
