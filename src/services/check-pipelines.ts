import type { Graph } from '../graph/graph.js';
import { sha256 } from '../lib/sha256.js';
import type { CompiledPipeline } from '../model/compiled-pipeline.js';
import type { Connector, StreamDescription } from '../model/connector.js';
import { type DatasetRef, datasetKey } from '../model/dataset.js';
import type { SpecIssue } from '../model/errors.js';
import type { PipelineSpec } from '../model/pipeline-spec.js';
import type { CompileRequest, CompileResult } from '../model/run-process.js';
import type { ParsedSpec } from '../pipeline/spec/parse-spec.js';
import type { ConnectionService } from './connections.js';
import { describeStreams } from './describe-streams.js';
import { dependencyOrder, type PlacedIssue } from './pipeline-order.js';
import { plannedStream, plannedStreams } from './planned-streams.js';

export interface CheckParts {
  readonly graph: Graph;
  readonly connections: ConnectionService;
  /** By kind. */
  readonly connectors: Readonly<Record<string, Connector>>;
  readonly compile: (request: CompileRequest) => Promise<CompileResult>;
}

/** A document that compiles against the schemas found. */
export interface CheckedSpec extends ParsedSpec {
  /** Hash of what the document means. */
  readonly specHash: string;
  readonly request: CompileRequest;
  readonly compiled: CompiledPipeline;
}

export type CheckedSet = { readonly checked: readonly CheckedSpec[] } | { readonly issues: readonly PlacedIssue[] };

/**
 * Compiles documents against the schemas found and against one another: what one of them will make is an input of the next,
 * whatever is saved now.
 *
 * @throws PlatformError CONNECTION_FAILED, ACCESS_DENIED, SECRET_MISSING when a connection cannot be used now
 */
export async function checkPipelines(parts: CheckParts, parsed: readonly ParsedSpec[]): Promise<CheckedSet> {
  const ordered = await dependencyOrder(
    parts.connections,
    parsed.map(({ spec }) => spec),
  );
  if ('issues' in ordered) return ordered;
  const made = new Map<string, StreamDescription>();
  const checked = new Map<number, CheckedSpec>();
  const failed = new Set<number>();
  const issues: PlacedIssue[] = [];
  for (const { index, behind } of ordered.order) {
    const one = parsed[index] as ParsedSpec;
    // What reads from one that does not compile cannot be judged.
    const result = behind.some((before) => failed.has(before)) ? { issues: [] } : await checkOne(parts, one, parsed, made);
    if ('issues' in result) {
      failed.add(index);
      issues.push(...result.issues.map((issue) => ({ spec: index, issue })));
    } else {
      checked.set(index, result);
      for (const [key, stream] of madeBy(result, parts.connectors)) made.set(key, together(made.get(key), stream));
    }
  }
  if (issues.length > 0) return { issues };
  return { checked: parsed.map((_, index) => checked.get(index) as CheckedSpec) };
}

/** Hash of what a document means: equal ones make no new version. */
export function specHash(spec: PipelineSpec): string {
  return sha256(JSON.stringify(spec));
}

/** With the place of the document in the set, as in `specs[1].inputs.orders`. */
export function issuesInSet(issues: readonly PlacedIssue[]): SpecIssue[] {
  return issues.map(({ spec, issue: { path, message } }) => ({ path: path === '' ? `specs[${spec}]` : `specs[${spec}].${path}`, message }));
}

/** What a set of pipelines touches, as the graph is asked about its neighbours. */
export function touchedBy(checked: readonly CheckedSpec[]): { pipelines: { namespace: string; name: string }[]; inputs: DatasetRef[]; outputs: DatasetRef[] } {
  const plain = ({ namespace, name }: DatasetRef): DatasetRef => ({ namespace, name });
  return {
    pipelines: checked.map(({ spec }) => plain(spec)),
    inputs: checked.flatMap(({ compiled }) => compiled.inputs.map(({ dataset }) => plain(dataset))),
    outputs: checked.flatMap(({ compiled }) => compiled.outputs.map(({ dataset }) => plain(dataset))),
  };
}

async function checkOne(
  { graph, connections, connectors, compile }: CheckParts,
  { spec, document }: ParsedSpec,
  set: readonly ParsedSpec[],
  made: ReadonlyMap<string, StreamDescription>,
): Promise<CheckedSpec | { readonly issues: readonly SpecIssue[] }> {
  const except = set.map((other) => other.spec);
  const described = await describeStreams(spec, { connections, connectors, findPlanned: plannedStreams(graph, except), assumedInputs: made });
  if ('issues' in described) return described;
  const { request } = described;
  const result = await compile(request);
  return 'issues' in result ? result : { spec, document, specHash: specHash(spec), request, compiled: result.compiled };
}

/** The tables that are not there yet; one that is there keeps its schema whatever is saved. */
function madeBy({ request, compiled }: CheckedSpec, connectors: Readonly<Record<string, Connector>>): [string, StreamDescription][] {
  return compiled.outputs.flatMap((output, index): [string, StreamDescription][] =>
    output.existing === null ? [[datasetKey(output.dataset), plannedStream(output, connectors[request.outputs[index]?.kind ?? ''])]] : [],
  );
}

/** Of several pipelines that will make one table, all columns count. */
function together(before: StreamDescription | undefined, stream: StreamDescription): StreamDescription {
  if (before === undefined) return stream;
  const names = new Set(stream.columns.map(({ name }) => name));
  const columns = [...stream.columns, ...before.columns.filter(({ name }) => !names.has(name))];
  return { ...stream, columns: columns.map((column, index) => ({ ...column, ordinal: index + 1 })) };
}
