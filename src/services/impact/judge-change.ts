import type { Graph } from '../../graph/graph.js';
import { type LinkedPipeline, writersOfDataset } from '../../graph/impact.js';
import { readMeta } from '../../graph/meta.js';
import { findPipelines } from '../../graph/pipelines.js';
import type { Connection } from '../../model/connection.js';
import type { Connector } from '../../model/connector.js';
import type { DatasetRef } from '../../model/dataset.js';
import { isPlatformError } from '../../model/errors.js';
import type { Change, CompileMany, JudgedChange } from '../../model/impact.js';
import type { PipelineSpec } from '../../model/pipeline-spec.js';
import { parseSpec } from '../../pipeline/spec/parse-spec.js';
import type { ConnectionService } from '../connections.js';
import type { Judge } from '../gate.js';
import { changedDataset } from './change-roots.js';
import { newJob } from './describe-node.js';
import { judgeKnown, type OwnedReader } from './judge-known.js';
import type { StreamPlaces } from './prepare-readers.js';
import { reachableReaders } from './reachable-readers.js';
import { recordedTables } from './recorded-tables.js';

export interface JudgeParts {
  readonly graph: Graph;
  readonly connections: ConnectionService;
  /** By kind. */
  readonly connectors: Readonly<Record<string, Connector>>;
  readonly compileMany: CompileMany;
}

/** More jobs that write what changes than this are not looked at. */
const mostWriters = 100;

/** Judges changes by what the graph has recorded: no source and no destination is asked. */
export function changeJudge(parts: JudgeParts): Judge {
  return (change, maxDepth) => judgeChange(parts, change, maxDepth);
}

async function judgeChange(parts: JudgeParts, change: Change, maxDepth: number | null): Promise<JudgedChange> {
  const [state] = await parts.graph.read(readMeta, {});
  const dataset = changedDataset(change);
  const changed = await changedReaders(parts, change);
  const starts = dataset ? [dataset] : changed.flatMap(({ outputs }) => outputs);
  const { readers: saved, truncated } = await reachableReaders(parts.graph, starts);
  const others = [...saved.values()].filter(({ pipeline }) => !changed.some(({ id }) => id === pipeline.id));
  const writers = dataset ? await parts.graph.read(writersOfDataset, { ...dataset, limit: mostWriters + 1 }) : [];
  const listed = new Map([...others, ...writers.slice(0, mostWriters)].map((one) => [one.pipeline.id, one]));
  const kinds = await connectionsOf(parts, [...listed.values()]);
  const known = [...changed, ...[...listed.values()].map((one) => savedReader(parts, one, kinds))];
  const tables = await recordedTables(parts.graph, [...(dataset ? [dataset] : []), ...known.flatMap(({ inputs, outputs }) => [...inputs, ...outputs])]);
  const revision = String(state?.revision ?? 0);
  const isCut = truncated || writers.length > mostWriters;
  return judgeKnown({ change, known, tables, ...parts, revision, maxDepth, truncated: isCut ? ['MAX_NODES'] : [] });
}

/** The pipelines whose documents change, with those that are saved. */
async function changedReaders(parts: JudgeParts, change: Change): Promise<OwnedReader[]> {
  if (change.kind !== 'pipelineSpecs') return [];
  const found = await parts.graph.read(findPipelines, { pipelines: change.specs.map(({ spec: { namespace, name } }) => ({ namespace, name })) });
  const linked = found.map((pipeline): LinkedPipeline => ({ pipeline, inputs: [], outputs: [] }));
  const kinds = await connectionsOf(parts, linked);
  return change.specs.flatMap(({ spec, described }): OwnedReader[] => {
    const before = linked.find(({ pipeline }) => pipeline.namespace === spec.namespace && pipeline.name === spec.name);
    const saved = before ? savedReader(parts, before, kinds) : null;
    const plain = ({ namespace, name }: DatasetRef): DatasetRef => ({ namespace, name });
    const inputs = [...Object.values(described.inputs).map(({ dataset }) => plain(dataset)), ...(saved?.inputs ?? [])];
    const outputs = [...described.outputs.map(({ dataset }) => plain(dataset)), ...(saved?.outputs ?? [])];
    const job = { namespace: spec.namespace, name: spec.name };
    return [
      {
        id: saved?.id ?? `${newJob}${job.namespace}/${job.name}`,
        job,
        owners: spec.owners,
        inputs,
        outputs,
        specChanged: true,
        saved: saved?.saved ?? null,
        next: { spec, described },
      },
    ];
  });
}

async function connectionsOf({ connections }: JudgeParts, readers: readonly LinkedPipeline[]): Promise<Map<string, Connection>> {
  const names = readers.flatMap(({ pipeline }) => {
    const spec = parsed(pipeline.spec);
    return typeof spec === 'string' ? [] : [...Object.values(spec.inputs), ...spec.outputs].map(({ connection }) => connection);
  });
  return connections.find([...new Set(names)]);
}

function savedReader(
  parts: JudgeParts,
  { pipeline, inputs: reads, outputs: writes }: LinkedPipeline,
  connections: ReadonlyMap<string, Connection>,
): OwnedReader {
  const { id, namespace, name, owners } = pipeline;
  const spec = parsed(pipeline.spec);
  const places = typeof spec === 'string' ? spec : placesOf(parts, spec, connections);
  const base = { id, job: { namespace, name }, owners, specChanged: false, next: null };
  if (typeof spec === 'string' || typeof places === 'string')
    return { ...base, inputs: reads, outputs: writes, saved: typeof places === 'string' ? places : String(spec) };
  const inputs = Object.values(places.inputs).map(({ dataset }) => dataset);
  return { ...base, inputs, outputs: places.outputs.map(({ dataset }) => dataset), saved: { spec, places } };
}

/** A text: why the document cannot be read. */
function parsed(document: unknown): PipelineSpec | string {
  try {
    return parseSpec(document).spec;
  } catch (error) {
    if (!isPlatformError(error)) throw error;
    return `its saved document is not valid any more: ${error.message}`;
  }
}

function placesOf({ connectors }: JudgeParts, spec: PipelineSpec, connections: ReadonlyMap<string, Connection>): StreamPlaces | string {
  try {
    const place = ({ connection: name, stream }: { readonly connection: string; readonly stream: string }) => {
      const connection = connections.get(name);
      if (!connection) return null;
      // By name only: nothing is opened, and no secret is needed.
      const session = connectors[connection.kind]?.open(connection.config, connection.datasetNamespace);
      if (!session) return null;
      const { namespace, name: dataset } = session.datasetOf(stream);
      return { dataset: { namespace, name: dataset }, kind: connection.kind };
    };
    const inputs = Object.entries(spec.inputs).map(([alias, input]) => [alias, place(input)] as const);
    const outputs = spec.outputs.map(place);
    const missing = [...inputs.map(([, one]) => one), ...outputs].includes(null);
    if (missing) return 'one of its connections is not there any more.';
    return { inputs: Object.fromEntries(inputs) as StreamPlaces['inputs'], outputs: outputs as StreamPlaces['outputs'] };
  } catch (error) {
    if (!isPlatformError(error)) throw error;
    return `its connections cannot be used: ${error.message}`;
  }
}
