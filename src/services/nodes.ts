import { findColumns, findColumnsByIds } from '../graph/columns.js';
import { findDatasets, findDatasetsByIds } from '../graph/datasets.js';
import type { Graph } from '../graph/graph.js';
import { findPipelines, findPipelinesByIds } from '../graph/pipelines.js';
import { findRunsByIds } from '../graph/runs.js';
import type { Column, Dataset, Pipeline } from '../model/catalogue.js';
import { PlatformError } from '../model/errors.js';
import type { NodeRef } from '../model/lineage-query.js';
import type { Run } from '../model/run.js';

/** A run as a node of the graph. */
export interface RunNode extends Run {
  readonly kind: 'RUN';
  readonly displayName: string;
  readonly deletedAt: null;
}

export type LineageNode = Dataset | Column | Pipeline | RunNode;

type RefField = keyof NodeRef;
const refFields: readonly RefField[] = ['id', 'dataset', 'column', 'job', 'run'];

/** The one field of a ref that is given. @throws PlatformError BAD_USER_INPUT */
export function refField(ref: NodeRef): RefField {
  const given = refFields.filter((field) => ref[field] !== null && ref[field] !== undefined);
  const [field] = given;
  if (field === undefined || given.length > 1) {
    throw new PlatformError(
      'BAD_USER_INPUT',
      `A node is named by exactly one of ${refFields.join(', ')}; ${given.length === 0 ? 'none is' : `${given.join(' and ')} are`} given.`,
    );
  }
  return field;
}

/** Whatever lineage can pass through, by id or by name. */
export class NodeService {
  constructor(private readonly parts: { readonly graph: Graph }) {}

  /** In the order of `ids`; null where there is none. Deleted nodes are found. */
  async byIds(ids: readonly string[]): Promise<(LineageNode | null)[]> {
    const kindOf = (prefix: string): string[] => ids.filter((id) => id.startsWith(prefix));
    const { graph } = this.parts;
    const [datasets, columns, pipelines, runs] = await Promise.all([
      unlessEmpty(kindOf('ds_'), (some) => graph.read(findDatasetsByIds, { ids: some })),
      unlessEmpty(kindOf('col_'), (some) => graph.read(findColumnsByIds, { ids: some })),
      unlessEmpty(kindOf('job_'), (some) => graph.read(findPipelinesByIds, { ids: some })),
      unlessEmpty(
        ids.filter((id) => !id.includes('_')),
        (some) => graph.read(findRunsByIds, { ids: some }),
      ),
    ]);
    const runNodes = runs.map(({ run, pipelineName }): RunNode => ({ ...run, kind: 'RUN', displayName: `${pipelineName} ${run.queuedAt}`, deletedAt: null }));
    const byId = new Map<string, LineageNode>([...datasets, ...columns, ...pipelines, ...runNodes].map((node) => [node.id, node]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  /** In the order of `refs`; null where there is none. @throws PlatformError BAD_USER_INPUT when a ref is not exactly one of its fields */
  async resolve(refs: readonly NodeRef[]): Promise<(LineageNode | null)[]> {
    for (const ref of refs) refField(ref);
    const { graph } = this.parts;
    const datasets = refs.flatMap((ref) => ref.dataset ?? []);
    const columns = refs.flatMap((ref) => ref.column ?? []);
    const jobs = refs.flatMap((ref) => ref.job ?? []);
    const ids = refs.flatMap((ref) => ref.id ?? ref.run ?? []);
    const [foundDatasets, foundColumns, foundJobs, foundIds] = await Promise.all([
      unlessEmpty(datasets, (some) => graph.read(findDatasets, { datasets: some.map(({ namespace, name }) => ({ namespace, name })) })),
      unlessEmpty(columns, (some) => graph.read(findColumns, { columns: some.map(({ namespace, dataset, name }) => ({ namespace, dataset, name })) })),
      unlessEmpty(jobs, (some) => graph.read(findPipelines, { pipelines: some.map(({ namespace, name }) => ({ namespace, name })) })),
      this.byIds(ids),
    ]);
    const byKey = new Map<string, LineageNode>([
      ...foundDatasets.map((found): [string, LineageNode] => [JSON.stringify(['dataset', found.namespace, found.name]), found.dataset]),
      ...foundColumns.map((found): [string, LineageNode] => [JSON.stringify(['column', found.namespace, found.dataset, found.name]), found.column]),
      ...foundJobs.map((found): [string, LineageNode] => [JSON.stringify(['job', found.namespace, found.name]), found]),
      ...foundIds.flatMap((found): [string, LineageNode][] => (found === null ? [] : [[found.id, found]])),
    ]);
    return refs.map((ref) => nodeFor(ref, byKey));
  }
}

function nodeFor(ref: NodeRef, byKey: ReadonlyMap<string, LineageNode>): LineageNode | null {
  if (ref.run) {
    const node = byKey.get(ref.run);
    return node?.kind === 'RUN' ? node : null;
  }
  return byKey.get(keyOf(ref)) ?? null;
}

function keyOf({ id, dataset, column, job }: NodeRef): string {
  if (dataset) return JSON.stringify(['dataset', dataset.namespace, dataset.name]);
  if (column) return JSON.stringify(['column', column.namespace, column.dataset, column.name]);
  if (job) return JSON.stringify(['job', job.namespace, job.name]);
  return id ?? '';
}

function unlessEmpty<Item, Result>(items: readonly Item[], read: (items: readonly Item[]) => Promise<Result[]>): Promise<Result[]> {
  return items.length === 0 ? Promise.resolve([]) : read(items);
}
