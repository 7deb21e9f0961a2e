import type { DuckDBConnection } from '@duckdb/node-api';
import type { CompiledInput, CompiledPipeline } from '../../model/compiled-pipeline.js';
import type { Connector, StreamDescription } from '../../model/connector.js';
import type { SpecIssue } from '../../model/errors.js';
import type { PipelineSpec } from '../../model/pipeline-spec.js';
import type { CompileRequest, CompileResult } from '../../model/run-process.js';
import { type BoundOutput, bindOutput, needOutput } from '../load/bind-output.js';
import { bindStep } from '../transform/bind-step.js';
import type { BoundStep } from '../transform/compiled.js';
import { ExpressionProblem } from '../transform/expression-problem.js';
import { type FunctionCatalogue, loadFunctions } from '../transform/functions.js';
import { rejectsWithoutCursor } from '../transform/input-relation.js';
import { declareParam } from '../transform/params.js';
import { Needs, type Relation } from '../transform/relation.js';
import { Scope } from '../transform/scope.js';
import { type BoundErase, eraseRows } from './erase-rows.js';
import { incrementProblems } from './increment-problems.js';
import { orderSteps, stepSources } from './references.js';
import { isReservedColumn } from './step-documents.js';

/**
 * Binds a document to the schemas found: what every step computes, what is read and written, and what depends on what.
 * `connection` is an empty sandbox of its own; `functions` are those of another one, so that the list need not be read again.
 */
export async function compilePipeline(
  request: CompileRequest,
  connectors: Readonly<Record<string, Connector>>,
  connection: DuckDBConnection,
  functions?: FunctionCatalogue,
): Promise<CompileResult> {
  const { spec } = request;
  const issues: SpecIssue[] = await declareParams(spec, connection);
  const scope = new Scope(connection, { functions: functions ?? (await loadFunctions(connection)), params: Object.keys(spec.params) });
  const relations = new Map<string, Relation>();
  for (const [alias, description] of Object.entries(request.inputs)) {
    issues.push(...inputProblems(alias, description));
    relations.set(alias, inputRelation(alias, description, request.inputKinds[alias] ?? ''));
  }
  if (issues.length > 0) return { issues, code: 'INVALID_SPEC' };
  for (const relation of relations.values()) await scope.declare(relation);
  const steps = await bindSteps(spec, relations, scope, issues);
  const outputs = bindOutputs(request, relations, connectors);
  issues.push(...outputs.flatMap((output) => output.issues), ...sameTable(outputs));
  const blocking = new Set(steps.filter(({ isBlocking }) => isBlocking).map(({ relation }) => relation.name));
  issues.push(...incrementProblems(spec, request.inputs, blocking));
  if (issues.length > 0) return { issues, code: 'INVALID_SPEC' };
  const { erases, issues: unerasable } = eraseRows(
    spec,
    outputs.map(({ output }) => output),
    relations,
    steps,
  );
  issues.push(...unerasable);
  if (issues.length > 0) return { issues, code: 'INVALID_SPEC' };
  const mismatches = outputs.flatMap((output) => output.mismatches);
  if (mismatches.length > 0) return { issues: mismatches, code: 'DESTINATION_MISMATCH' };
  return { compiled: emitAll(request, relations, steps, outputs, erases) };
}

async function declareParams({ params }: PipelineSpec, connection: DuckDBConnection): Promise<SpecIssue[]> {
  const issues: SpecIssue[] = [];
  for (const [name, { type, default: value = null }] of Object.entries(params)) {
    try {
      await declareParam(connection, { name, type, value });
    } catch (error) {
      if (!(error instanceof ExpressionProblem)) throw error;
      issues.push({ path: `params.${name}`, message: error.message });
    }
  }
  return issues;
}

function inputRelation(alias: string, { columns, dataset }: StreamDescription, kind: string): Relation {
  return {
    name: alias,
    inputs: [alias],
    influences: [],
    columns: columns.map(({ name, type, read }) => ({
      name,
      type: read?.type ?? null,
      passedType: type,
      passedKind: kind,
      portable: read?.portable ?? false,
      plain: read?.expression === '{}',
      sources: [{ from: { dataset, name }, transformations: [] }],
    })),
  };
}

function inputProblems(alias: string, { columns, stream }: StreamDescription): SpecIssue[] {
  const seen = new Map<string, string>();
  const path = `inputs.${alias}.stream`;
  return columns.flatMap(({ name }) => {
    const other = seen.get(name.toLowerCase());
    seen.set(name.toLowerCase(), name);
    if (other !== undefined)
      return [{ path, message: `${stream} has columns "${other}" and "${name}", which differ in case only. Read a view that names them apart.` }];
    return isReservedColumn(name)
      ? [{ path, message: `${stream} has a column "${name}", a name that is reserved here. Read a view that names it otherwise.` }]
      : [];
  });
}

