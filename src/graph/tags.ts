import { type Fields, optionalTime, text, texts } from './decode.js';
import { nothing, statement } from './statement.js';
import type { Locking } from './transaction.js';

/** A dataset or column under its lock. */
export interface LockedNode {
  /** RFC 3339 */
  readonly deletedAt: string | null;
  /** Of its tags. */
  readonly names: readonly string[];
}

/** What has at least one tag, with their names in order. */
export interface TaggedNode {
  readonly nodeId: string;
  readonly names: readonly string[];
}

function tagged(record: Fields): TaggedNode {
  return { nodeId: text(record, 'nodeId'), names: texts(record, 'names') };
}

export const lockTagged = statement<{ id: string } & Locking, LockedNode>('tags/lock', ['id', 'lock'], (record) => ({
  deletedAt: optionalTime(record, 'deletedAt'),
  names: texts(record, 'names'),
}));
export const openTag = statement<{ id: string; name: string }, null>('tags/open', ['id', 'name'], nothing);
export const closeTag = statement<{ id: string; name: string }, null>('tags/close', ['id', 'name'], nothing);
export const tagsOfNodes = statement<{ ids: readonly string[] }, TaggedNode>('tags/of-nodes', ['ids'], tagged);
/** Also of the columns that the datasets have now. */
export const tagsOfDatasets = statement<{ datasetIds: readonly string[] }, TaggedNode>('tags/of-datasets', ['datasetIds'], tagged);
