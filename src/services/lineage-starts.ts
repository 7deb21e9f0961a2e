import { columnsOfDatasets } from '../graph/columns.js';
import { columnsReadByJob, datasetsOfJob, type WalkFilter } from '../graph/lineage.js';
import type { GraphTransaction } from '../graph/transaction.js';
import type { WalkStart } from '../lineage/walk.js';
import { PlatformError } from '../model/errors.js';
import type { Direction, LineageLevel } from '../model/lineage.js';
import type { LineageNode } from './nodes.js';

export type OneDirection = Exclude<Direction, 'BOTH'>;

/** Where a walk begins. */
export interface Starts {
  /** What the caller is told the walk began at. */
  readonly shown: readonly string[];
  readonly walk: Readonly<Record<OneDirection, readonly WalkStart[]>>;
  /** The datasets that the starts are, or are columns of. */
  readonly datasetIds: Readonly<Record<OneDirection, readonly string[]>>;
  /** Datasets that a job writes: no nodes of a column walk, but what influences them as a whole is an edge of the job. */
  readonly written: readonly string[];
}

interface Start {
  readonly shown: readonly string[];
  readonly upstream: readonly WalkStart[];
  readonly downstream: readonly WalkStart[];
  readonly datasetIds: { readonly upstream: readonly string[]; readonly downstream: readonly string[] };
  readonly written: readonly string[];
}

/** More than any store allows a table to have. */
const mostColumns = 100_000;

/** @throws PlatformError BAD_USER_INPUT for a run, which has no lineage at these levels */
export async function startsOf(transaction: GraphTransaction, nodes: readonly LineageNode[], level: LineageLevel, filter: WalkFilter): Promise<Starts> {
  const starts: Start[] = [];
  for (const node of nodes) starts.push(await (level === 'DATASET' ? datasetStart(transaction, node, filter) : columnStart(transaction, node, filter)));
  return {
    shown: [...new Set(starts.flatMap(({ shown }) => shown))],
    walk: { UPSTREAM: starts.flatMap(({ upstream }) => upstream), DOWNSTREAM: starts.flatMap(({ downstream }) => downstream) },
    datasetIds: {
      UPSTREAM: [...new Set(starts.flatMap(({ datasetIds }) => datasetIds.upstream))],
      DOWNSTREAM: [...new Set(starts.flatMap(({ datasetIds }) => datasetIds.downstream))],
    },
    written: starts.flatMap(({ written }) => written),
  };
}

async function datasetStart(transaction: GraphTransaction, node: LineageNode, filter: WalkFilter): Promise<Start> {
  if (node.kind === 'DATASET') return sameBothWays([node.id], node.id);
  if (node.kind === 'COLUMN') return sameBothWays([node.datasetId], node.datasetId);
  if (node.kind === 'RUN') throw runStart(node.id);
  const { inputIds, outputIds } = await datasetsTouchedBy(transaction, node.id, filter);
  return { shown: [node.id], upstream: at(1, inputIds), downstream: at(1, outputIds), datasetIds: { upstream: inputIds, downstream: outputIds }, written: [] };
}

async function columnStart(transaction: GraphTransaction, node: LineageNode, filter: WalkFilter): Promise<Start> {
  if (node.kind === 'COLUMN') return sameBothWays([node.id], node.datasetId);
  if (node.kind === 'RUN') throw runStart(node.id);
  if (node.kind === 'DATASET') {
    const columnIds = await columnIdsOf(transaction, [node.id]);
    return { ...sameBothWays([node.id, ...columnIds], node.id), shown: columnIds.length > 0 ? columnIds : [node.id] };
  }
  const { inputIds, outputIds } = await datasetsTouchedBy(transaction, node.id, filter);
  const readIds = await transaction.run(columnsReadByJob, { jobId: node.id, ...filter });
  return {
    shown: [node.id],
    upstream: at(1, readIds),
    downstream: at(1, await columnIdsOf(transaction, outputIds)),
    datasetIds: { upstream: inputIds, downstream: outputIds },
    written: outputIds,
  };
}

async function datasetsTouchedBy(transaction: GraphTransaction, jobId: string, filter: WalkFilter): Promise<{ inputIds: string[]; outputIds: string[] }> {
  const [touched] = await transaction.run(datasetsOfJob, { jobId, ...filter });
  return touched ?? { inputIds: [], outputIds: [] };
}

async function columnIdsOf(transaction: GraphTransaction, datasetIds: readonly string[]): Promise<string[]> {
  const columns = await transaction.run(columnsOfDatasets, { datasetIds, limit: mostColumns });
  return columns.map(({ id }) => id);
}

function sameBothWays(ids: readonly string[], datasetId: string): Start {
  const walk = at(0, ids);
  const datasetIds = { upstream: [datasetId], downstream: [datasetId] };
  return { shown: ids, upstream: walk, downstream: walk, datasetIds, written: [] };
}

function at(depth: number, ids: readonly string[]): WalkStart[] {
  return ids.map((id) => ({ id, depth }));
}

function runStart(id: string): PlatformError {
  return new PlatformError('BAD_USER_INPUT', `Run ${id} cannot be a start of lineage; start at its job, or at a dataset that it read or wrote.`);
}
