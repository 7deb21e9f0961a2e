import { type Connector, hasUniqueKey, type LoadColumn, type StreamDescription } from '../../model/connector.js';
import type { SpecIssue } from '../../model/errors.js';
import type { LoadSpec } from '../../model/pipeline-spec.js';

/** A column to load, with the type its values have before any conversion by the destination. */
export interface OfferedColumn extends LoadColumn {
  readonly passedType: string;
}

/**
 * Why a table that is there cannot take these columns without changing a value or failing at the commit: every column with a type
 * that holds it exactly, extra columns optional, a unique index on exactly the key.
 */
export function destinationProblems(
  columns: readonly OfferedColumn[],
  load: LoadSpec,
  table: StreamDescription,
  connector: Connector,
  path: string,
): SpecIssue[] {
  const problem = (message: string): SpecIssue => ({ path: `${path}.stream`, message: `${table.stream} does not fit: ${message}` });
  const refused = connector.loadProblem?.(table.stream, load.mode) ?? null;
  if (refused !== null) return [problem(`${refused}.`)];
  if (table.madeAnew) return [];
  const byName = new Map(table.columns.map((column) => [column.name, column]));
  const offered = new Set(columns.map(({ name }) => name));
  const misfits = columns.flatMap(({ name, passedType }) => {
    const column = byName.get(name);
    if (!column) return [problem(`it has no column "${name}". Add it, or leave it out of the pipeline.`)];
    if (!column.writable) return [problem(`the database computes column "${name}" itself. Leave it out of the pipeline.`)];
    if (connector.assignable(passedType, column.type)) return [];
    return [problem(`column "${name}" is ${column.type} and cannot hold every ${passedType}. Change its type, or cast in the pipeline.`)];
  });
  const required = table.columns.filter((column) => !offered.has(column.name) && !column.optional);
  const missing = required.map(({ name }) => problem(`its column "${name}" is required and not written. Write it, or give it a default.`));
  return [...misfits, ...missing, ...keyProblems(load, table).map(problem)];
}

function keyProblems({ mode, key }: LoadSpec, table: StreamDescription): string[] {
  if (mode === 'append' || key.length === 0 || hasUniqueKey(table, key)) return [];
  return [`it has no unique index on (${key.join(', ')}), which an upsert by that key needs. Add one.`];
}

/** The columns as the load names them: those of a table that is there have its types. */
export function typedAsDestination<Column extends OfferedColumn>(columns: readonly Column[], table: StreamDescription | null): Column[] {
  const types = new Map((table?.madeAnew ? null : table)?.columns.map(({ name, type }) => [name, type]));
  return columns.map((column) => ({ ...column, type: types.get(column.name) ?? column.type }));
}
