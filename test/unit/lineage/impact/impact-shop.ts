import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectors } from '../../../../src/connectors/connectors.js';
import { type DatasetRef, datasetKey } from '../../../../src/model/dataset.js';
import type { Change, CompileMany, CompileOutcome, ImpactReport, JudgedChange } from '../../../../src/model/impact.js';
import type { PipelineSpec } from '../../../../src/model/pipeline-spec.js';
import type { CompileRequest } from '../../../../src/model/run-process.js';
import { boundCasts } from '../../../../src/pipeline/spec/bound-casts.js';
import { compilePipeline } from '../../../../src/pipeline/spec/compile-pipeline.js';
import { parseSpec } from '../../../../src/pipeline/spec/parse-spec.js';
import { openDuckDb } from '../../../../src/pipeline/transform/duckdb.js';
import { judgeKnown, type OwnedReader } from '../../../../src/services/impact/judge-known.js';
import type { StreamPlaces } from '../../../../src/services/impact/prepare-readers.js';
import type { RecordedTable } from '../../../../src/services/impact/recorded-tables.js';
import { typedColumn } from '../../../../src/services/impact/type-rules.js';

const namespace = 'postgres://localhost:5432';
const kind = 'postgres';

/** Column → PostgreSQL type; `!` behind it: NOT NULL. */
export type TableDocument = Readonly<Record<string, string>>;
export type JobDocument = Readonly<Record<string, unknown>> & { readonly name: string };

/** A small world without a database: tables that are there, and saved pipelines over them. */
export interface ImpactShop {
  readonly tables: Map<string, RecordedTable>;
  readonly readers: OwnedReader[];
}

export function datasetOf(stream: string): DatasetRef {
  return { namespace, name: `shop.${stream}` };
}

/** The jobs are saved in their order; an output that is none of the tables is a table that will be made. */
export async function openShop(tables: Readonly<Record<string, TableDocument>>, jobs: readonly JobDocument[]): Promise<ImpactShop> {
  const shop: ImpactShop = { tables: new Map(), readers: [] };
  for (const [stream, columns] of Object.entries(tables)) record(shop, datasetOf(stream), columnsOf(columns), true);
  for (const job of jobs) await save(shop, specOf(job));
  return shop;
}

export async function judge(shop: ImpactShop, change: Change, maxDepth: number | null = null): Promise<JudgedChange> {
  const changed = change.kind === 'pipelineSpecs' ? change.specs.map(({ spec }) => withNext(shop, spec)) : [];
  const known = [...changed, ...shop.readers.filter(({ id }) => !changed.some((one) => one.id === id))];
  return judgeKnown({ change, known, tables: shop.tables, connectors, compileMany: compileHere, revision: '1', maxDepth, truncated: [] });
}

export async function report(shop: ImpactShop, change: Change, maxDepth: number | null = null): Promise<ImpactReport> {
  const judged = await judge(shop, change, maxDepth);
  if (judged.outcome !== 'judged') throw new Error(`The change was not judged: ${JSON.stringify(judged)}`);
  return judged.report;
}

/** Their streams are described when they are judged. */
export function changedSpecs(...jobs: readonly JobDocument[]): Change {
  return { kind: 'pipelineSpecs', specs: jobs.map((job) => ({ spec: specOf(job), described: { inputs: {}, inputKinds: {}, outputs: [] } })) };
}

export function specOf(job: JobDocument): PipelineSpec {
  return parseSpec({ version: 1, namespace: 'shop', owners: [`${job.name}-team`], ...job }).spec;
}

export const compileHere: CompileMany = async (requests) => {
  const outcomes: CompileOutcome[] = [];
  for (const request of requests) outcomes.push(await compileOne(request));
  return outcomes;
};

async function compileOne(request: CompileRequest): Promise<Extract<CompileOutcome, { result: unknown }>> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-impact-'));
  const connection = await openDuckDb({ folder, memoryBytes: 256 * 2 ** 20, now: '2026-03-01T12:00:00.000Z' });
  try {
    const result = await compilePipeline(request, connectors, connection);
    return { result, casts: 'compiled' in result ? await boundCasts(result.compiled, connection) : [] };
  } finally {
    connection.closeSync();
    await rm(folder, { recursive: true, force: true });
  }
}

