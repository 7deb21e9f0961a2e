import type { TestDatabase } from './postgres.js';
import type { FinishedRun, Tributary } from './tributary.js';

/** What stands in a connection instead of the secret. */
export function secretReference(variable: string): string {
  return ['$', '{env:', variable, '}'].join('');
}

export interface PipelineKey {
  readonly namespace: string;
  readonly name: string;
}

/** A connection of the database's own name; its password is the variable TRIBUTARY_SECRET_TEST. */
export async function connect(tributary: Tributary, { name, host, port, user }: TestDatabase): Promise<void> {
  const config = { host, port, database: name, user, password: secretReference('TRIBUTARY_SECRET_TEST') };
  await tributary.ask('mutation ($name: String!, $config: JSON!) { createConnection(name: $name, kind: "postgres", config: $config) { id } }', {
    name,
    config,
  });
}

/** Saves a document and returns its key; what is wrong with it fails the test. */
export async function savePipeline(tributary: Tributary, spec: string): Promise<PipelineKey> {
  const { savePipeline: saved } = await tributary.ask<{ savePipeline: PipelineKey & { issues?: unknown } }>(
    'mutation ($spec: JSON!) { savePipeline(spec: $spec) { ... on Pipeline { namespace name } ... on InvalidSpec { issues { path message } } } }',
    { spec },
  );
  if (saved.issues) throw new Error(`Not saved: ${JSON.stringify(saved.issues)}`);
  return { namespace: saved.namespace, name: saved.name };
}

/** Queues a run and returns its id. */
export async function startRun(tributary: Tributary, pipeline: PipelineKey): Promise<string> {
  const { startRun: run } = await tributary.ask<{ startRun: { id: string } }>(
    'mutation ($pipeline: JobKey!) { startRun(pipeline: $pipeline) { ... on Run { id } ... on Problem { code message } } }',
    { pipeline },
  );
  return run.id;
}

/** Saves a document, runs it once and waits for its end. */
export async function saveAndRun(tributary: Tributary, spec: string): Promise<FinishedRun> {
  return tributary.finishedRun(await startRun(tributary, await savePipeline(tributary, spec)));
}

/** Of the datasets in a test database. */
export function namespaceOf({ port }: TestDatabase): string {
  return `postgres://localhost:${port}`;
}

interface Edge {
  readonly from: { readonly displayName: string; readonly dataset: { readonly name: string }; readonly name: string };
  readonly to: { readonly name?: string; readonly __typename: string };
  readonly evidence: string;
  readonly transformations: readonly { readonly type: string; readonly subtype: string; readonly expression: string | null; readonly masking: boolean }[];
}

/** Every edge one step upstream of a table, as text, in order. */
export async function edgesInto(tributary: Tributary, database: TestDatabase, table: string): Promise<string[]> {
  const { lineage } = await tributary.ask<{ lineage: { edges: Edge[] } }>(
    `query ($key: DatasetKey!) { lineage(of: [{dataset: $key}], direction: UPSTREAM, level: COLUMN, maxDepth: 1) { edges { evidence transformations { type subtype expression masking }
      from { displayName ... on Column { name dataset { name } } } to { __typename ... on Column { name } } } } }`,
    { key: { namespace: namespaceOf(database), name: `${database.name}.${table}` } },
  );
  return lineage.edges
    .map(({ from, to, transformations }) => {
      const how = transformations.map(
        ({ type, subtype, expression, masking }) => `${type} ${subtype}${masking ? ' (masking)' : ''}${expression === null ? '' : `: ${expression}`}`,
      );
      return `${from.dataset.name}.${from.name} -> ${to.__typename === 'Dataset' ? '(dataset)' : to.name} ${how.join(' + ')}`;
    })
    .sort();
}

interface Hit {
  readonly depth: number;
  readonly node: { readonly __typename: string; readonly name: string; readonly dataset?: { readonly name: string } };
}

/** Everything downstream of a column: depth and name, in order. */
export async function downstream(tributary: Tributary, column: Readonly<Record<string, string>>): Promise<string[][]> {
  const { lineage } = await tributary.ask<{ lineage: { nodes: Hit[] } }>(
    `query ($key: ColumnKey!) { lineage(of: [{column: $key}], level: COLUMN) { nodes { depth node { __typename ... on Dataset { name } ... on Column { name dataset { name } } } } } }`,
    { key: column },
  );
  return lineage.nodes.map(({ depth, node }) => [String(depth), node.dataset ? `${node.dataset.name}.${node.name}` : node.name]).sort();
}
