import type { KnownNode } from '../../lineage/impact/findings.js';
import { type NodeKey, nodeName } from '../../lineage/impact/nodes.js';
import type { KnownReader } from './prepare-readers.js';
import type { RecordedTable } from './recorded-tables.js';

/** Names nodes for people, with their ids where the graph has them. */
export function describeNode(
  readers: ReadonlyMap<string, KnownReader & { readonly owners: readonly string[] }>,
  tables: ReadonlyMap<string, RecordedTable>,
): (node: NodeKey) => KnownNode {
  const jobs = new Map([...readers.values()].map((reader) => [`${reader.job.namespace}/${reader.job.name}`, reader]));
  return (node) => {
    const { kind, owner, column } = nodeName(node);
    if (kind === 'JOB') {
      const job = jobs.get(owner);
      const id = job && !job.id.startsWith(newJob) ? job.id : null;
      return { kind, id, key: owner, namespace: job?.job.namespace ?? '', owners: job?.owners ?? [], tags: [] };
    }
    const table = tables.get(owner);
    const name = table ? `${table.namespace}/${table.name}` : owner;
    const id = (kind === 'DATASET' ? table?.id : table?.columns.find((known) => known.name === column)?.id) ?? null;
    const tags = (id === null ? undefined : table?.tags.get(id)) ?? [];
    const key = kind === 'DATASET' ? name : `${name}.${column}`;
    return { kind, id, key, namespace: table?.namespace ?? '', owners: table?.owners ?? [], tags };
  };
}

/** What the id of a job begins with that has never been saved. */
export const newJob = 'new ';
