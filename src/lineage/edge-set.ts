import { sha256 } from '../lib/sha256.js';
import { type DatasetRef, datasetKey } from '../model/dataset.js';
import type { JobEdge, NewJobEdge } from '../model/job-edge.js';
import type { EdgeType, OutputLineage, Transformation } from '../model/lineage.js';

/** Ids of the graph's nodes. Each throws when there is no such node. */
export interface NodeIds {
  dataset(dataset: DatasetRef): string;
  column(dataset: DatasetRef, name: string): string;
}

export interface EdgeChanges {
  readonly opened: readonly NewJobEdge[];
  readonly closed: readonly JobEdge[];
}

/** The same for equal edge sets, in whatever order their edges are. */
export function edgeSetHash({ output, inputs, columns, influences }: OutputLineage): string {
  const lines = [
    ...inputs.map((input) => ['FEEDS', datasetKey(input)]),
    ...columns.map(({ from, to, transformations }) => ['DERIVES', datasetKey(from.dataset), from.name, to, canonical(transformations)]),
    ...influences.map(({ from, transformations }) => ['INFLUENCES', datasetKey(from.dataset), from.name, canonical(transformations)]),
  ].map((line) => JSON.stringify(line));
  return sha256([datasetKey(output), ...new Set(lines.sort())].join('\n'));
}

/** The edges of one output, as the graph holds them. Edges stated twice are one, with the transformations of both. */
export function edgesOf({ output, inputs, columns, influences }: OutputLineage, ids: NodeIds): NewJobEdge[] {
  const outputId = ids.dataset(output);
  const edges = new EdgeCollector(outputId);
  for (const { from, to, transformations } of columns) edges.add('DERIVES', ids.column(from.dataset, from.name), ids.column(output, to), transformations);
  for (const { from, transformations } of influences) edges.add('INFLUENCES', ids.column(from.dataset, from.name), outputId, transformations);
  const typesFrom = typesByInput({ columns, influences });
  for (const input of inputs) edges.add('FEEDS', ids.dataset(input), outputId, [], typesFrom.get(datasetKey(input)) ?? []);
  return edges.all();
}

/** What must be opened and closed so that the open edges are the wanted ones. An edge with other transformations is closed and opened anew. */
export function edgeChanges(open: readonly JobEdge[], wanted: readonly NewJobEdge[]): EdgeChanges {
  const openByIdentity = new Map(open.map((edge) => [fullIdentity(edge), edge]));
  const wantedIdentities = new Set(wanted.map(fullIdentity));
  return {
    opened: wanted.filter((edge) => !openByIdentity.has(fullIdentity(edge))),
    closed: open.filter((edge) => !wantedIdentities.has(fullIdentity(edge))),
  };
}

class EdgeCollector {
  readonly #edges = new Map<string, { kind: NewJobEdge['kind']; fromId: string; toId: string; transformations: Transformation[]; types: Set<EdgeType> }>();

  constructor(private readonly outputId: string) {}

  add(kind: NewJobEdge['kind'], fromId: string, toId: string, transformations: readonly Transformation[], types: Iterable<EdgeType> = []): void {
    const key = JSON.stringify([kind, fromId, toId]);
    const edge = this.#edges.get(key) ?? { kind, fromId, toId, transformations: [], types: new Set<EdgeType>() };
    edge.transformations.push(...transformations);
    for (const type of [...types, ...transformations.map((transformation) => transformation.type)]) edge.types.add(type);
    this.#edges.set(key, edge);
  }

  all(): NewJobEdge[] {
    return [...this.#edges.values()].map(({ transformations, types, ...edge }) => ({
      ...edge,
      outputId: this.outputId,
      transformations: canonical(transformations),
      types: [...types].sort(),
    }));
  }
}

function fullIdentity({ kind, fromId, toId, outputId, transformations, types }: NewJobEdge): string {
  return JSON.stringify([kind, fromId, toId, outputId, transformations, types]);
}

function typesByInput({ columns, influences }: Pick<OutputLineage, 'columns' | 'influences'>): Map<string, Set<EdgeType>> {
  const types = new Map<string, Set<EdgeType>>();
  for (const { from, transformations } of [...columns, ...influences]) {
    const key = datasetKey(from.dataset);
    const found = types.get(key) ?? new Set<EdgeType>();
    for (const { type } of transformations) found.add(type);
    types.set(key, found);
  }
  return types;
}

/** JSON of transformations, each once, in the order in which they happened. */
function canonical(transformations: readonly Transformation[]): string {
  const texts = transformations.map(({ type, subtype, expression, masking, step }) => JSON.stringify({ type, subtype, expression, masking, step }));
  return `[${[...new Set(texts)].join(',')}]`;
}
