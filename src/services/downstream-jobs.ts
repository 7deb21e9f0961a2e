import type { Graph } from '../graph/graph.js';
import { datasetClosure, jobsReading, type WalkFilter } from '../graph/lineage.js';
import { readMeta } from '../graph/meta.js';
import type { GraphTransaction } from '../graph/transaction.js';
import { PlatformError } from '../model/errors.js';
import type { NodeRef } from '../model/lineage-query.js';
import { startsOf } from './lineage-starts.js';
import { type LineageNode, NodeService } from './nodes.js';
import { longestList } from './pages.js';

/** Jobs downstream of some nodes, as of now. */
export type JobSet = () => Promise<ReadonlySet<string>>;

interface Known {
  readonly revision: number;
  readonly jobs: ReadonlySet<string>;
}

/** What ran and what is saved: a pipeline's first run is downstream before it has left an edge. */
const everything: WalkFilter = { evidence: ['EXECUTED', 'DECLARED'], edgeTypes: null, namespaces: null };
const mostKept = 200;

/** Which jobs lie downstream of nodes, at dataset level. Asked again when the graph's revision has changed, once for all who want to know. */
export class DownstreamJobs {
  private readonly nodes: NodeService;
  /** By the ids of the nodes. */
  private readonly known = new Map<string, Promise<Known>>();
  private asking: Promise<number> | null = null;
  private askedNext: Promise<number> | null = null;

  constructor(private readonly parts: { readonly graph: Graph }) {
    this.nodes = new NodeService(parts);
  }

  /** @throws PlatformError NOT_FOUND for a node that is not there, BAD_USER_INPUT for a run or too many nodes */
  async of(refs: readonly NodeRef[]): Promise<JobSet> {
    if (refs.length < 1 || refs.length > longestList) {
      throw new PlatformError('BAD_USER_INPUT', `\`downstreamOf\` names ${refs.length} nodes; it must name 1 to ${longestList}.`);
    }
    const found = await this.nodes.resolve(refs);
    const nodes = found.map((node, index) => {
      if (node === null) throw new PlatformError('NOT_FOUND', `There is no node ${JSON.stringify(refs[index])}; look for it among the datasets and jobs.`);
      return node;
    });
    const key = [...new Set(nodes.map(({ id }) => id))].sort().join(' ');
    const set = async (): Promise<ReadonlySet<string>> => (await this.current(key, nodes)).jobs;
    await set();
    return set;
  }

  private async current(key: string, nodes: readonly LineageNode[]): Promise<Known> {
    const revision = await this.revision();
    for (;;) {
      const kept = this.known.get(key) ?? this.ask(key, nodes);
      const known = await kept;
      if (known.revision >= revision) return known;
      if (this.known.get(key) === kept) this.known.delete(key);
    }
  }

  private ask(key: string, nodes: readonly LineageNode[]): Promise<Known> {
    const asked = this.parts.graph.readTransaction((transaction) => closure(transaction, nodes), { large: true });
    this.known.set(key, asked);
    asked.catch(() => {
      if (this.known.get(key) === asked) this.known.delete(key);
    });
    const [oldest] = this.known.keys();
    if (this.known.size > mostKept && oldest !== undefined) this.known.delete(oldest);
    return asked;
  }

  /** As of a moment not before the call; those who ask while a question is under way share the next one. */
  private revision(): Promise<number> {
    if (this.asking === null) return this.askRevision();
    this.askedNext ??= this.asking
      .catch(() => 0)
      .then(() => {
        this.askedNext = null;
        return this.askRevision();
      });
    return this.askedNext;
  }

  private askRevision(): Promise<number> {
    const asking = this.parts.graph
      .read(readMeta, {})
      .then(([state]) => state?.revision ?? 0)
      .finally(() => {
        if (this.asking === asking) this.asking = null;
      });
    this.asking = asking;
    return asking;
  }
}

async function closure(transaction: GraphTransaction, nodes: readonly LineageNode[]): Promise<Known> {
  // Read first: what is saved meanwhile makes the answer old, never too new for its revision.
  const [state] = await transaction.run(readMeta, {});
  const { walk } = await startsOf(transaction, nodes, 'DATASET', everything);
  const startIds = walk.DOWNSTREAM.map(({ id }) => id);
  const reached = await transaction.run(datasetClosure.DOWNSTREAM, { ...everything, startIds });
  const jobs = await transaction.run(jobsReading, { datasetIds: [...startIds, ...reached.map(({ id }) => id)] });
  return { revision: state?.revision ?? 0, jobs: new Set(jobs) };
}
