import { cycles } from '../lineage/cycles.js';
import type { Session } from '../model/connector.js';
import { datasetKey } from '../model/dataset.js';
import { isPlatformError, type SpecIssue } from '../model/errors.js';
import type { PipelineSpec } from '../model/pipeline-spec.js';
import type { ConnectionService } from './connections.js';

/** What is wrong with one document of a set, by its place there. */
export interface PlacedIssue {
  readonly spec: number;
  readonly issue: SpecIssue;
}

interface Placed {
  /** In the list that was given. */
  readonly index: number;
  /** Others of the list that make what it reads. */
  readonly behind: readonly number[];
}

interface Touched {
  readonly reads: ReadonlySet<string>;
  readonly writes: ReadonlySet<string>;
}

/** Pipelines in an order in which each stands behind those that make what it reads. */
export async function dependencyOrder(
  connections: ConnectionService,
  specs: readonly PipelineSpec[],
): Promise<{ readonly order: readonly Placed[] } | { readonly issues: readonly PlacedIssue[] }> {
  if (specs.length === 1) return { order: [{ index: 0, behind: [] }] };
  const repeated = repeatedKeys(specs);
  if (repeated.length > 0) return { issues: repeated };
  const touched = await datasetsOf(connections, specs);
  const waiting = new Map(touched.map(({ reads }, index) => [index, makersOf(reads, touched, index)]));
  const order: Placed[] = [];
  while (waiting.size > 0) {
    const ready = [...waiting].filter(([, behind]) => behind.every((other) => !waiting.has(other)));
    if (ready.length === 0) return { issues: cycleIssues(specs, waiting) };
    for (const [index, behind] of ready) {
      waiting.delete(index);
      order.push({ index, behind });
    }
  }
  return { order };
}

function repeatedKeys(specs: readonly PipelineSpec[]): PlacedIssue[] {
  const keys = specs.map(({ namespace, name }) => JSON.stringify([namespace, name]));
  return specs.flatMap(({ namespace, name }, index) => {
    const first = keys.indexOf(keys[index] ?? '');
    const message = `Pipeline ${namespace}/${name} is given as specs[${first}] already; give it once.`;
    return first === index ? [] : [{ spec: index, issue: { path: 'name', message } }];
  });
}

function makersOf(reads: ReadonlySet<string>, touched: readonly Touched[], index: number): number[] {
  return touched.flatMap(({ writes }, other) => (other !== index && [...writes].some((key) => reads.has(key)) ? [other] : []));
}

function cycleIssues(specs: readonly PipelineSpec[], behind: ReadonlyMap<number, readonly number[]>): PlacedIssue[] {
  const edges = [...behind].flatMap(([index, others]) => others.map((other): [string, string] => [String(other), String(index)]));
  return cycles(edges).flatMap((circle) => {
    const names = circle.map((index) => `${specs[Number(index)]?.namespace}/${specs[Number(index)]?.name}`).sort();
    const message = `${names.join(', ')} read in a circle what they make, so that none can be the first. Take one out of the set, or let it read another table.`;
    return circle.map((index) => ({ spec: Number(index), issue: { path: 'inputs', message } }));
  });
}

/** What every pipeline reads and writes, by name only: nothing is asked of the systems. */
async function datasetsOf(connections: ConnectionService, specs: readonly PipelineSpec[]): Promise<Touched[]> {
  const names = new Set(specs.flatMap(({ inputs, outputs }) => [...Object.values(inputs), ...outputs].map(({ connection }) => connection)));
  const sessions = new Map([...(await connections.find([...names]))].map(([name, connection]) => [name, connections.openFound(connection)]));
  try {
    const keyOf = ({ connection, stream }: { readonly connection: string; readonly stream: string }): string[] =>
      datasetKeyOf(sessions.get(connection), stream);
    return specs.map(({ inputs, outputs }) => ({
      reads: new Set(Object.values(inputs).flatMap(keyOf)),
      writes: new Set(outputs.flatMap(keyOf)),
    }));
  } finally {
    for (const session of sessions.values()) await session.close();
  }
}

/** Nothing for a name that is none: what is wrong with it is said when it is described. */
function datasetKeyOf(session: Session | undefined, stream: string): string[] {
  try {
    return session === undefined ? [] : [datasetKey(session.datasetOf(stream))];
  } catch (error) {
    if (isPlatformError(error) && error.code === 'BAD_USER_INPUT') return [];
    throw error;
  }
}
