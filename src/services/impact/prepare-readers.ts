import { describedAfter, type Effects } from '../../lineage/impact/effects.js';
import type { Prepared, Reachable } from '../../lineage/impact/judge-waves.js';
import type { ReaderCase, TypeRules, WrittenTable } from '../../lineage/impact/reader-case.js';
import type { Connector, StreamDescription } from '../../model/connector.js';
import { type DatasetRef, datasetKey } from '../../model/dataset.js';
import type { CompileMany, CompileOutcome } from '../../model/impact.js';
import type { LoadSpec, PipelineSpec } from '../../model/pipeline-spec.js';
import type { CompileRequest } from '../../model/run-process.js';
import type { RecordedTable } from './recorded-tables.js';
import { typedColumn } from './type-rules.js';

/** Where the streams of a document are. */
export interface StreamPlaces {
  readonly inputs: Readonly<Record<string, { readonly dataset: DatasetRef; readonly kind: string }>>;
  readonly outputs: readonly { readonly dataset: DatasetRef; readonly kind: string }[];
}

/** A job with its documents. */
export interface KnownReader extends Reachable {
  /** The latest saved document; null: it is new. A text: why it cannot be looked at. */
  readonly saved: { readonly spec: PipelineSpec; readonly places: StreamPlaces } | string | null;
  /** The document that is to be saved, with what was found of its streams; null: it stays as it is. */
  readonly next: { readonly spec: PipelineSpec; readonly described: Omit<CompileRequest, 'spec'> } | null;
}

export interface PrepareParts {
  readonly tables: ReadonlyMap<string, RecordedTable>;
  readonly connectors: Readonly<Record<string, Connector>>;
  readonly types: TypeRules;
  readonly compileMany: CompileMany;
}

interface Requests {
  readonly baseline: CompileRequest | null;
  readonly changed: CompileRequest | { readonly missing: string };
}

/** Compiles readers as they are and as they would be, all in one process. */
export async function prepareReaders(readers: readonly KnownReader[], effects: Effects, parts: PrepareParts): Promise<Prepared[]> {
  const asked = readers.map((reader) => (typeof reader.saved === 'string' ? null : requestsOf(reader, effects, parts)));
  const requests = asked.flatMap((one) => (one ? [one.baseline, one.changed] : [])).filter((one): one is CompileRequest => one !== null && 'spec' in one);
  const outcomes = await parts.compileMany(requests);
  const answers = new Map(requests.map((request, index) => [request, outcomes[index]]));
  return readers.map((reader, index): Prepared => {
    const own = asked[index];
    if (!own) return { blind: typeof reader.saved === 'string' ? reader.saved : 'it could not be read.' };
    const changed = 'spec' in own.changed ? answers.get(own.changed) : missingInput(own.changed.missing);
    return caseOf(reader, own, own.baseline ? answers.get(own.baseline) : null, changed, effects, parts);
  });
}

function caseOf(
  reader: KnownReader,
  { baseline, changed }: Requests,
  before: CompileOutcome | null | undefined,
  after: CompileOutcome | undefined,
  effects: Effects,
  parts: PrepareParts,
): Prepared {
  if (!after || 'failure' in after) return { blind: after?.failure ?? 'it could not be compiled.' };
  if (before === undefined || (before && 'failure' in before)) return { blind: before && 'failure' in before ? before.failure : 'it could not be compiled.' };
  const compiled = before && 'compiled' in before.result ? before.result.compiled : null;
  if (baseline && !compiled && !reader.specChanged) return { blind: 'its saved document does not compile against the schemas that are recorded.' };
  const spec = reader.next?.spec ?? baseline?.spec;
  if (!spec) return { blind: 'it has no document.' };
  const found: ReaderCase = {
    job: reader.job,
    baseline: baseline && compiled && before ? { spec: baseline.spec, compiled, casts: before.casts } : null,
    changed: { spec, result: after.result, casts: after.casts },
    specChanged: reader.specChanged,
    effects: touching(reader, effects),
    tables: tablesOf(reader, 'spec' in changed ? changed : baseline, parts),
    types: parts.types,
  };
  return reader.specChanged && 'issues' in after.result ? { invalid: found } : { reader: found };
}

