import { quoteIdentifier, quoteText } from '../../lib/duckdb-text.js';
import { type ColumnSource, compose, mergeInfluences } from '../../lineage/transformations.js';
import type { CompiledRejects } from '../../model/compiled-pipeline.js';
import type { SpecIssue } from '../../model/errors.js';
import type { InfluenceEdge, Transformation } from '../../model/lineage.js';
import type { CastErrorPolicy, CastStep } from '../../model/pipeline-spec.js';
import { formatPath } from '../spec/problems.js';
import type { BindResult, RowColumn } from './compiled.js';
import { ExpressionProblem } from './expression-problem.js';
import { namesOf } from './names.js';
import { findColumn, type Needs, type Relation, type RelationColumn, textColumn, valueColumn } from './relation.js';
import type { Scope } from './scope.js';

interface Cast {
  readonly column: RelationColumn;
  readonly type: string;
  /** What is cast: the value, or the text of a column that has no exact value. */
  readonly source: string;
}

/** Gives the listed columns another type and keeps all others. What cannot be cast fails the run, becomes null, or rejects its row. */
export async function bindCast({ id, cast }: CastStep, input: Relation, scope: Scope, path: string): Promise<BindResult> {
  const casts = new Map<string, Cast>();
  const issues: SpecIssue[] = [];
  for (const [name, type] of Object.entries(cast.columns)) {
    try {
      const bound = await bindColumn(name, type, input, scope);
      if (casts.has(bound.column.name)) throw new ExpressionProblem('This column is listed twice. Names count without upper and lower case.');
      casts.set(bound.column.name, bound);
    } catch (error) {
      if (!(error instanceof ExpressionProblem)) throw error;
      issues.push({ path: formatPath(['cast', 'columns', name], path), message: error.message });
    }
  }
  if (issues.length > 0) return { issues };
  const relation = relationOf(id, input, casts, cast.onError);
  const all = [...casts.values()];
  return {
    step: {
      relation,
      sources: [input],
      isBlocking: false,
      rows: { covers: [0], where: null, alias: () => input.name, columns: () => input.columns.map((column) => rowColumn(column, casts.get(column.name))) },
      need: (own, [needs]) => needs && need(input, casts, cast.onError, own, needs),
      emit: (own, [needs]) => emit(id, input, all, cast.onError, own, needs ?? own),
    },
  };
}

async function bindColumn(name: string, text: string, input: Relation, scope: Scope): Promise<Cast> {
  const column = findColumn(input, name);
  if (!column) throw new ExpressionProblem(`"${input.name}" has no column "${name}".`);
  const type = await scope.canonicalType(text);
  const source = column.type === null ? textColumn(column.name) : valueColumn(column.name);
  await scope.typeOf(namesOf(input), `TRY_CAST(${source} AS ${type})`);
  return { column, type, source };
}

function relationOf(id: string, input: Relation, casts: ReadonlyMap<string, Cast>, onError: CastErrorPolicy): Relation {
  const influences = onError === 'reject' ? [...casts.values()].flatMap((cast) => influencesOf(cast, id)) : [];
  return {
    name: id,
    inputs: input.inputs,
    columns: input.columns.map((column) => {
      const cast = casts.get(column.name);
      return cast ? { name: column.name, type: cast.type, passedType: null, sources: sourcesOf(cast, id) } : column;
    }),
    influences: mergeInfluences([...input.influences, ...influences]),
  };
}

function rowColumn(column: RelationColumn, cast: Cast | undefined): RowColumn {
  if (!cast) return { name: column.name, sql: '', reads: [column], passed: column };
  return { name: column.name, sql: `TRY_CAST(${cast.source} AS ${cast.type})`, reads: [column], passed: null };
}

function written({ column, type }: Cast): string {
  return `CAST(${column.name} AS ${type})`;
}

function sourcesOf(cast: Cast, step: string): ColumnSource[] {
  const next: Transformation = { type: 'DIRECT', subtype: 'TRANSFORMATION', expression: written(cast), masking: false, step };
  return cast.column.sources.map(({ from, transformations }) => ({ from, transformations: compose(transformations, next) }));
}

/** A row that is rejected is not there: what is cast decides which rows there are. */
function influencesOf(cast: Cast, step: string): InfluenceEdge[] {
  const transformation: Transformation = { type: 'INDIRECT', subtype: 'FILTER', expression: written(cast), masking: false, step };
  return cast.column.sources.map(({ from }) => ({ from, transformations: [transformation] }));
}

/** A dead letter keeps the row as it came, so far as anything of it is read. */
function need(input: Relation, casts: ReadonlyMap<string, Cast>, onError: CastErrorPolicy, own: Needs, needs: Needs): void {
  for (const column of input.columns) {
    const cast = casts.get(column.name);
    if (!cast) own.handOn(column, needs, column);
    else if (column.type === null) needs.texts.add(column.name);
    else needs.value(column);
    if (onError === 'reject' && (cast || own.has(column))) needs.whole(column);
  }
}

function emit(id: string, input: Relation, casts: readonly Cast[], onError: CastErrorPolicy, own: Needs, needs: Needs) {
  const cast = onError === 'fail' ? 'CAST' : 'TRY_CAST';
  const items = input.columns.flatMap((column) => {
    const found = casts.find((candidate) => candidate.column === column);
    return found ? [`${cast}(${found.source} AS ${found.type}) AS ${valueColumn(column.name)}`] : own.select(column, column.name);
  });
  const rejects = onError === 'reject' ? rejectsOf(input, casts, own, needs) : null;
  const where = rejects ? ` WHERE NOT ${rejects.conditionSql}` : '';
  return {
    id,
    kind: 'cast' as const,
    from: [input.name],
    blocking: null,
    selects: [`SELECT ${['_pos', ...items].join(', ')} FROM ${quoteIdentifier(input.name)}${where}`],
    rejects,
    expressions: casts.map(({ column, source, type }) => ({ column: column.name, sql: `${cast}(${source} AS ${type})` })),
  };
}

function rejectsOf(input: Relation, casts: readonly Cast[], own: Needs, needs: Needs): CompiledRejects {
  const failed = ({ source, type }: Cast) => `(${source} IS NOT NULL AND TRY_CAST(${source} AS ${type}) IS NULL)`;
  const problems = casts.map((cast) => `CASE WHEN ${failed(cast)} THEN ${quoteText(`${cast.column.name} cannot be cast to ${cast.type}`)} END`);
  const kept = input.columns.filter((column) => own.has(column) || casts.some((cast) => cast.column === column));
  const fields = kept.map((column) => {
    const text = needs.texts.has(column.name) ? textColumn(column.name) : `CAST(${valueColumn(column.name)} AS VARCHAR)`;
    return `${quoteText(column.name)}, ${text}`;
  });
  return {
    conditionSql: `(${casts.map(failed).join(' OR ')})`,
    messageSql: `concat_ws('; ', ${problems.join(', ')})`,
    rowSql: `json_object(${fields.join(', ')})`,
    columns: kept.map(({ name, type, passedType, sources }) => {
      const passedFrom = passedType === null ? null : (sources[0]?.from ?? null);
      return { name, type, value: needs.values.has(name), text: needs.texts.has(name), passedFrom };
    }),
  };
}
