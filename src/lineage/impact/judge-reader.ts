import type { CompiledPipeline } from '../../model/compiled-pipeline.js';
import { datasetKey } from '../../model/dataset.js';
import type { ImpactCode, Severity } from '../../model/impact.js';
import type { BoundCast } from '../../model/run-process.js';
import { breakOf } from './break-reader.js';
import { type Cause, type DatasetEffect, noEffect } from './effects.js';
import { isUnseen } from './exact-retype.js';
import { columnNode, datasetNode, type NodeKey } from './nodes.js';
import { outputEffects } from './output-effects.js';
import { type AffectedColumn, affectedColumns, jobName, type ReaderCase } from './reader-case.js';

/** The verdict on one job, and what follows for the datasets it writes. */
export interface Judgement extends Cause {
  readonly severity: Severity;
  /** By `datasetKey`. */
  readonly outputs: ReadonlyMap<string, DatasetEffect>;
}

export function judgeReader(reader: ReaderCase): Judgement {
  const affected = affectedColumns(reader);
  const broken = breakOf(reader, affected);
  if (broken) return { ...broken, severity: 'BREAKS', outputs: staleOutputs(reader, broken) };
  const compiled = (reader.changed.result as { readonly compiled: CompiledPipeline }).compiled;
  const outputs = new Map(outputEffects(reader, compiled, affected));
  const stale = staleInput(reader);
  if (stale) {
    for (const { dataset } of compiled.outputs) {
      const key = datasetKey(dataset);
      outputs.set(key, { ...(outputs.get(key) ?? noEffect(dataset)), stale: staleCause(reader, stale.via) });
    }
  }
  const changes = changeOf(reader, compiled, affected, outputs);
  if (changes) return { ...changes, severity: 'CHANGES_VALUES', outputs };
  if (stale) return { ...stale, severity: 'STALE', outputs };
  return { ...untouched(reader, affected), severity: 'NONE', outputs };
}

/** A job whose inputs are only not refreshed: nothing need be compiled for that. */
export function judgeStale(
  reader: Pick<ReaderCase, 'job' | 'effects'>,
  inputs: readonly string[],
  outputs: readonly DatasetEffect['dataset'][],
): Judgement | null {
  const stale = staleAmong(reader, inputs);
  if (!stale) return null;
  return {
    ...stale,
    severity: 'STALE',
    outputs: new Map(outputs.map((dataset) => [datasetKey(dataset), { ...noEffect(dataset), stale: staleCause(reader, stale.via) }])),
  };
}

function staleOutputs({ job, baseline, changed }: ReaderCase, { via }: Cause): Map<string, DatasetEffect> {
  const compiled = baseline?.compiled ?? ('compiled' in changed.result ? changed.result.compiled : null);
  const stale: Cause = { code: 'UPSTREAM_BREAKS', reason: `is no longer refreshed, since job ${jobName(job)} breaks`, via };
  return new Map((compiled?.outputs ?? []).map(({ dataset }) => [datasetKey(dataset), { ...noEffect(dataset), stale }]));
}

function staleCause({ job }: Pick<ReaderCase, 'job'>, via: readonly NodeKey[]): Cause {
  return { code: 'UPSTREAM_BREAKS', reason: `is no longer refreshed by what lies before job ${jobName(job)}`, via };
}

function staleInput(reader: ReaderCase): Cause | null {
  const compiled = 'compiled' in reader.changed.result ? reader.changed.result.compiled : reader.baseline?.compiled;
  return staleAmong(reader, compiled?.inputs.map(({ dataset }) => datasetKey(dataset)) ?? []);
}

function staleAmong({ job, effects }: Pick<ReaderCase, 'job' | 'effects'>, inputs: readonly string[]): Cause | null {
  const stale = [...new Set(inputs)].flatMap((key) => {
    const effect = effects.get(key);
    return effect?.stale ? [{ dataset: effect.dataset, code: effect.stale.code }] : [];
  });
  const [first] = stale;
  if (first === undefined) return null;
  const reason = `Job ${jobName(job)} still runs, but ${first.dataset.name}, which it reads, is no longer refreshed.`;
  return { code: first.code, reason, via: stale.map(({ dataset }) => datasetNode(dataset)) };
}

/** What a job that still runs does otherwise; the most telling first. */
function changeOf(
  reader: ReaderCase,
  compiled: CompiledPipeline,
  affected: readonly AffectedColumn[],
  outputs: ReadonlyMap<string, DatasetEffect>,
): Cause | null {
  const job = `Job ${jobName(reader.job)}`;
  const used = affected.filter(({ use }) => use.read);
  const retyped = used.filter(({ effect, use, name }) => effect.retyped !== null && !isUnseen(effect.retyped, compiled, use, name));
  return (
    lossOf(job, used, outputs) ??
    nullRead(job, used) ??
    (retyped.length > 0 ? retypeChange(reader, job, retyped) : null) ??
    schemaChange(job, used, outputs) ??
    valueChange(reader, job, compiled, used)
  );
}

function lossOf(job: string, used: readonly AffectedColumn[], outputs: ReadonlyMap<string, DatasetEffect>): Cause | null {
  for (const { dataset, columns, rows } of outputs.values()) {
    if (rows?.code === 'TABLE_MADE_ANEW')
      return { code: rows.code, reason: `${job} makes ${dataset.name} anew, with the rows of its next run only.`, via: rows.via };
    const [turned] = [...columns].filter(([, { code }]) => code === 'TURNS_NULL');
    if (!turned) continue;
    const gone = nodesOf(used.filter(({ effect }) => effect.gone));
    return {
      code: 'TURNS_NULL',
      reason: `${job} no longer writes column "${turned[0]}" of ${dataset.name}, which turns NULL.`,
      via: viaOr(turned[1].via, gone),
    };
  }
  return null;
}