/** Steps behind one that does not bind are not judged: there is nothing to hold them against. */
async function bindSteps(spec: PipelineSpec, relations: Map<string, Relation>, scope: Scope, issues: SpecIssue[]): Promise<BoundStep[]> {
  const bound: BoundStep[] = [];
  for (const { step, index } of orderSteps(spec)) {
    const sources = stepSources(step).flatMap((source) => relations.get(source) ?? []);
    if (sources.length < stepSources(step).length) continue;
    const result = await bindStep(step, sources, scope, `steps[${index}]`);
    if ('issues' in result) {
      issues.push(...result.issues);
      continue;
    }
    relations.set(step.id, result.step.relation);
    bound.push(result.step);
    await scope.declare(result.step.relation);
  }
  return bound;
}

function bindOutputs(
  { spec, inputs, outputs }: CompileRequest,
  relations: ReadonlyMap<string, Relation>,
  connectors: Readonly<Record<string, Connector>>,
): BoundOutput[] {
  return spec.outputs.flatMap((output, index) => {
    const relation = relations.get(output.from);
    const target = outputs[index];
    const connector = connectors[target?.kind ?? ''];
    const datasets = relation?.inputs.flatMap((alias) => inputs[alias]?.dataset ?? []) ?? [];
    return relation && target && connector ? [bindOutput(output, relation, { ...target, connector }, datasets, `outputs[${index}]`)] : [];
  });
}

function sameTable(outputs: readonly BoundOutput[]): SpecIssue[] {
  const keys = outputs.map(({ output: { dataset } }) => JSON.stringify([dataset.namespace, dataset.name]));
  return outputs.flatMap(({ output }, index) =>
    keys.indexOf(keys[index] ?? '') < index
      ? [{ path: `outputs[${index}].stream`, message: `${output.stream} is written by another output of this pipeline already.` }]
      : [],
  );
}

/** Backwards: what each relation must have, from the outputs to the inputs; then the SQL that gives just that. */
function emitAll(
  request: CompileRequest,
  relations: ReadonlyMap<string, Relation>,
  steps: readonly BoundStep[],
  outputs: readonly BoundOutput[],
  erases: readonly (readonly BoundErase[])[],
): CompiledPipeline {
  const needs = new Map([...relations.keys()].map((name) => [name, new Needs()]));
  const needsOf = (name: string): Needs => needs.get(name) ?? new Needs();
  for (const [index, { output }] of outputs.entries())
    needOutput(relations.get(output.from) as Relation, request.outputs[index]?.kind ?? '', needsOf(output.from));
  for (const erase of erases.flat()) needsOf(erase.relation).add(erase.needs);
  const sourcesOf = ({ sources }: BoundStep): Needs[] => sources.map(({ name }) => needsOf(name));
  for (const step of [...steps].reverse()) step.need(needsOf(step.relation.name), sourcesOf(step));
  return {
    inputs: compileInputs(request, relations, needs),
    steps: steps.map((step) => step.emit(needsOf(step.relation.name), sourcesOf(step))),
    outputs: outputs.map(({ output }, index) => ({ ...output, erases: (erases[index] ?? []).map(({ erase }) => erase) })),
  };
}

function compileInputs({ spec, inputs }: CompileRequest, relations: ReadonlyMap<string, Relation>, needs: ReadonlyMap<string, Needs>): CompiledInput[] {
  return Object.entries(inputs).map(([alias, { dataset, columns }]) => {
    const own = needs.get(alias) ?? new Needs();
    const { connection = '', stream = '', incremental = null, recomputeBy = [] } = spec.inputs[alias] ?? {};
    const refusesBy = incremental?.nulls === 'dlq' ? incremental.cursor : null;
    const read = columns.filter(({ name }, index) => name === refusesBy || own.has(relations.get(alias)?.columns[index] as Relation['columns'][number]));
    return {
      alias,
      connection,
      stream,
      dataset,
      incremental,
      recomputeBy,
      schema: columns.map(({ name, type, nullable, ordinal }) => ({ name, type, nullable, ordinal })),
      columns: read.map(({ name, type, read: conversion }) => ({
        name,
        storeType: type,
        value: own.values.has(name),
        text: own.texts.has(name),
        read: conversion,
      })),
      rejects:
        refusesBy === null
          ? null
          : rejectsWithoutCursor(
              refusesBy,
              read.map(({ name }) => name),
            ),
    };
  });
}