function columnsOf(columns: TableDocument): RecordedTable['columns'] {
  return Object.entries(columns).map(([name, type], index) => ({
    id: `col_${name}`,
    name,
    type: type.replace('!', ''),
    nullable: !type.endsWith('!'),
    ordinal: index + 1,
  }));
}

function record({ tables }: ImpactShop, dataset: DatasetRef, columns: RecordedTable['columns'], made: boolean): void {
  tables.set(datasetKey(dataset), { ...dataset, id: `ds_${dataset.name}`, owners: [], tags: new Map(), made, writers: [], columns });
}

async function save(shop: ImpactShop, spec: PipelineSpec): Promise<void> {
  const places = placesOf(spec);
  const { result } = await compileOne(requestOf(shop, spec));
  if ('issues' in result) throw new Error(`${spec.name} does not compile: ${JSON.stringify(result.issues)}`);
  const id = `job_${spec.name}`;
  for (const { dataset, columns, load } of result.compiled.outputs) {
    const made = columns.map(({ name, type }, index) => ({ id: `col_${name}`, name, type, nullable: !load.key.includes(name), ordinal: index + 1 }));
    if (!shop.tables.has(datasetKey(dataset))) record(shop, dataset, made, false);
    const table = shop.tables.get(datasetKey(dataset));
    if (table) shop.tables.set(datasetKey(dataset), { ...table, writers: [...table.writers, id] });
  }
  const known = { id, job: { namespace: spec.namespace, name: spec.name }, owners: spec.owners, specChanged: false, next: null };
  const inputs = Object.values(places.inputs).map(({ dataset }) => dataset);
  shop.readers.push({ ...known, inputs, outputs: places.outputs.map(({ dataset }) => dataset), saved: { spec, places } });
}

/** A document as it is about to be saved: its streams as they would be found now. */
function withNext(shop: ImpactShop, spec: PipelineSpec): OwnedReader {
  const before = shop.readers.find(({ job }) => job.namespace === spec.namespace && job.name === spec.name);
  const places = placesOf(spec);
  const { spec: _, ...described } = requestOf(shop, spec);
  return {
    id: before?.id ?? `new ${spec.namespace}/${spec.name}`,
    job: { namespace: spec.namespace, name: spec.name },
    owners: spec.owners,
    inputs: [...Object.values(places.inputs).map(({ dataset }) => dataset), ...(before?.inputs ?? [])],
    outputs: [...places.outputs.map(({ dataset }) => dataset), ...(before?.outputs ?? [])],
    specChanged: true,
    saved: before?.saved ?? null,
    next: { spec, described },
  };
}

function placesOf({ inputs, outputs }: PipelineSpec): StreamPlaces {
  const place = ({ stream }: { readonly stream: string }) => ({ dataset: datasetOf(stream), kind });
  return { inputs: Object.fromEntries(Object.entries(inputs).map(([alias, input]) => [alias, place(input)])), outputs: outputs.map(place) };
}

function requestOf({ tables }: ImpactShop, spec: PipelineSpec): CompileRequest {
  const describe = (stream: string, key: readonly string[]) => {
    const table = tables.get(datasetKey(datasetOf(stream)));
    if (!table) throw new Error(`There is no table ${stream}.`);
    const columns = table.columns.map((column) => ({ ...typedColumn(connectors[kind], column), optional: true }));
    const candidates = columns.filter(({ type }) => connectors[kind]?.isCursorType(type)).map(({ name }) => name);
    return { stream, dataset: datasetOf(stream), columns, primaryKey: [], uniqueKeys: [key], cursorCandidates: candidates };
  };
  return {
    spec,
    inputs: Object.fromEntries(Object.entries(spec.inputs).map(([alias, { stream }]) => [alias, describe(stream, [])])),
    inputKinds: Object.fromEntries(Object.keys(spec.inputs).map((alias) => [alias, kind])),
    outputs: spec.outputs.map(({ stream, load }) => {
      const made = tables.get(datasetKey(datasetOf(stream)))?.made === true;
      return { kind, dataset: datasetOf(stream), existing: made ? describe(stream, load.key) : null };
    }),
  };
}