/** What happens to the datasets of one reader. */
function touching({ inputs, outputs }: KnownReader, effects: Effects): Effects {
  const keys = new Set([...inputs, ...outputs].map(datasetKey));
  return new Map([...effects].filter(([key]) => keys.has(key)));
}

function missingInput(message: string): CompileOutcome {
  return { result: { issues: [{ path: '', message }], code: 'INVALID_SPEC' }, casts: [] };
}

function requestsOf(reader: KnownReader, effects: Effects, parts: PrepareParts): Requests {
  const saved = typeof reader.saved === 'string' ? null : reader.saved;
  const baseline = saved ? recordedRequest(saved.spec, saved.places, parts) : null;
  const base = reader.next ? { spec: reader.next.spec, ...reader.next.described } : baseline;
  if (!base) return { baseline: null, changed: { missing: 'Its document is not known.' } };
  return { baseline, changed: changedRequest(base, effects, parts) };
}

/** A document against the schemas as the graph has them. */
function recordedRequest(spec: PipelineSpec, { inputs, outputs }: StreamPlaces, parts: PrepareParts): CompileRequest {
  const streams = Object.entries(inputs).map(([alias, { dataset, kind }]): [string, StreamDescription] => [
    alias,
    describe(dataset, spec.inputs[alias]?.stream ?? '', kind, null, parts) ?? {
      stream: '',
      dataset,
      columns: [],
      primaryKey: [],
      uniqueKeys: [],
      cursorCandidates: [],
    },
  ]);
  return {
    spec,
    inputs: Object.fromEntries(streams),
    inputKinds: Object.fromEntries(Object.entries(inputs).map(([alias, { kind }]) => [alias, kind])),
    outputs: outputs.map(({ dataset, kind }, index) => {
      const { stream = '', load } = spec.outputs[index] ?? {};
      const made = parts.tables.get(datasetKey(dataset))?.made === true;
      return { kind, dataset, existing: made ? describe(dataset, stream, kind, load ?? null, parts) : null };
    }),
  };
}

/** Keys and defaults of a table are not recorded: what its writer needs is assumed to be there. */
function describe(dataset: DatasetRef, stream: string, kind: string, load: LoadSpec | null, { tables, connectors }: PrepareParts): StreamDescription | null {
  const table = tables.get(datasetKey(dataset));
  const connector = connectors[kind];
  if (!table) return null;
  const columns = table.columns.map((column) => ({ ...typedColumn(connector, column), optional: true }));
  return {
    stream,
    dataset,
    columns,
    primaryKey: [],
    uniqueKeys: load && load.key.length > 0 ? [load.key] : [],
    cursorCandidates: columns.filter(({ type }) => connector?.isCursorType(type)).map(({ name }) => name),
  };
}

function changedRequest(base: CompileRequest, effects: Effects, { connectors }: PrepareParts): CompileRequest | { readonly missing: string } {
  const inputs: Record<string, StreamDescription> = {};
  for (const [alias, before] of Object.entries(base.inputs)) {
    const connector = connectors[base.inputKinds[alias] ?? ''];
    const after = describedAfter(before, effects.get(datasetKey(before.dataset)), (column, type) => ({
      ...typedColumn(connector, { ...column, type }),
      nullable: column.nullable,
    }));
    if (!after) return { missing: `Input "${alias}" reads ${before.dataset.name}, which is gone.` };
    const candidates = after.columns.filter(({ type }) => connector?.isCursorType(type)).map(({ name }) => name);
    inputs[alias] = { ...after, cursorCandidates: candidates };
  }
  const outputs = base.outputs.map((output) => {
    const effect = effects.get(datasetKey(output.dataset));
    if (effect?.isRoot !== true) return output;
    const connector = connectors[output.kind];
    return {
      ...output,
      existing: describedAfter(output.existing, effect, (column, type) => ({ ...typedColumn(connector, { ...column, type }), optional: true })),
    };
  });
  return { ...base, inputs, outputs };
}

function tablesOf(reader: KnownReader, request: CompileRequest | null, { tables }: PrepareParts): Map<string, WrittenTable> {
  return new Map(
    (request?.outputs ?? []).map(({ dataset, existing }): [string, WrittenTable] => {
      const others = tables.get(datasetKey(dataset))?.writers.filter((id) => id !== reader.id) ?? [];
      return [datasetKey(dataset), { dataset, existing, otherWriters: others.length > 0 }];
    }),
  );
}
