import { integer, time } from './decode.js';
import { nothing, statement } from './statement.js';
import type { Locking } from './transaction.js';

type None = Record<never, never>;

export interface GraphState {
  readonly revision: number;
  /** RFC 3339, by the graph's clock. */
  readonly now: string;
}

export const readMeta = statement<None, GraphState>('meta/read', [], (record) => ({ revision: integer(record, 'revision'), now: time(record, 'now') }));
export const lockMeta = statement<Locking, string>('meta/lock', ['lock'], (record) => time(record, 'now'));
export const raiseRevision = statement<None, null>('meta/raise-revision', [], nothing);
