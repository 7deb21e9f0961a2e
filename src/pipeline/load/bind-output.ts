import { orIdentity } from '../../lineage/transformations.js';
import type { CompiledOutput } from '../../model/compiled-pipeline.js';
import type { Connector, StreamDescription } from '../../model/connector.js';
import type { DatasetRef } from '../../model/dataset.js';
import type { SpecIssue } from '../../model/errors.js';
import type { OutputLineage } from '../../model/lineage.js';
import type { OutputSpec } from '../../model/pipeline-spec.js';
import { formatPath } from '../spec/problems.js';
import { findColumn, hasText, type Needs, type Relation, type RelationColumn, textColumn, valueColumn } from '../transform/relation.js';
import { destinationProblems, type OfferedColumn, typedAsDestination } from './check-destination.js';

export interface OutputTarget {
  readonly connector: Connector;
  readonly dataset: DatasetRef;
  /** null: the table is made at the commit. */
  readonly existing: StreamDescription | null;
}

export interface BoundOutput {
  readonly output: CompiledOutput;
  /** What is wrong with the document. */
  readonly issues: readonly SpecIssue[];
  /** Where a table that is there does not fit. */
  readonly mismatches: readonly SpecIssue[];
}

/** Binds an output to its table: which column is loaded as which type, in which text form, and what it depends on. */
export function bindOutput(spec: OutputSpec, relation: Relation, target: OutputTarget, inputDatasets: readonly DatasetRef[], path: string): BoundOutput {
  const issues: SpecIssue[] = [];
  const offered = relation.columns.flatMap((column) => {
    const loaded = loadColumn(column, target);
    if (!loaded)
      issues.push({
        path: `${path}.from`,
        message: `Column "${column.name}" of "${spec.from}" is ${column.type}, which ${target.connector.kind} has no exact form for. Cast it before the output.`,
      });
    return loaded ? [loaded] : [];
  });
  issues.push(...nameIssues(relation, target.connector, path), ...loadIssues(spec, relation, path));
  const mismatches = target.existing && issues.length === 0 ? destinationProblems(offered, spec.load, target.existing, target.connector, path) : [];
  const columns = typedAsDestination(offered, target.existing).map(({ name, type, sql }) => ({ name, type, sql }));
  const { from, connection, stream, load } = spec;
  const existing = target.existing?.columns.map(({ name, type, nullable, ordinal }) => ({ name, type, nullable, ordinal })) ?? null;
  const output = {
    from,
    inputs: relation.inputs,
    erases: [],
    connection,
    stream,
    dataset: target.dataset,
    load,
    columns,
    existing,
    lineage: lineageOf(relation, target.dataset, inputDatasets),
  };
  return { output, issues, mismatches };
}

/** An output hands every column of its relation on, as text where the destination reads it as the same value. */
export function needOutput(relation: Relation, kind: string, needs: Needs): void {
  for (const column of relation.columns) {
    if (goesAsText(column, kind)) needs.whole(column);
    else needs.value(column);
  }
}

function goesAsText({ type, passedType, passedKind, portable }: RelationColumn, kind: string): boolean {
  return passedType !== null && (passedKind === kind || portable === true || type === null);
}

function loadColumn(column: RelationColumn, { connector }: OutputTarget): (OfferedColumn & { readonly sql: string }) | null {
  const { name, type, passedType, passedKind } = column;
  if (passedType !== null && goesAsText(column, connector.kind)) {
    const sql = hasText(column) ? textColumn(name) : valueColumn(name);
    if (passedKind === connector.kind) return { name, type: connector.createType(passedType), passedType, sql };
    const written = connector.writeConversion(type ?? 'VARCHAR');
    return written && { name, type: written.type, passedType: written.type, sql };
  }
  const conversion = connector.writeConversion(type ?? '');
  return conversion && { name, type: conversion.type, passedType: conversion.type, sql: conversion.expression.replaceAll('{}', valueColumn(name)) };
}

function nameIssues({ columns }: Relation, connector: Connector, path: string): SpecIssue[] {
  return columns.flatMap(({ name }) => {
    const problem = connector.columnNameProblem(name);
    return problem === null ? [] : [{ path: `${path}.from`, message: `Column "${name}" cannot be written under this name: ${problem}.` }];
  });
}

function loadIssues({ from, load }: OutputSpec, relation: Relation, path: string): SpecIssue[] {
  const places = [
    ...load.key.map((name, index) => ({ name, place: ['load', 'key', index] })),
    ...(load.orderBy === null ? [] : [{ name: load.orderBy, place: ['load', 'orderBy'] }]),
  ];
  return places
    .filter(({ name }) => findColumn(relation, name)?.name !== name)
    .map(({ name, place }) => ({ path: formatPath([...place], path), message: `"${from}" has no column "${name}".` }));
}

function lineageOf(relation: Relation, output: DatasetRef, inputs: readonly DatasetRef[]): OutputLineage {
  return {
    output,
    inputs,
    columns: relation.columns.flatMap((column) =>
      column.sources.map((source) => ({ from: source.from, to: column.name, transformations: orIdentity(source) })),
    ),
    influences: relation.influences,
  };
}
