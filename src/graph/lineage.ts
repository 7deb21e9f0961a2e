import type { LineageEdge } from '../model/catalogue.js';
import type { EdgeType, Evidence } from '../model/lineage.js';
import type { WalkNode } from '../model/walk-node.js';
import { type Fields, integer, json, text, texts, time } from './decode.js';
import { statement } from './statement.js';

/** What a walk may pass. null: everything. */
export interface WalkFilter {
  readonly evidence: readonly Evidence[];
  readonly edgeTypes: readonly EdgeType[] | null;
  readonly namespaces: readonly string[] | null;
}

type DatasetWalk = WalkFilter & { readonly startIds: readonly string[] };
type ColumnWalk = DatasetWalk & { readonly maxHops: number | null };
type EdgesBetween = Omit<WalkFilter, 'namespaces'> & { readonly ids: readonly string[] };

export type FoundEdge = Omit<LineageEdge, 'lastRunId' | 'validTo' | 'jobId'> & { readonly jobId: string; readonly outputId: string };

const walkFilter = ['startIds', 'evidence', 'edgeTypes', 'namespaces'] as const;
const hit = (record: Fields): { id: string; depth: number } => ({ id: text(record, 'id'), depth: integer(record, 'depth') });

function walkNode(record: Fields): WalkNode {
  return { id: text(record, 'id'), edges: texts(record, 'edges'), columns: texts(record, 'columns') };
}

function foundEdge(record: Fields): FoundEdge {
  return {
    id: text(record, 'id'),
    fromId: text(record, 'fromId'),
    toId: text(record, 'toId'),
    jobId: text(record, 'jobId'),
    outputId: text(record, 'outputId'),
    transformations: json(record, 'transformations'),
    evidence: text(record, 'evidence') as Evidence,
    validFrom: time(record, 'validFrom'),
  };
}

export const datasetClosure = {
  DOWNSTREAM: statement<DatasetWalk, { id: string; depth: number }>('lineage/downstream-datasets', walkFilter, hit),
  UPSTREAM: statement<DatasetWalk, { id: string; depth: number }>('lineage/upstream-datasets', walkFilter, hit),
} as const;

export const columnClosure = {
  DOWNSTREAM: statement<ColumnWalk, WalkNode>('lineage/downstream-columns', [...walkFilter, 'maxHops'], walkNode),
  UPSTREAM: statement<ColumnWalk, WalkNode>('lineage/upstream-columns', [...walkFilter, 'maxHops'], walkNode),
} as const;

/** The steps of all columns of some datasets. */
export const columnSteps = {
  DOWNSTREAM: statement<WalkFilter & { datasetIds: readonly string[] }, WalkNode>(
    'lineage/downstream-steps',
    ['datasetIds', 'evidence', 'edgeTypes', 'namespaces'],
    walkNode,
  ),
  UPSTREAM: statement<WalkFilter & { datasetIds: readonly string[] }, WalkNode>(
    'lineage/upstream-steps',
    ['datasetIds', 'evidence', 'edgeTypes', 'namespaces'],
    walkNode,
  ),
} as const;

export const edgesBetween = {
  DATASET: statement<EdgesBetween, FoundEdge>('lineage/dataset-edges', ['ids', 'evidence', 'edgeTypes'], foundEdge),
  COLUMN: statement<EdgesBetween, FoundEdge>('lineage/column-edges', ['ids', 'evidence', 'edgeTypes'], foundEdge),
} as const;

export const datasetsOfJob = statement<WalkFilter & { jobId: string }, { inputIds: string[]; outputIds: string[] }>(
  'lineage/datasets-of-job',
  ['jobId', 'evidence', 'edgeTypes', 'namespaces'],
  (record) => ({ inputIds: texts(record, 'inputIds'), outputIds: texts(record, 'outputIds') }),
);
export const columnsReadByJob = statement<WalkFilter & { jobId: string }, string>(
  'lineage/columns-of-job',
  ['jobId', 'evidence', 'edgeTypes', 'namespaces'],
  (record) => text(record, 'id'),
);
/** Result: ids of jobs. */
export const jobsReading = statement<{ datasetIds: readonly string[] }, string>('lineage/jobs-reading', ['datasetIds'], (record) => text(record, 'id'));
