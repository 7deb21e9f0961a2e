import { lastObserved } from '../graph/edges.js';
import type { Graph } from '../graph/graph.js';
import { edgesBetween, type FoundEdge, type WalkFilter } from '../graph/lineage.js';
import { type GraphState, readMeta } from '../graph/meta.js';
import type { GraphTransaction } from '../graph/transaction.js';
import { cycles } from '../lineage/cycles.js';
import { nearest, type Selection, select } from '../lineage/selection.js';
import type { LineageEdge } from '../model/catalogue.js';
import { PlatformError } from '../model/errors.js';
import type { LineageLevel } from '../model/lineage.js';
import type { LineageAnswer, LineageFilter, LineageQuery, NodeRef } from '../model/lineage-query.js';
import { type OneDirection, type Starts, startsOf } from './lineage-starts.js';
import { type Walk, walkColumns, walkDatasets } from './lineage-walks.js';
import { type LineageNode, NodeService } from './nodes.js';
import { longestList } from './pages.js';

const mostNodes = 200_000;
const timeoutMs = 60_000;
const mostTries = 3;

/** What depends on what: closures of datasets and columns, with exact depths. */
export class LineageService {
  readonly #nodes: NodeService;

  constructor(private readonly parts: { readonly graph: Graph }) {
    this.#nodes = new NodeService(parts);
  }

  /**
   * Everything up to `maxDepth` edges from the starts, nearest first, with the edges between what is shown.
   *
   * @throws PlatformError BAD_USER_INPUT for a bound out of range or a run as start, NOT_FOUND for a start that is not there, GRAPH_TIMEOUT
   */
  async graph(query: LineageQuery): Promise<LineageAnswer> {
    checkBounds(query);
    const nodes = await this.#startNodes(query.of);
    return this.parts.graph.readTransaction((transaction) => consistently(transaction, (state) => answer(transaction, query, nodes, state)), {
      timeoutMs,
      large: true,
    });
  }

  async #startNodes(refs: readonly NodeRef[]): Promise<LineageNode[]> {
    const nodes = await this.#nodes.resolve(refs);
    return nodes.map((node, index) => {
      if (node === null) throw new PlatformError('NOT_FOUND', `There is no node ${JSON.stringify(refs[index])}; look for it among the datasets and jobs.`);
      return node;
    });
  }
}

function checkBounds({ of, maxDepth, maxNodes }: LineageQuery): void {
  if (of.length < 1 || of.length > longestList) throw new PlatformError('BAD_USER_INPUT', `\`of\` names ${of.length} nodes; it must name 1 to ${longestList}.`);
  if (maxDepth !== null && (!Number.isInteger(maxDepth) || maxDepth < 0)) {
    throw new PlatformError('BAD_USER_INPUT', `\`maxDepth\` is ${maxDepth}; it must be a whole number, at least 0.`);
  }
  if (!Number.isInteger(maxNodes) || maxNodes < 1 || maxNodes > mostNodes) {
    throw new PlatformError('BAD_USER_INPUT', `\`maxNodes\` is ${maxNodes}; it must be a whole number from 1 to ${mostNodes}.`);
  }
}

/** Several statements see several states when someone writes between them: then they are asked again. */
async function consistently(transaction: GraphTransaction, ask: (state: GraphState) => Promise<LineageAnswer>): Promise<LineageAnswer> {
  for (let tries = 1; ; tries += 1) {
    const before = await stateOf(transaction);
    const answered = await ask(before);
    const after = await stateOf(transaction);
    if (after.revision === before.revision || tries === mostTries) return answered;
  }
}

async function stateOf(transaction: GraphTransaction): Promise<GraphState> {
  const [state] = await transaction.run(readMeta, {});
  if (state === undefined) throw new PlatformError('INTERNAL', 'The graph has no Meta node: it was not brought to its format at start.');
  return state;
}

