import { reportOf } from '../../lineage/impact/findings.js';
import { judgeWaves } from '../../lineage/impact/judge-waves.js';
import type { ReaderCase } from '../../lineage/impact/reader-case.js';
import type { Connector } from '../../model/connector.js';
import { type DatasetRef, datasetKey } from '../../model/dataset.js';
import type { Change, CompileMany, JudgedChange } from '../../model/impact.js';
import type { Truncation } from '../../model/lineage-query.js';
import { changedDataset, rootsOf } from './change-roots.js';
import { describeNode } from './describe-node.js';
import { type KnownReader, prepareReaders } from './prepare-readers.js';
import type { RecordedTable } from './recorded-tables.js';
import { typeRules } from './type-rules.js';

export type OwnedReader = KnownReader & { readonly owners: readonly string[] };

/** Everything that the graph says about a change. */
export interface KnownChange {
  readonly change: Change;
  /** Every job that the change could reach. */
  readonly known: readonly OwnedReader[];
  /** By `datasetKey`. */
  readonly tables: ReadonlyMap<string, RecordedTable>;
  /** By kind. */
  readonly connectors: Readonly<Record<string, Connector>>;
  readonly compileMany: CompileMany;
  readonly revision: string;
  /** null: no bound. */
  readonly maxDepth: number | null;
  readonly truncated: readonly Truncation[];
}

/** @throws PlatformError NOT_FOUND for a column or dataset that is not there; BAD_USER_INPUT for a change that changes nothing */
export async function judgeKnown({ change, known, tables, connectors, compileMany, ...rest }: KnownChange): Promise<JudgedChange> {
  const readers = new Map(known.map((reader) => [reader.id, reader]));
  const types = typeRules(connectorsByDataset(connectors, known));
  const dataset = changedDataset(change);
  const roots = rootsOf(change, dataset ? tables.get(datasetKey(dataset)) : undefined, types);
  const judged = await judgeWaves(known, roots.effects, {
    prepare: (ids, effects) =>
      prepareReaders(
        ids.map((id) => readers.get(id) as OwnedReader),
        effects,
        { tables, connectors, types, compileMany },
      ),
  });
  if (judged.invalid.size > 0 && change.kind === 'pipelineSpecs') return { outcome: 'invalid', issues: invalidIssues(change, [...judged.invalid.values()]) };
  const report = reportOf({ reachable: known, judged, starts: roots.starts, describe: describeNode(readers, tables), ...rest });
  return { outcome: 'judged', report };
}

function invalidIssues({ specs }: Extract<Change, { kind: 'pipelineSpecs' }>, invalid: readonly ReaderCase[]) {
  return invalid.flatMap(({ job, changed: { result } }) => {
    const spec = specs.findIndex(({ spec: { namespace, name } }) => namespace === job.namespace && name === job.name);
    return 'issues' in result ? result.issues.map((issue) => ({ spec, issue })) : [];
  });
}

function connectorsByDataset(connectors: KnownChange['connectors'], readers: readonly KnownReader[]): (dataset: DatasetRef) => Connector | undefined {
  const kinds = new Map<string, string>();
  for (const { saved, next } of readers) {
    const places = saved !== null && typeof saved !== 'string' ? [...Object.values(saved.places.inputs), ...saved.places.outputs] : [];
    for (const { dataset, kind } of [...places, ...(next?.described.outputs ?? [])]) kinds.set(dataset.namespace, kind);
  }
  return ({ namespace }) => connectors[kinds.get(namespace) ?? ''];
}
