import type { EdgeKind, JobEdge } from '../model/job-edge.js';
import type { EdgeType, Evidence } from '../model/lineage.js';
import { type Fields, text, texts } from './decode.js';
import { nothing, type Statement, statement } from './statement.js';

interface Opening {
  readonly jobId: string;
  readonly source: Evidence;
  readonly edges: readonly Omit<JobEdge, 'kind'>[];
  /** RFC 3339 */
  readonly at: string;
}

interface Closing {
  readonly jobId: string;
  readonly ids: readonly string[];
  /** RFC 3339 */
  readonly at: string;
}

export const openEdgesOfJob = statement<{ jobId: string; source: Evidence }, JobEdge>('edges/open-of-job', ['jobId', 'source'], (record: Fields) => ({
  kind: text(record, 'kind') as EdgeKind,
  id: text(record, 'id'),
  fromId: text(record, 'fromId'),
  toId: text(record, 'toId'),
  outputId: text(record, 'outputId'),
  transformations: text(record, 'transformations'),
  types: texts(record, 'types') as EdgeType[],
}));

export const openEdges: Readonly<Record<EdgeKind, Statement<Opening, null>>> = {
  FEEDS: statement<Opening, null>('edges/open-feeds', ['jobId', 'source', 'edges', 'at'], nothing),
  DERIVES: statement<Opening, null>('edges/open-derives', ['jobId', 'source', 'edges', 'at'], nothing),
  INFLUENCES: statement<Opening, null>('edges/open-influences', ['jobId', 'source', 'edges', 'at'], nothing),
};

export const closeEdges: Readonly<Record<EdgeKind, Statement<Closing, null>>> = {
  FEEDS: statement<Closing, null>('edges/close-feeds', ['jobId', 'ids', 'at'], nothing),
  DERIVES: statement<Closing, null>('edges/close-derives', ['jobId', 'ids', 'at'], nothing),
  INFLUENCES: statement<Closing, null>('edges/close-influences', ['jobId', 'ids', 'at'], nothing),
};

export const forgetObserved = statement<{ jobId: string; outputIds: readonly string[] | null }, null>('edges/forget-observed', ['jobId', 'outputIds'], nothing);
export interface Observed {
  readonly jobId: string;
  readonly outputId: string;
  readonly runId: string;
  readonly edgeSetHash: string;
}

export const lastObserved = statement<{ jobIds: readonly string[] }, Observed>('edges/last-observed', ['jobIds'], (record) => ({
  jobId: text(record, 'jobId'),
  outputId: text(record, 'outputId'),
  runId: text(record, 'runId'),
  edgeSetHash: text(record, 'edgeSetHash'),
}));
