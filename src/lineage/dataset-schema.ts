import { sha256 } from '../lib/sha256.js';
import type { CompiledOutput } from '../model/compiled-pipeline.js';
import type { ColumnSchema } from '../model/dataset.js';

/** A column that the graph knows of a dataset, whether the dataset still has it or not. */
export interface RememberedColumn extends ColumnSchema {
  readonly id: string;
  readonly present: boolean;
}

export interface IdentifiedColumn extends ColumnSchema {
  readonly id: string;
}

export interface SchemaChanges {
  /** Columns that appear, or appear again. */
  readonly opened: readonly IdentifiedColumn[];
  readonly changed: readonly IdentifiedColumn[];
  readonly closedIds: readonly string[];
  /** What the dataset has after them, in table order. */
  readonly columns: readonly IdentifiedColumn[];
}

export interface FoundSchema {
  readonly columns: readonly ColumnSchema[];
  /** False while the table is only planned. */
  readonly there: boolean;
}

/** The schema that an output's table has once it is written: the one found, or the one that will be made. */
export function outputSchema({ columns, load, existing }: CompiledOutput): FoundSchema {
  if (existing !== null) return { columns: existing, there: true };
  const made = columns.map(({ name, type }, index) => ({ name, type, nullable: !load.key.includes(name), ordinal: index + 1 }));
  return { columns: made, there: false };
}

/**
 * What must change so that a dataset has the schema found.
 *
 * @param keepOthers  true: columns that are not among those found stay as they are, and all keep their places
 * @param newId       an id for a column that the dataset never had
 */
export function schemaChanges(
  remembered: readonly RememberedColumn[],
  found: readonly ColumnSchema[],
  keepOthers: boolean,
  newId: () => string,
): SchemaChanges {
  const byName = new Map(remembered.map((column) => [column.name, column]));
  const foundNames = new Set(found.map(({ name }) => name));
  const others = remembered.filter(({ name, present }) => present && !foundNames.has(name));
  const known = found.map((column) => {
    const before = byName.get(column.name);
    const place = keepOthers && before?.present ? { nullable: before.nullable, ordinal: before.ordinal } : {};
    return { before, column: plain({ ...column, ...place }, before?.id ?? newId()) };
  });
  const kept = keepOthers ? others.map((column) => plain(column, column.id)) : [];
  return {
    opened: known.filter(({ before }) => !before?.present).map(({ column }) => column),
    changed: known.filter(({ before, column }) => before?.present && differs(column, before)).map(({ column }) => column),
    closedIds: keepOthers ? [] : others.map(({ id }) => id),
    columns: [...known.map(({ column }) => column), ...kept].sort((a, b) => a.ordinal - b.ordinal),
  };
}

/** The same for versions of one dataset with equal columns in equal places. */
export function schemaHash(datasetId: string, columns: readonly IdentifiedColumn[]): string {
  return sha256(JSON.stringify([datasetId, columns.map(({ id, name, type, nullable, ordinal }) => [id, name, type, nullable, ordinal])]));
}

/** Only what the graph keeps of a column. */
function plain({ name, type, nullable, ordinal }: ColumnSchema, id: string): IdentifiedColumn {
  return { id, name, type, nullable, ordinal };
}

function differs(a: ColumnSchema, b: ColumnSchema): boolean {
  return a.type !== b.type || a.nullable !== b.nullable || a.ordinal !== b.ordinal;
}
