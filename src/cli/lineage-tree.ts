import { z } from 'zod';
import type { GraphqlClient } from './graphql-client.js';

const edgeSchema = z.object({
  from: z.object({ id: z.string() }),
  to: z.object({ id: z.string() }),
  job: z.object({ name: z.string() }).nullable(),
  transformations: z.array(z.object({ subtype: z.string(), expression: z.string().nullable() })),
});
const graphSchema = z.object({
  lineage: z.object({
    start: z.array(z.object({ id: z.string(), displayName: z.string() })),
    nodes: z.array(z.object({ node: z.object({ id: z.string(), displayName: z.string(), kind: z.string() }) })),
    edges: z.array(edgeSchema),
  }),
});
type LineageGraph = z.infer<typeof graphSchema>['lineage'];
type Edge = z.infer<typeof edgeSchema>;

/** In characters; terminals are seldom narrower than 100. */
const widestLine = 96;

export interface ColumnKey {
  readonly namespace: string;
  readonly dataset: string;
  readonly name: string;
}

/** Where a column goes, as a tree drawn with lines; a column that is reached twice is followed once. */
export async function lineageTree(client: GraphqlClient, column: ColumnKey): Promise<string[]> {
  const { lineage } = await client.ask(
    `query ($column: ColumnKey!) { lineage(of: [{ column: $column }], direction: DOWNSTREAM, level: COLUMN) {
       start { id displayName } nodes { node { id displayName kind } }
       edges { from { id } to { id } job { name } transformations { subtype expression } } } }`,
    { column },
    graphSchema,
  );
  const [start] = lineage.start;
  return start === undefined ? [] : [start.displayName, ...branches(lineage, start.id, '', new Set([start.id]))];
}

function branches(graph: LineageGraph, from: string, indent: string, seen: Set<string>): string[] {
  const edges = graph.edges.filter((edge) => edge.from.id === from).sort((left, right) => sortKey(graph, left).localeCompare(sortKey(graph, right)));
  return edges.flatMap((edge, index) => {
    const last = index === edges.length - 1;
    const line = shortened(`${indent}${last ? '└─ ' : '├─ '}${describe(graph, edge)}`);
    if (seen.has(edge.to.id)) return [line];
    seen.add(edge.to.id);
    return [line, ...branches(graph, edge.to.id, `${indent}${last ? '   ' : '│  '}`, seen)];
  });
}

function shortened(line: string): string {
  return line.length <= widestLine ? line : `${line.slice(0, widestLine - 1)}…`;
}

/** Columns before whole datasets, then by name. */
function sortKey({ nodes }: LineageGraph, edge: Edge): string {
  const target = nodes.find(({ node }) => node.id === edge.to.id)?.node;
  return `${target?.kind === 'COLUMN' ? 0 : 1} ${target?.displayName ?? ''}`;
}

function describe({ nodes }: LineageGraph, edge: Edge): string {
  const target = nodes.find(({ node }) => node.id === edge.to.id)?.node;
  const how = [...new Set(edge.transformations.map(({ expression, subtype }) => expression ?? subtype.toLowerCase()))].join('; ');
  const name = target?.kind === 'COLUMN' ? target.displayName : `which rows ${target?.displayName ?? edge.to.id} has`;
  return `${name}  ${edge.job === null ? '' : `by ${edge.job.name}: `}${how}`;
}
