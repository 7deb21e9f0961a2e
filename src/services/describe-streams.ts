import { groupedBy } from '../lib/grouped-by.js';
import type { Connection } from '../model/connection.js';
import type { Connector, Session, StreamDescription } from '../model/connector.js';
import { type DatasetRef, datasetKey } from '../model/dataset.js';
import { isPlatformError, type SpecIssue } from '../model/errors.js';
import type { PipelineSpec } from '../model/pipeline-spec.js';
import type { CompileRequest } from '../model/run-process.js';
import type { ConnectionService } from './connections.js';

/** Looks up streams that are not there yet but will be made by another saved pipeline. */
export type FindPlanned = (stream: string, dataset: DatasetRef, connector: Connector | undefined) => Promise<StreamDescription | null>;

/** Schemas by `datasetKey`. null: there shall be no such stream. */
export type AssumedStreams = ReadonlyMap<string, StreamDescription | null>;

export interface DescribeParts {
  readonly connections: ConnectionService;
  readonly connectors: Readonly<Record<string, Connector>>;
  readonly findPlanned: FindPlanned;
  /** What inputs are to be instead of what is found. */
  readonly assumedInputs?: AssumedStreams;
  /** What stands at outputs instead of what is found. */
  readonly assumedOutputs?: AssumedStreams;
}

export type DescribedStreams = { readonly request: CompileRequest } | { readonly issues: readonly SpecIssue[] };

/** A stream that the document names, and where. */
interface NamedStream {
  /** e.g. `inputs.orders` or `outputs[0]` */
  readonly path: string;
  readonly connection: string;
  readonly stream: string;
  readonly use: 'input' | 'output';
}

interface Described {
  readonly dataset: DatasetRef;
  readonly kind: string;
  readonly found: StreamDescription | null;
}

type Outcome = readonly [path: string, Described | SpecIssue];

/**
 * The schemas that a document is compiled against: those of all inputs and outputs, one session per connection.
 *
 * @throws PlatformError CONNECTION_FAILED, ACCESS_DENIED, SECRET_MISSING when a connection cannot be used now
 */
export async function describeStreams(spec: PipelineSpec, parts: DescribeParts): Promise<DescribedStreams> {
  const streams = namedStreams(spec);
  const connections = await parts.connections.find([...new Set(streams.map(({ connection }) => connection))]);
  const byConnection = [...groupedBy(streams, ({ connection }) => connection)];
  const settled = await Promise.allSettled(byConnection.map(([name, named]) => describeAll(connections.get(name), named, parts)));
  const outcomes = settled.flatMap((one): readonly Outcome[] => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
  const issues = outcomes.flatMap(([, outcome]) => ('message' in outcome ? [outcome] : []));
  return issues.length > 0 ? { issues } : { request: toRequest(spec, new Map(outcomes)) };
}

function namedStreams({ inputs, outputs }: PipelineSpec): NamedStream[] {
  return [
    ...Object.entries(inputs).map(([alias, { connection, stream }]): NamedStream => ({ path: `inputs.${alias}`, connection, stream, use: 'input' })),
    ...outputs.map(({ connection, stream }, index): NamedStream => ({ path: `outputs[${index}]`, connection, stream, use: 'output' })),
  ];
}

async function describeAll(connection: Connection | undefined, streams: readonly NamedStream[], parts: DescribeParts): Promise<Outcome[]> {
  if (connection === undefined) {
    return streams.map(({ path, connection: name }) => [
      path,
      { path: `${path}.connection`, message: `There is no connection ${name}; make it first, or name one that is listed.` },
    ]);
  }
  const session = parts.connections.openFound(connection);
  const outcomes: Outcome[] = [];
  try {
    for (const named of streams) outcomes.push([named.path, await describeOne(connection, session, named, parts)]);
  } finally {
    await session.close();
  }
  return outcomes;
}

async function describeOne(
  { name, kind }: Connection,
  session: Session,
  { path, stream, use }: NamedStream,
  parts: DescribeParts,
): Promise<Described | SpecIssue> {
  try {
    const dataset = session.datasetOf(stream);
    const assumed = (use === 'input' ? parts.assumedInputs : parts.assumedOutputs)?.get(datasetKey(dataset));
    if (assumed) return { dataset, kind, found: assumed };
    const there = assumed === null ? null : await session.describe(stream);
    const planned = there === null && assumed !== null && use === 'input';
    const found = planned ? await parts.findPlanned(stream, dataset, parts.connectors[kind]) : there;
    if (found === null && use === 'input') {
      return {
        path: `${path}.stream`,
        message: `There is no ${stream} in connection ${name}, and no saved pipeline makes it; check the name, or make it first.`,
      };
    }
    return { dataset, kind, found };
  } catch (error) {
    if (isPlatformError(error) && error.code === 'BAD_USER_INPUT') return { path: `${path}.stream`, message: error.message };
    throw error;
  }
}

function toRequest(spec: PipelineSpec, described: ReadonlyMap<string, Described | SpecIssue>): CompileRequest {
  const at = (path: string): Described => described.get(path) as Described;
  const inputs = Object.keys(spec.inputs).map((alias): [string, StreamDescription] => [alias, at(`inputs.${alias}`).found as StreamDescription]);
  const outputs = spec.outputs.map((_, index) => {
    const { kind, dataset, found } = at(`outputs[${index}]`);
    return { kind, dataset, existing: found };
  });
  const inputKinds = Object.fromEntries(Object.keys(spec.inputs).map((alias) => [alias, at(`inputs.${alias}`).kind]));
  return { spec, inputs: Object.fromEntries(inputs), inputKinds, outputs };
}
