import type { JoinSide, LimitsSpec, OutputSpec, Over, ParamSpec, PipelineSpec, RetrySpec, StepSpec } from '../../model/pipeline-spec.js';
import type { PipelineDocument } from './document.js';
import { parseDuration, parseMemory } from './units.js';

const usualMinRatio = 0.5;

/** A checked document with its defaults filled in. */
export function toSpec(document: PipelineDocument): PipelineSpec {
  const { version, name, namespace, owners, description, inputs, steps, outputs, retry, limits, params } = document;
  return {
    version,
    name,
    namespace,
    owners,
    description: description ?? null,
    inputs: mapValues(inputs, ({ connection, stream, incremental, recompute }) => ({
      connection,
      stream,
      incremental: incremental ? { ...incremental, lookback: incremental.lookback ?? null } : null,
      recomputeBy: recompute?.by ?? [],
    })),
    steps: steps.map(toStep),
    outputs: outputs.map(toOutput),
    retry: toRetry(retry),
    limits: toLimits(limits),
    params: mapValues(params, toParam),
  };
}

function toStep(step: PipelineDocument['steps'][number]): StepSpec {
  const over = (written: 'increment' | undefined): Over => written ?? 'all';
  const { id } = step;
  if ('map' in step) return { id, map: { ...step.map, over: over(step.map.over) } };
  if ('join' in step) {
    const { left, right, on, ...join } = step.join;
    return { id, join: { ...join, left: toSide(left), right: toSide(right), on: on ?? null, over: over(join.over) } };
  }
  if ('aggregate' in step) {
    const { groupBy, ...aggregate } = step.aggregate;
    return { id, aggregate: { ...aggregate, groupBy: toGroups(groupBy), over: over(aggregate.over) } };
  }
  if ('dedupe' in step) return { id, dedupe: { ...step.dedupe, orderBy: step.dedupe.orderBy ?? null, over: over(step.dedupe.over) } };
  return step;
}

function toSide(side: string | JoinSide): JoinSide {
  return typeof side === 'string' ? { from: side, as: side } : side;
}

/** A column that is only named is the expression that reads it. */
function toGroups(groupBy: readonly string[] | Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>> {
  if (Array.isArray(groupBy)) return Object.fromEntries(groupBy.map((name: string) => [name, `"${name.replaceAll('"', '""')}"`]));
  return (groupBy as Readonly<Record<string, string>> | undefined) ?? {};
}

function toOutput({ load, ...output }: PipelineDocument['outputs'][number]): OutputSpec {
  const { mode, key = [], orderBy = null, minRatio = mode === 'overwrite' ? usualMinRatio : 0 } = load;
  return { ...output, load: { mode, key, orderBy, minRatio } };
}

/** A document that says nothing of it wants to hear of the first failure. */
function toRetry(retry: PipelineDocument['retry']): RetrySpec {
  const { attempts, initial, max } = retry ?? { attempts: 1, initial: 'PT1S', max: 'PT5M' };
  return { attempts, initialMs: parseDuration(initial) ?? 0, maxMs: parseDuration(max) ?? 0 };
}

function toLimits({ memory, timeout, attemptTimeout, rejected }: PipelineDocument['limits']): LimitsSpec {
  return {
    memoryBytes: parseMemory(memory) ?? 0,
    timeoutMs: timeout === undefined ? null : parseDuration(timeout),
    attemptTimeoutMs: attemptTimeout === undefined ? null : parseDuration(attemptTimeout),
    rejectedRows: rejected?.maxRows ?? null,
    rejectedRatio: rejected?.maxRatio ?? null,
  };
}

function toParam({ type, default: value }: PipelineDocument['params'][string]): ParamSpec {
  if (value === undefined) return { type };
  return { type, default: value === null ? null : String(value) };
}

function mapValues<From, To>(record: Readonly<Record<string, From>>, change: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
