import type { Statement } from './statement.js';

/** Runs statements one after the other in one transaction. */
export interface GraphTransaction {
  run<Params, Result>(statement: Statement<Params, Result>, params: Params): Promise<Result[]>;
}

/** A write to lock or conditional write marks the node with any value; the value itself says nothing. */
export interface Locking {
  readonly lock: string;
}
