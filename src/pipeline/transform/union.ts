import { quoteIdentifier } from '../../lib/duckdb-text.js';
import { mergeInfluences, mergeSources } from '../../lineage/transformations.js';
import type { SpecIssue } from '../../model/errors.js';
import type { UnionStep } from '../../model/pipeline-spec.js';
import type { BindResult, RowColumn } from './compiled.js';
import { findColumn, Needs, type Relation, type RelationColumn, valueColumn } from './relation.js';

/** A column of the result with that of each source. */
interface United {
  readonly column: RelationColumn;
  readonly parts: readonly RelationColumn[];
}

/** The rows of all sources. Their columns are matched by name; a text goes through where all sources have it from one type of one kind of store. */
export function bindUnion({ id }: UnionStep, sources: readonly Relation[], path: string): BindResult {
  const { united, issues } = uniteAll(sources, path);
  if (issues.length > 0) return { issues };
  const relation = {
    name: id,
    inputs: [...new Set(sources.flatMap(({ inputs }) => inputs))],
    columns: united.map(({ column }) => column),
    influences: mergeInfluences(sources.flatMap(({ influences }) => influences)),
  };
  return {
    step: {
      relation,
      sources,
      isBlocking: false,
      rows: { covers: 'each', where: null, alias: (index) => sources[index]?.name ?? '', columns: (index) => united.map((one) => rowColumn(one, index)) },
      need: (own, needs) => {
        for (const [index, each] of needs.entries()) for (const one of united) need(one, index, own, each);
      },
      emit: (own) => ({
        id,
        kind: 'union',
        from: sources.map(({ name }) => name),
        selects: sources.map((source, index) => select(source, index, sources.length, united, own)),
        blocking: null,
        rejects: null,
        expressions: [],
      }),
    },
  };
}

function uniteAll(sources: readonly Relation[], path: string): { readonly united: readonly United[]; readonly issues: readonly SpecIssue[] } {
  const [first] = sources;
  const issues: SpecIssue[] = [];
  const united = (first?.columns ?? []).flatMap((column): United[] => {
    const parts = sources.map((source) => findColumn(source, column.name));
    const lacking = sources.filter((_, index) => !parts[index]);
    const found = parts.filter((part): part is RelationColumn => part !== undefined);
    const result = lacking.length === 0 ? unite(column.name, found) : null;
    if (result) return [{ column: result, parts: found }];
    issues.push({ path: `${path}.union.from`, message: lacking.length > 0 ? lacks(column, lacking) : differs(column, sources, found) });
    return [];
  });
  for (const source of sources.slice(1)) {
    for (const column of source.columns)
      if (first && !findColumn(first, column.name)) issues.push({ path: `${path}.union.from`, message: lacks(column, [first]) });
  }
  return { united, issues };
}

/** null: they are not of one type. */
function unite(name: string, parts: readonly RelationColumn[]): RelationColumn | null {
  const [first] = parts;
  if (!first) return null;
  const sources = mergeSources(parts.flatMap((part) => part.sources));
  const alike = (part: RelationColumn) => part.passedType === first.passedType && part.passedKind === first.passedKind && part.type === first.type;
  if (first.passedType !== null && parts.every(alike)) return { ...first, name, sources };
  const sameType = first.type !== null && parts.every(({ type }) => type === first.type);
  return sameType ? { name, type: first.type, passedType: null, sources } : null;
}

function lacks({ name }: RelationColumn, sources: readonly Relation[]): string {
  return `"${sources.map((source) => source.name).join('", "')}" has no column "${name}", which another source has. All sources of a union have the same columns; bring them into line with a map.`;
}

function differs({ name }: RelationColumn, sources: readonly Relation[], parts: readonly RelationColumn[]): string {
  const types = sources.map((source, index) => `${parts[index]?.type ?? parts[index]?.passedType} in "${source.name}"`);
  return `Column "${name}" is ${types.join(', ')}. Cast it to one type before the union.`;
}

function need({ column, parts }: United, index: number, own: Needs, needs: Needs): void {
  const part = parts[index];
  if (!part || !own.has(column)) return;
  if (column.passedType === null) needs.value(part);
  else own.handOn(column, needs, part);
}

function select({ name }: Relation, index: number, count: number, united: readonly United[], own: Needs): string {
  const items = united.flatMap(({ column, parts }) => own.select(column, (parts[index] as RelationColumn).name));
  return `SELECT ${[`_pos * ${count} + ${index} AS _pos`, ...items].join(', ')} FROM ${quoteIdentifier(name)}`;
}

function rowColumn({ column, parts }: United, index: number): RowColumn {
  const part = parts[index] as RelationColumn;
  return { name: column.name, sql: valueColumn(part.name), reads: [part], passed: column.passedType === null ? null : part };
}
