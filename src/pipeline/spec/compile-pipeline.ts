import type { DuckDBConnection } from '@duckdb/node-api';
import type { CompiledInput, CompiledStep } from '../../model/compiled-pipeline.js';
import type { Connector, StreamDescription } from '../../model/connector.js';
import type { SpecIssue } from '../../model/errors.js';
import type { PipelineSpec, StepSpec } from '../../model/pipeline-spec.js';
import type { CompileRequest, CompileResult } from '../../model/run-process.js';
import { type BoundOutput, bindOutput, needOutput } from '../load/bind-output.js';
import { bindCast } from '../transform/cast.js';
import type { BindResult, BoundStep } from '../transform/compiled.js';
import { bindFilter } from '../transform/filter.js';
import { loadFunctions } from '../transform/functions.js';
import { bindMap } from '../transform/map.js';
import { Needs, type Relation } from '../transform/relation.js';
import { Scope } from '../transform/scope.js';
import { isReservedColumn } from './document.js';
import { orderSteps, stepSource } from './references.js';

/**
 * Binds a document to the schemas found: what every step computes, what is read and written, and what depends on what.
 * `connection` is an empty sandbox of its own.
 */
export async function compilePipeline(
  request: CompileRequest,
  connectors: Readonly<Record<string, Connector>>,
  connection: DuckDBConnection,
): Promise<CompileResult> {
  const { spec } = request;
  const scope = new Scope(connection, await loadFunctions(connection));
  const relations = new Map<string, Relation>();
  const issues: SpecIssue[] = [];
  for (const [alias, description] of Object.entries(request.inputs)) {
    issues.push(...inputProblems(alias, description));
    relations.set(alias, inputRelation(alias, description));
  }
  if (issues.length > 0) return { issues, code: 'INVALID_SPEC' };
  for (const relation of relations.values()) await scope.declare(relation);
  const steps = await bindSteps(spec, relations, scope, issues);
  const outputs = bindOutputs(request, relations, connectors);
  issues.push(...outputs.flatMap((output) => output.issues), ...sameTable(outputs));
  if (issues.length > 0) return { issues, code: 'INVALID_SPEC' };
  const mismatches = outputs.flatMap((output) => output.mismatches);
  if (mismatches.length > 0) return { issues: mismatches, code: 'DESTINATION_MISMATCH' };
  return { compiled: emitAll(request, relations, steps, outputs) };
}

function inputRelation(alias: string, { columns, dataset }: StreamDescription): Relation {
  return {
    name: alias,
    input: alias,
    influences: [],
    columns: columns.map(({ name, type, read }) => ({
      name,
      type: read?.type ?? null,
      passedType: type,
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
    const input = relations.get(stepSource(step));
    if (!input) continue;
    const result = await bindStep(step, input, scope, `steps[${index}]`);
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

function bindStep(step: StepSpec, input: Relation, scope: Scope, path: string): Promise<BindResult> {
  if ('map' in step) return bindMap(step, input, scope, path);
  return 'filter' in step ? bindFilter(step, input, scope, path) : bindCast(step, input, scope, path);
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
    const input = inputs[relation?.input ?? ''];
    return relation && target && connector && input ? [bindOutput(output, relation, { ...target, connector }, input.dataset, `outputs[${index}]`)] : [];
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
function emitAll(request: CompileRequest, relations: ReadonlyMap<string, Relation>, steps: readonly BoundStep[], outputs: readonly BoundOutput[]) {
  const needs = new Map([...relations.keys()].map((name) => [name, new Needs()]));
  const needsOf = (name: string): Needs => needs.get(name) ?? new Needs();
  for (const { output } of outputs) needOutput(relations.get(output.from) as Relation, needsOf(output.from));
  const sources = new Map(request.spec.steps.map((step) => [step.id, stepSource(step)]));
  const sourceOf = (step: BoundStep): Needs => needsOf(sources.get(step.relation.name) ?? '');
  for (const step of [...steps].reverse()) step.need(needsOf(step.relation.name), sourceOf(step));
  const compiled: CompiledStep[] = steps.map((step) => step.emit(needsOf(step.relation.name), sourceOf(step)));
  return { inputs: compileInputs(request, relations, needs), steps: compiled, outputs: outputs.map(({ output }) => output) };
}

function compileInputs({ spec, inputs }: CompileRequest, relations: ReadonlyMap<string, Relation>, needs: ReadonlyMap<string, Needs>): CompiledInput[] {
  return Object.entries(inputs).map(([alias, { dataset, columns }]) => {
    const own = needs.get(alias) ?? new Needs();
    const { connection, stream } = spec.inputs[alias] ?? { connection: '', stream: '' };
    const read = columns.filter((_, index) => own.has(relations.get(alias)?.columns[index] as Relation['columns'][number]));
    return {
      alias,
      connection,
      stream,
      dataset,
      schema: columns.map(({ name, type, nullable, ordinal }) => ({ name, type, nullable, ordinal })),
      columns: read.map(({ name, type, read: conversion }) => ({
        name,
        storeType: type,
        value: own.values.has(name),
        text: own.texts.has(name),
        read: conversion,
      })),
    };
  });
}
