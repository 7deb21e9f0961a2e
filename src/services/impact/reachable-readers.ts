import type { Graph } from '../../graph/graph.js';
import { type LinkedPipeline, readersOfDatasets } from '../../graph/impact.js';
import { type DatasetRef, datasetKey } from '../../model/dataset.js';

/** More readers than this are not looked at; the nearest are. */
const mostReaders = 1_000;

export interface ReachableReaders {
  /** By id. */
  readonly readers: ReadonlyMap<string, LinkedPipeline>;
  readonly truncated: boolean;
}

/** Every saved pipeline that reads one of the datasets, or what another of them writes: one question for each wave. */
export async function reachableReaders(graph: Graph, starts: readonly DatasetRef[]): Promise<ReachableReaders> {
  const readers = new Map<string, LinkedPipeline>();
  const seen = new Set<string>();
  let wave = fresh(starts, seen);
  while (wave.length > 0) {
    const left = mostReaders - readers.size;
    // Readers that are known already read this wave too: they must not stand in for others.
    const found = await graph.read(readersOfDatasets, { datasets: wave, limit: mostReaders + 1 });
    const news = found.filter(({ pipeline }) => !readers.has(pipeline.id));
    for (const reader of news.slice(0, left)) readers.set(reader.pipeline.id, reader);
    if (news.length > left) return { readers, truncated: true };
    wave = fresh(
      news.flatMap(({ outputs }) => outputs),
      seen,
    );
  }
  return { readers, truncated: false };
}

function fresh(datasets: readonly DatasetRef[], seen: Set<string>): DatasetRef[] {
  return datasets.flatMap(({ namespace, name }) => {
    const key = datasetKey({ namespace, name });
    if (seen.has(key)) return [];
    seen.add(key);
    return [{ namespace, name }];
  });
}
