import { PlatformError } from '../../model/errors.js';
import { splitType } from './types.js';

/** What a column needs to know of its type to be a cursor. */
export interface CursorType {
  readonly kind: 'number' | 'time';
  /** Type that bounds are compared as, such that an index on the column serves. */
  readonly bound: 'bigint' | 'numeric' | 'date' | 'timestamp without time zone' | 'timestamp with time zone';
  /** The value that nothing can follow; null: the type has none. */
  readonly endless: 'NaN' | 'infinity' | null;
}

const duration = /^P(?=[\dT])(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d{1,6})?S)?)?$/;

/** @param baseType  `format_type` of the column, or of the type under its domain; null: no cursor can be of it */
export function cursorType(baseType: string): CursorType | null {
  const { word, arguments: lengths } = splitType(baseType);
  if (word === 'smallint' || word === 'integer' || word === 'bigint') return { kind: 'number', bound: 'bigint', endless: null };
  if (word === 'numeric') return lengths.length > 0 ? { kind: 'number', bound: 'numeric', endless: 'NaN' } : null;
  if (word === 'date' || word === 'timestamp without time zone' || word === 'timestamp with time zone')
    return { kind: 'time', bound: word, endless: 'infinity' };
  return null;
}

/** `$1` less `$2`, as a text: where a window begins. A bound beyond the type's lowest value is that value. */
export function lowerBound({ bound }: CursorType): string {
  if (bound === 'bigint') return '(GREATEST(CAST($1 AS numeric) - CAST($2 AS numeric), -9223372036854775808))::text';
  if (bound === 'numeric') return '(CAST($1 AS numeric) - CAST($2 AS numeric))::text';
  return `CAST(CAST($1 AS ${bound}) - CAST($2 AS interval) AS ${bound})::text`;
}

/** @throws PlatformError BAD_USER_INPUT when the lookback is not of the cursor's kind */
export function lookbackText({ kind }: CursorType, lookback: string | number | null, cursor: string): string {
  if (lookback === null) return '0';
  if (kind === 'time' && typeof lookback === 'string' && duration.test(lookback)) return lookback;
  if (kind === 'number' && typeof lookback === 'number' && Number.isSafeInteger(lookback) && lookback >= 0) return String(lookback);
  const wanted =
    kind === 'time' ? 'a time, so that its lookback is an ISO 8601 duration such as PT10M' : 'a number, so that its lookback is a whole number from 0';
  throw new PlatformError('BAD_USER_INPUT', `The cursor "${cursor}" is ${wanted}, not ${JSON.stringify(lookback)}.`);
}
