import type { StreamColumn, StreamDescription } from '../../model/connector.js';
import type { DatasetRef } from '../../model/dataset.js';
import type { ImpactCode } from '../../model/impact.js';
import type { NodeKey } from './nodes.js';

/** Why something is affected. */
export interface Cause {
  readonly code: ImpactCode;
  /** One sentence. */
  readonly reason: string;
  /** What it follows from: affected nodes among the inputs of the job that does it. */
  readonly via: readonly NodeKey[];
}

export interface Retype {
  readonly from: string;
  readonly to: string;
  /** Every value stays, its text form included. */
  readonly exact: boolean;
  /** What expressions see of it: the very same, the same value in a wider type, or something else. */
  readonly value: 'same' | 'wider' | 'other';
}

/** What becomes of one column. */
export interface ColumnEffect extends Cause {
  readonly gone: boolean;
  /** It was not there before. */
  readonly added: StreamColumn | null;
  readonly retyped: Retype | null;
  readonly values: boolean;
}

/** What becomes of one dataset. Only ever grows while a change is judged, so that cycles end. */
export interface DatasetEffect {
  readonly dataset: DatasetRef;
  /** The table is not there any more. */
  readonly gone: Cause | null;
  /** The schema of a table that was not known before. */
  readonly created: readonly StreamColumn[] | null;
  /** Other rows: every column has other values. */
  readonly rows: Cause | null;
  /** Not refreshed any more. */
  readonly stale: Cause | null;
  /** Written by a job that could not be judged. */
  readonly unknown: Cause | null;
  readonly columns: ReadonlyMap<string, ColumnEffect>;
  /** The table itself is what is changed, so that the jobs which write it are concerned too. */
  readonly isRoot: boolean;
}

export type Effects = ReadonlyMap<string, DatasetEffect>;

export function noEffect(dataset: DatasetRef): DatasetEffect {
  return { dataset, gone: null, created: null, rows: null, stale: null, unknown: null, columns: new Map(), isRoot: false };
}

export function isNoEffect({ gone, created, rows, stale, unknown, columns }: DatasetEffect): boolean {
  return columns.size === 0 && [gone, created, rows, stale, unknown].every((effect) => effect === null);
}

/** True when a reader need not be compiled: its input keeps its schema and its values, and is only not refreshed, or not judged. */
export function isOnlyStale({ gone, created, rows, columns }: DatasetEffect): boolean {
  return columns.size === 0 && gone === null && created === null && rows === null;
}

/** Both. Of two reasons for one thing the first is kept, with what either follows from. */
export function mergeEffects(a: DatasetEffect, b: DatasetEffect): DatasetEffect {
  const columns = new Map(a.columns);
  for (const [name, effect] of b.columns) columns.set(name, mergeColumns(columns.get(name), effect));
  return {
    dataset: a.dataset,
    gone: mergeCauses(a.gone, b.gone),
    created: a.created ?? b.created,
    rows: mergeCauses(a.rows, b.rows),
    stale: mergeCauses(a.stale, b.stale),
    unknown: mergeCauses(a.unknown, b.unknown),
    columns,
    isRoot: a.isRoot || b.isRoot,
  };
}

function mergeColumns(a: ColumnEffect | undefined, b: ColumnEffect): ColumnEffect {
  if (a === undefined) return b;
  const retyped =
    a.retyped && b.retyped
      ? { ...a.retyped, exact: a.retyped.exact && b.retyped.exact, value: a.retyped.value === b.retyped.value ? a.retyped.value : ('other' as const) }
      : (a.retyped ?? b.retyped);
  return { ...mergeCause(a, b), gone: a.gone || b.gone, added: a.added ?? b.added, retyped, values: a.values || b.values };
}

function mergeCauses(a: Cause | null, b: Cause | null): Cause | null {
  return a && b ? mergeCause(a, b) : (a ?? b);
}

function mergeCause({ code, reason, via }: Cause, other: Cause): Cause {
  return { code, reason, via: [...new Set([...via, ...other.via])] };
}

/** Equal for equal effects, whatever they follow from: what a fixpoint is known by. */
export function effectSignature({ gone, created, rows, stale, unknown, columns }: DatasetEffect): string {
  const listed = [...columns].map(([name, effect]) => [name, effect.gone, effect.added !== null, effect.retyped, effect.values]);
  return JSON.stringify([gone !== null, created !== null, rows !== null, stale !== null, unknown !== null, listed.sort()]);
}

/** How a column's type is read where its dataset is; given by the connector. */
export type TypeColumn = (column: StreamColumn, type: string) => StreamColumn;

/** A stream as it will be; null: it is not there. */
export function describedAfter(before: StreamDescription | null, effect: DatasetEffect | undefined, retype: TypeColumn): StreamDescription | null {
  if (effect === undefined) return before;
  if (effect.gone) return null;
  if (before === null) return effect.created === null ? null : { ...emptyStream(effect.dataset), columns: effect.created };
  const kept = before.columns.flatMap((column) => {
    const change = effect.columns.get(column.name);
    if (change?.gone) return [];
    return change?.retyped ? [retype(column, change.retyped.to)] : [column];
  });
  const names = new Set(kept.map(({ name }) => name));
  const added = [...effect.columns.values()].flatMap((change) => (change.added && !change.gone && !names.has(change.added.name) ? [change.added] : []));
  const columns = [...kept, ...added].sort((a, b) => a.ordinal - b.ordinal);
  const has = (list: readonly string[]): boolean => list.every((name) => columns.some((column) => column.name === name));
  return {
    ...before,
    columns,
    primaryKey: has(before.primaryKey) ? before.primaryKey : [],
    uniqueKeys: before.uniqueKeys.filter(has),
    cursorCandidates: before.cursorCandidates.filter((name) => has([name])),
  };
}

function emptyStream(dataset: DatasetRef): StreamDescription {
  return { stream: dataset.name, dataset, columns: [], primaryKey: [], uniqueKeys: [], cursorCandidates: [] };
}