/** It goes on without a word, with nothing in place of the values. */
function nullRead(job: string, used: readonly AffectedColumn[]): Cause | null {
  const turned = used.filter(({ effect }) => effect.code === 'TURNS_NULL');
  const [first] = turned;
  if (first === undefined) return null;
  const reason = `${job} reads column "${first.name}" of ${first.dataset.name}, which is no longer written and turns NULL.`;
  return { code: 'NULL_READ', reason, via: nodesOf(turned) };
}

function schemaChange(job: string, used: readonly AffectedColumn[], outputs: ReadonlyMap<string, DatasetEffect>): Cause | null {
  for (const { dataset, columns } of outputs.values()) {
    const [changed] = [...columns].filter(([, { gone, added, retyped }]) => gone || added !== null || retyped !== null);
    if (!changed) continue;
    const [name, { reason, via }] = changed;
    const what = reason.replace(/ by job .*$/, '');
    return { code: 'OUTPUT_SCHEMA', reason: `${job} makes ${dataset.name} with other columns: "${name}" ${what}.`, via: viaOr(via, nodesOf(used)) };
  }
  return null;
}

function valueChange({ effects }: ReaderCase, job: string, compiled: CompiledPipeline, used: readonly AffectedColumn[]): Cause | null {
  const values = used.filter(({ effect }) => effect.values || effect.gone);
  const sources = compiled.inputs.filter(({ dataset }) => effects.get(datasetKey(dataset))?.rows);
  const via = [...nodesOf(values), ...sources.map(({ dataset }) => datasetNode(dataset))];
  const [first] = values;
  if (first) return { code: 'VALUES_READ', reason: `${job} reads column "${first.name}" of ${first.dataset.name}, which has other values.`, via };
  const [source] = sources;
  return source ? { code: 'VALUES_READ', reason: `${job} reads ${source.dataset.name}, which has other rows.`, via } : null;
}

function nodesOf(list: readonly AffectedColumn[]): NodeKey[] {
  return list.map(({ node }) => node);
}

function viaOr(via: readonly NodeKey[], other: readonly NodeKey[]): readonly NodeKey[] {
  return via.length > 0 ? via : other;
}

function retypeChange({ baseline, changed }: ReaderCase, job: string, retyped: readonly AffectedColumn[]): Cause {
  const code = retypeCode(newCasts(baseline?.casts ?? [], changed.casts), changed, retyped);
  const [first] = retyped;
  const column = `column "${first?.name}" of ${first?.dataset.name}, which becomes ${first?.effect.retyped?.to} (it was ${first?.effect.retyped?.from})`;
  const does = { IMPLICIT_CAST: 'now converts without saying so', CAST_SOURCE: 'casts', TYPE_READ: 'reads' }[code];
  const step = first?.use.transformations.find(({ step: id }) => id !== null)?.step;
  return { code, reason: `${job}${step ? `, step "${step}",` : ''} ${does} ${column}.`, via: retyped.map(({ node }) => node) };
}

function retypeCode(
  casts: readonly BoundCast[],
  { spec }: ReaderCase['changed'],
  retyped: readonly AffectedColumn[],
): 'IMPLICIT_CAST' | 'CAST_SOURCE' | 'TYPE_READ' {
  const castSteps = new Set(spec.steps.flatMap((step) => ('cast' in step ? [step.id] : [])));
  const expressions = retyped.flatMap(({ use }) => use.transformations);
  const written = expressions.some(({ step, expression }) => castSteps.has(step ?? '') || /\bcast\s*\(|::/i.test(expression ?? ''));
  const unwritten = casts.filter(({ step }) => !castSteps.has(step));
  if (unwritten.length > 0 && !written) return 'IMPLICIT_CAST';
  return written ? 'CAST_SOURCE' : 'TYPE_READ';
}

/** Conversions that were not made before. */
function newCasts(before: readonly BoundCast[], after: readonly BoundCast[]): BoundCast[] {
  const left = before.map((cast) => JSON.stringify(cast));
  return after.filter((cast) => {
    const place = left.indexOf(JSON.stringify(cast));
    if (place >= 0) left.splice(place, 1);
    return place < 0;
  });
}

function untouched({ job, effects }: ReaderCase, affected: readonly AffectedColumn[]): { code: ImpactCode; reason: string; via: readonly NodeKey[] } {
  const used = affected.filter(({ use }) => use.read);
  const [first] = used.length > 0 ? used : affected;
  const via = (used.length > 0 ? used : affected).map(({ dataset, name }) => columnNode(dataset, name));
  const rest = via.length > 0 ? via : [...effects.values()].map(({ dataset }) => datasetNode(dataset));
  const name = jobName(job);
  if (first === undefined) return { code: 'NOT_USED', reason: `Job ${name} uses nothing of what changes.`, via: rest };
  const column = `column "${first.name}" of ${first.dataset.name}`;
  if (used.length === 0) return { code: 'NOT_USED', reason: `Job ${name} does not use ${column}.`, via: rest };
  return { code: 'SAME_VALUES', reason: `Job ${name} reads ${column}, and gives the same as before.`, via: rest };
}
