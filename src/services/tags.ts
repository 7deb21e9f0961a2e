import type { Graph } from '../graph/graph.js';
import { lockMark } from '../graph/ids.js';
import { closeTag, lockTagged, openTag, tagsOfNodes } from '../graph/tags.js';
import type { GraphTransaction } from '../graph/transaction.js';
import type { Column, Dataset } from '../model/catalogue.js';
import { PlatformError } from '../model/errors.js';
import type { NodeRef } from '../model/lineage-query.js';
import { mostTags, setByHand, type Tag, tagName } from '../model/tag.js';
import type { NodeService } from './nodes.js';

export interface TagServiceParts {
  readonly graph: Graph;
  readonly nodes: NodeService;
}

/** Tags that people set on datasets and columns. They are no lineage, so the graph's revision stays. */
export class TagService {
  constructor(private readonly parts: TagServiceParts) {}

  /**
   * Changes nothing where the tag is set already.
   *
   * @throws PlatformError NOT_FOUND; CONFLICT for what was deleted or has 100 tags; BAD_USER_INPUT for a job, a run or a name that no tag can have
   */
  tag(of: NodeRef, name: string): Promise<Dataset | Column> {
    return this.#change(of, name, async (transaction, { node, wanted, names }) => {
      if (names.includes(wanted)) return;
      if (names.length >= mostTags) {
        throw new PlatformError('CONFLICT', `${described(node)} has ${names.length} tags, and can have ${mostTags}: take one away with untag first.`);
      }
      await transaction.run(openTag, { id: node.id, name: wanted });
    });
  }

  /** Changes nothing where the tag is not set. Errors as `tag`. */
  untag(of: NodeRef, name: string): Promise<Dataset | Column> {
    return this.#change(of, name, async (transaction, { node, wanted, names }) => {
      if (names.includes(wanted)) await transaction.run(closeTag, { id: node.id, name: wanted });
    });
  }

  /** By name; in the order of `ids`. */
  async ofNodes(ids: readonly string[]): Promise<Tag[][]> {
    const found = await this.parts.graph.read(tagsOfNodes, { ids });
    const byId = new Map(found.map(({ nodeId, names }) => [nodeId, names]));
    return ids.map((id) => (byId.get(id) ?? []).map(setByHand));
  }

  async #change(of: NodeRef, name: string, change: (transaction: GraphTransaction, found: FoundNode) => Promise<void>): Promise<Dataset | Column> {
    const wanted = tagName(name);
    const [found] = await this.parts.nodes.resolve([of]);
    if (found == null) throw notFound();
    if (found.kind !== 'DATASET' && found.kind !== 'COLUMN') {
      const what = found.kind === 'JOB' ? `Job ${found.namespace}/${found.name}` : `Run ${found.id}`;
      throw new PlatformError('BAD_USER_INPUT', `${what} cannot have tags: name a dataset or a column.`);
    }
    await this.parts.graph.transaction(async (transaction) => {
      const [locked] = await transaction.run(lockTagged, { id: found.id, lock: lockMark() });
      if (locked === undefined) throw notFound();
      const { deletedAt, names } = locked;
      if (deletedAt !== null) throw new PlatformError('CONFLICT', `${described(found)} was deleted at ${deletedAt}, and its tags stay as they were then.`);
      await change(transaction, { node: found, wanted, names });
    });
    return found;
  }
}

/** What a tag is set on or taken from, under its lock. */
interface FoundNode {
  readonly node: Dataset | Column;
  readonly wanted: string;
  /** Of the tags that it has. */
  readonly names: readonly string[];
}

function described({ kind, displayName }: Dataset | Column): string {
  return `${kind === 'DATASET' ? 'Dataset' : 'Column'} ${displayName}`;
}

function notFound(): PlatformError {
  return new PlatformError('NOT_FOUND', 'There is no dataset or column of this name or id; name one that the graph has.');
}
