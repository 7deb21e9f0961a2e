import { decodeCursor, encodeCursor } from '../lib/page-cursor.js';
import { normalizeTime } from '../lib/rfc3339.js';
import type { Page, PageRequest } from '../model/catalogue.js';
import { PlatformError } from '../model/errors.js';

/** Lists without pages hold at most so many items. */
export const longestList = 1000;

/** Sorts behind every time and every id that the graph holds. */
const endOfTime = '9999-12-31T23:59:59.999999Z';
const afterEveryId = '\u{10ffff}';

interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** How many rows to ask for: one more than the page holds tells whether there is a next page. */
export function rowLimit({ first }: PageRequest): number {
  if (!Number.isInteger(first) || first < 1 || first > longestList) {
    throw new PlatformError('BAD_USER_INPUT', `\`first\` is ${first}; it must be a whole number from 1 to ${longestList}.`);
  }
  return first + 1;
}

/** The page that `rows`, read with `rowLimit`, are. */
export function toPage<T>({ first, after }: PageRequest, rows: readonly T[], totalCount: number, cursorOf: (node: T) => string): Page<T> {
  return {
    items: rows.slice(0, first).map((node) => ({ cursor: cursorOf(node), node })),
    hasNextPage: rows.length > first,
    hasPreviousPage: after !== null,
    totalCount,
  };
}

/** The rows, unless they are more than a list without pages may hold. To be asked for with `longestList + 1`. */
export function wholeList<T>(rows: readonly T[], what: string): T[] {
  if (rows.length > longestList)
    throw new PlatformError('BAD_USER_INPUT', `There are more than ${longestList} ${what}; this list has no pages and cannot hold them.`);
  return [...rows];
}

export function keyCursor({ namespace, name }: Named): string {
  return encodeCursor([namespace, name]);
}

/** Position in a list ordered by namespace and name. */
export function positionByKey({ after }: PageRequest): { afterNamespace: string; afterName: string } {
  const [afterNamespace, afterName] = after === null ? ['', ''] : textParts(after);
  return { afterNamespace, afterName };
}

export function timeCursor(at: string, id: string): string {
  return encodeCursor([at, id]);
}

/** Position in a list ordered by time and id, newest first. */
export function positionByTime({ after }: PageRequest): { beforeAt: string; beforeId: string } {
  const [beforeAt, beforeId] = after === null ? [endOfTime, afterEveryId] : textParts(after);
  if (normalizeTime(beforeAt) === null) throw badCursor();
  return { beforeAt, beforeId };
}

function textParts(after: string): [string, string] {
  const parts = decodeCursor(after, ['string', 'string']);
  if (parts === null) throw badCursor();
  return parts as [string, string];
}

function badCursor(): PlatformError {
  return new PlatformError('BAD_USER_INPUT', '`after` is not a cursor of this list; use one from an earlier page of it, unchanged.');
}