async function answer(
  transaction: GraphTransaction,
  query: LineageQuery,
  nodes: readonly LineageNode[],
  { revision, now }: GraphState,
): Promise<LineageAnswer> {
  const filter = walkFilterOf(query.filter);
  const starts = await startsOf(transaction, nodes, query.level, filter);
  const walks: Walk[] = [];
  for (const direction of directionsOf(query)) {
    walks.push(
      await (query.level === 'DATASET'
        ? walkDatasets(transaction, starts, direction, filter)
        : walkColumns(transaction, starts, direction, filter, query.maxDepth)),
    );
  }
  const selection = select(depthsOf(walks, starts, query), query.maxDepth, query.maxNodes);
  const shown = withPassed(shownIds(starts, selection, query), walks);
  const hasColumn = walks.flatMap((walk) => walk.hasColumn).filter(([datasetId, columnId]) => shown.has(datasetId) && shown.has(columnId));
  const edges = await edgesAmong(transaction, [...shown], query.level, filter);
  return {
    start: starts.shown,
    asOf: now,
    revision: String(revision),
    ...selection,
    edges,
    cycles: cycles([...edges.map(({ fromId, toId }) => [fromId, toId] as const), ...hasColumn]),
  };
}

/** null for evidence: all but DECLARED. */
function walkFilterOf(filter: LineageFilter | null): WalkFilter {
  return { evidence: filter?.evidence ?? ['EXECUTED'], edgeTypes: filter?.edgeTypes ?? null, namespaces: filter?.namespaces ?? null };
}

function directionsOf({ direction }: LineageQuery): readonly OneDirection[] {
  return direction === 'BOTH' ? ['UPSTREAM', 'DOWNSTREAM'] : [direction];
}

/** A node that one direction starts at is no hit of the other. */
function depthsOf(walks: readonly Walk[], starts: Starts, query: LineageQuery): Map<string, number> {
  const depths = nearest(walks.map((walk) => walk.depths));
  for (const direction of directionsOf(query)) {
    for (const { id, depth } of starts.walk[direction]) if (depth === 0) depths.delete(id);
  }
  return depths;
}

function shownIds(starts: Starts, { hits }: Selection, query: LineageQuery): Set<string> {
  const atStart = directionsOf(query).flatMap((direction) => starts.walk[direction].filter(({ depth }) => depth === 0));
  return new Set([...atStart.map(({ id }) => id), ...starts.written, ...hits.map(({ nodeId }) => nodeId)]);
}

/** With the datasets that were passed on the way to what is shown: an edge upstream can end at one. */
function withPassed(shown: ReadonlySet<string>, walks: readonly Walk[]): Set<string> {
  const passed = walks.filter(({ passes }) => passes).flatMap(({ hasColumn }) => hasColumn.filter(([, columnId]) => shown.has(columnId)));
  return new Set([...shown, ...passed.map(([datasetId]) => datasetId)]);
}

async function edgesAmong(
  transaction: GraphTransaction,
  ids: readonly string[],
  level: LineageLevel,
  { evidence, edgeTypes }: WalkFilter,
): Promise<LineageEdge[]> {
  if (ids.length === 0) return [];
  const edges = await transaction.run(edgesBetween[level], { ids, evidence, edgeTypes });
  const jobIds = [...new Set(edges.map(({ jobId }) => jobId))];
  const observed = await transaction.run(lastObserved, { jobIds });
  const lastRuns = new Map(observed.map(({ jobId, outputId, runId }) => [`${jobId}/${outputId}`, runId]));
  return edges.map((edge) => toLineageEdge(edge, lastRuns));
}

function toLineageEdge({ outputId, ...edge }: FoundEdge, lastRuns: ReadonlyMap<string, string>): LineageEdge {
  const lastRunId = edge.evidence === 'EXECUTED' ? (lastRuns.get(`${edge.jobId}/${outputId}`) ?? null) : null;
  return { ...edge, validTo: null, lastRunId };
}
