import type { Graph } from '../graph/graph.js';
import { countPipelines, type DatasetOfPipeline, inputsOfPipelines, listPipelines, outputsOfPipelines } from '../graph/pipelines.js';
import { groupedBy } from '../lib/grouped-by.js';
import type { Dataset, Page, PageRequest, Pipeline } from '../model/catalogue.js';
import { keyCursor, longestList, positionByKey, rowLimit, toPage, wholeList } from './pages.js';

export interface JobListRequest extends PageRequest {
  /** Part of namespace/name, in any case. */
  readonly text?: string | null | undefined;
  readonly namespace?: string | null | undefined;
}

/** Everything that has runs: for now our own pipelines. */
export class JobService {
  constructor(private readonly parts: { readonly graph: Graph }) {}

  /** By namespace and name, without the deleted ones. */
  async list(request: JobListRequest): Promise<Page<Pipeline>> {
    const filter = { text: request.text ?? null, namespace: request.namespace ?? null };
    const page = { ...filter, ...positionByKey(request), limit: rowLimit(request) };
    const [rows, [total = 0]] = await Promise.all([this.parts.graph.read(listPipelines, page), this.parts.graph.read(countPipelines, filter)]);
    return toPage(request, rows, total, keyCursor);
  }

  /** Datasets that the latest version of each job reads; in the order of `jobIds`. */
  async inputsOf(jobIds: readonly string[]): Promise<Dataset[][]> {
    return inOrder(jobIds, await this.parts.graph.read(inputsOfPipelines, { ids: jobIds, limit: longestList + 1 }), 'inputs of this job');
  }

  /** Datasets that the latest version of each job writes; in the order of `jobIds`. */
  async outputsOf(jobIds: readonly string[]): Promise<Dataset[][]> {
    return inOrder(jobIds, await this.parts.graph.read(outputsOfPipelines, { ids: jobIds, limit: longestList + 1 }), 'outputs of this job');
  }
}

function inOrder(jobIds: readonly string[], rows: readonly DatasetOfPipeline[], what: string): Dataset[][] {
  const byJob = groupedBy(rows, (row) => row.pipelineId);
  return jobIds.map((id) =>
    wholeList(
      (byJob.get(id) ?? []).map((row) => row.dataset),
      what,
    ),
  );
}
