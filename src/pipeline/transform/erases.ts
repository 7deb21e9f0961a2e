import { quoteIdentifier } from '../../lib/duckdb-text.js';
import type { CompiledErase, CompiledOutput } from '../../model/compiled-pipeline.js';
import type { BoundStep, RowColumn } from './compiled.js';
import { findColumn, Needs, type Relation, textColumn, valueColumn } from './relation.js';

/** A relation whose rows name what is deleted, and how its rows become keys. */
interface Origin {
  readonly relation: Relation;
  /** What the keys read of it. */
  readonly needs: Needs;
  /** Condition of the rows; null: all. */
  readonly where: string | null;
  /** The keys, as columns of the output's relation, from a SELECT over the relation. */
  readonly keys: (rows: string) => string;
}

export interface EraseContext {
  readonly relations: ReadonlyMap<string, Relation>;
  readonly steps: ReadonlyMap<string, BoundStep>;
  /** True for a step of which it is accepted that it sees one increment only: what lies before it erases nothing. */
  readonly isCut: (step: string) => boolean;
  /**
   * recompute: every row that is read names its key, since the result of a key is made anew. filter: the rows that filters drop do.
   */
  readonly mode: 'recompute' | 'filter';
}

export interface BoundErase {
  readonly relation: string;
  readonly needs: Needs;
  readonly erase: CompiledErase;
}

/**
 * What tells a destination which rows have left the result. null: the key cannot be computed from a row alone.
 *
 * @param names  the load key, and `orderBy` if it is to be compared
 */
export function bindErases(output: Pick<CompiledOutput, 'from' | 'columns'>, names: readonly string[], context: EraseContext): BoundErase[] | null {
  const relation = context.relations.get(output.from);
  if (!relation) return [];
  const needs = new Needs();
  for (const name of names) {
    const column = findColumn(relation, name);
    if (column) (sqlOf(output, name) === textColumn(column.name) ? needs.texts : needs.values).add(column.name);
  }
  const origins = trace(relation, needs, context);
  return origins?.map((origin) => toErase(origin, output, names)) ?? null;
}

function toErase({ relation, needs, where, keys }: Origin, output: Pick<CompiledOutput, 'columns'>, names: readonly string[]): BoundErase {
  const rows = `SELECT * FROM ${quoteIdentifier(relation.name)}${where === null ? '' : ` WHERE (${where}) IS NOT TRUE`}`;
  const items = names.map((name) => `${sqlOf(output, name)} AS ${quoteIdentifier(name)}`);
  const sql = `SELECT ${['_pos', ...items].join(', ')} FROM (${keys(rows)})`;
  return { relation: relation.name, needs, erase: { from: relation.name, sql, columns: names } };
}

function sqlOf({ columns }: Pick<CompiledOutput, 'columns'>, name: string): string {
  return columns.find((column) => column.name === name)?.sql ?? valueColumn(name);
}

/** Where rows come from that stand for rows of `relation`, back to the inputs. */
function trace(relation: Relation, needs: Needs, context: EraseContext): Origin[] | null {
  const step = context.steps.get(relation.name);
  if (!step) return context.mode === 'recompute' ? [{ relation, needs, where: null, keys: (rows) => rows }] : [];
  if (context.isCut(relation.name)) return [];
  const ways = step.rows.covers === 'each' ? everyWay(step, needs, context) : anyWay(step, needs, context);
  if (!ways || context.mode === 'recompute' || step.rows.where === null) return ways;
  const [source] = step.sources;
  return source ? [...ways, { relation: source, needs, where: step.rows.where, keys: (rows) => rows }] : ways;
}

/** Each row of a union comes from one of its sources, so that every one must lead to keys. */
function everyWay(step: BoundStep, needs: Needs, context: EraseContext): Origin[] | null {
  const origins: Origin[] = [];
  for (const index of step.sources.keys()) {
    const way = traceSource(step, index, needs, context);
    if (!way) return null;
    origins.push(...way);
  }
  return origins;
}

/** Every row of the result comes from a row of each of these sources: one that leads to keys is enough. */
function anyWay(step: BoundStep, needs: Needs, context: EraseContext): Origin[] | null {
  if (step.rows.covers === 'each') return null;
  for (const index of step.rows.covers) {
    const way = traceSource(step, index, needs, context);
    if (way) return way;
  }
  return null;
}

function traceSource(step: BoundStep, index: number, needs: Needs, context: EraseContext): Origin[] | null {
  const source = step.sources[index];
  const columns = step.rows.columns(index);
  const wanted = step.relation.columns.filter((column) => needs.has(column)).map((column) => columns.find(({ name }) => name === column.name));
  if (!source || wanted.some((column) => column === undefined)) return null;
  const own = new Needs();
  const found = wanted.filter((column): column is RowColumn => column !== undefined);
  for (const column of found) {
    const result = findColumn(step.relation, column.name);
    if (column.passed && result) needs.handOn(result, own, column.passed);
    else for (const read of column.reads) own.value(read);
  }
  const alias = quoteIdentifier(step.rows.alias(index));
  const items = found.flatMap((column) => itemsOf(column, needs));
  const origins = trace(source, own, context);
  return origins?.map((origin) => ({ ...origin, keys: (rows) => `SELECT ${['_pos', ...items].join(', ')} FROM (${origin.keys(rows)}) AS ${alias}` })) ?? null;
}

/** A row that was dropped was never computed: what fails on it is NULL, and a key that is NULL becomes a dead letter. */
function itemsOf({ name, sql, passed }: RowColumn, needs: Needs): string[] {
  return passed ? needs.select({ name }, passed.name) : [`TRY(${sql}) AS ${valueColumn(name)}`];
}
