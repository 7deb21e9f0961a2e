import { z } from 'zod';
import type { GraphqlClient } from './graphql-client.js';
import { withCommas } from './table.js';

const severitySchema = z.enum(['BREAKS', 'CHANGES_VALUES', 'STALE', 'NONE']);
const nodeSchema = z.object({ id: z.string(), displayName: z.string(), namespace: z.string().optional() });
const itemSchema = z.object({
  node: nodeSchema,
  severity: severitySchema,
  code: z.string(),
  reason: z.string(),
  depth: z.number(),
  path: z.array(z.object({ id: z.string(), kind: z.string() })),
  owners: z.array(z.string()),
});
const itemsSchema = z.object({ edges: z.array(z.object({ node: itemSchema })), totalCount: z.number() });
const reportSchema = z.object({
  verdict: severitySchema,
  jobs: itemsSchema,
  written: itemsSchema,
  blindSpots: z.array(nodeSchema),
  truncated: z.array(z.string()),
});
export type ImpactOfChange = z.infer<typeof reportSchema>;
type Severity = z.infer<typeof severitySchema>;
type Items = ImpactOfChange['jobs'];
type Item = z.infer<typeof itemSchema>;

/** What can be judged without a document, as GraphQL's ChangeInput. */
export type SourceChange =
  | { readonly dropColumn: ColumnKey }
  | { readonly renameColumn: { readonly column: ColumnKey; readonly to: string } }
  | { readonly retypeColumn: { readonly column: ColumnKey; readonly to: string } }
  | { readonly dropDataset: { readonly namespace: string; readonly name: string } };
interface ColumnKey {
  readonly namespace: string;
  readonly dataset: string;
  readonly name: string;
}

/** In characters; terminals are seldom narrower than 100. */
const widestLine = 96;
const shown = 200;

const verdicts: Readonly<Record<Severity, string>> = {
  BREAKS: 'BREAKS jobs downstream',
  CHANGES_VALUES: 'CHANGES VALUES downstream',
  STALE: 'leaves jobs downstream STALE',
  NONE: 'is SAFE: nothing downstream is affected',
};

/** Asks what a change does, and draws the answer as lines for a terminal. */
export async function impactTree(client: GraphqlClient, change: SourceChange): Promise<string[]> {
  const items = `edges { node { severity code reason depth owners path { id kind } node { id displayName ... on Pipeline { namespace } } } } totalCount`;
  const { impact } = await client.ask(
    `query ($of: ChangeInput!) { impact(of: $of) { verdict truncated blindSpots { id displayName ... on Pipeline { namespace } }
       jobs: items(kinds: [JOB], first: ${shown}) { ${items} } written: items(kinds: [DATASET, COLUMN], minSeverity: STALE, first: ${shown}) { ${items} } } }`,
    { of: change },
    z.object({ impact: reportSchema }),
  );
  return drawImpact(titleOf(change), impact);
}

/** The verdict first, then the affected jobs wave by wave with what they write, then what could not be judged and what is safe. */
export function drawImpact(title: string, { verdict, jobs, written, blindSpots, truncated }: ImpactOfChange): string[] {
  const items = jobs.edges.map(({ node }) => node);
  const affected = items.filter(({ severity }) => severity !== 'NONE');
  const safe = items.filter(({ severity }) => severity === 'NONE');
  const waves = [...new Set(affected.map(({ depth }) => depth))].sort((one, other) => one - other);
  return [
    `${title} ${verdicts[verdict]}`,
    ...waves.flatMap((wave) => [
      '',
      `Wave ${wave}`,
      ...branches(
        affected.filter(({ depth }) => depth === wave),
        (job) => drawJob(job, written),
      ),
    ]),
    ...section(
      'Could not be judged',
      blindSpots.map((node) => [nameOf(node)]),
    ),
    ...section(
      'Safe',
      safe.map(({ reason }) => wrapped(reason)),
    ),
    ...leftOut(jobs, 'jobs'),
    ...leftOut(written, 'datasets and columns'),
    ...(truncated.length === 0 ? [] : ['', `Not everything was looked at: ${truncated.join(', ')}.`]),
  ].map(shortened);
}

/** A job's lines: what happens to it, why, whom to ask, and what changes behind it. */
function drawJob({ node, severity, code, reason, owners }: Item, written: Items): string[] {
  const behind = written.edges.map((edge) => edge.node).filter(({ path }) => lastJobOf(path) === node.id);
  return [
    `${severity.replace('_', ' ')}  ${nameOf(node)}  ${code}${owners.length === 0 ? '' : `  (${owners.join(', ')})`}`,
    ...wrapped(reason).map((line) => `   ${line}`),
    ...branches(behind, (one) => [`${one.node.displayName}  ${one.severity.replace('_', ' ')}  ${one.code}`]),
  ];
}

function branches(items: readonly Item[], draw: (item: Item) => readonly string[]): string[] {
  return items.flatMap((item, index) => {
    const last = index === items.length - 1;
    const [first = '', ...rest] = draw(item);
    return [`${last ? '└─ ' : '├─ '}${first}`, ...rest.map((line) => `${last ? '   ' : '│  '}${line}`)];
  });
}

function section(title: string, entries: readonly (readonly string[])[]): string[] {
  return entries.length === 0 ? [] : ['', title, ...entries.flatMap((lines) => lines.map((line, index) => `${index === 0 ? '  ' : '    '}${line}`))];
}

function leftOut({ edges, totalCount }: Items, what: string): string[] {
  return totalCount <= edges.length ? [] : ['', `${withCommas(totalCount - edges.length)} more ${what} are in the report.`];
}

function lastJobOf(path: Item['path']): string | undefined {
  return path.filter(({ kind }) => kind === 'JOB').at(-1)?.id;
}

function titleOf(change: SourceChange): string {
  if ('dropColumn' in change) return `Dropping ${columnName(change.dropColumn)}`;
  if ('renameColumn' in change) return `Renaming ${columnName(change.renameColumn.column)} to ${change.renameColumn.to}`;
  if ('retypeColumn' in change) return `Changing ${columnName(change.retypeColumn.column)} to ${change.retypeColumn.to}`;
  return `Dropping ${change.dropDataset.name}`;
}

function columnName({ dataset, name }: ColumnKey): string {
  return `${dataset}.${name}`;
}

function nameOf({ namespace, displayName }: z.infer<typeof nodeSchema>): string {
  return namespace === undefined ? displayName : `${namespace}/${displayName}`;
}

/** A sentence on lines that fit below two branches. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > widestLine - 9) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}

function shortened(line: string): string {
  return line.length <= widestLine ? line : `${line.slice(0, widestLine - 1)}…`;
}
