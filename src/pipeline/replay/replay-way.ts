import type { DeadLetterStage, OutputPlace } from '../../model/dead-letter.js';
import type { JoinKind, PipelineSpec, StepSpec } from '../../model/pipeline-spec.js';
import { orderSteps, stepKind, stepSources } from '../spec/references.js';

/** Where rows were refused and where they were on their way to. */
export interface ReplayFrom {
  readonly stage: DeadLetterStage;
  readonly step: string;
  readonly output: OutputPlace;
}

/** What rows go through that are taken again. */
export interface ReplayWay {
  /** Place of the output in the document, from 0. */
  readonly output: number;
  /** The relation that the refused rows stood in; null: they go straight into the output. */
  readonly relation: string | null;
  /** Steps that they go through, the refusing one first, each behind those it reads. */
  readonly steps: readonly string[];
  /** Inputs and steps behind the other sides of joins: read whole. */
  readonly sides: ReadonlySet<string>;
}

/** Joins that give the right rows when one side is a part of its rows and the other one whole. */
const joinsOnTheLeft: readonly JoinKind[] = ['inner', 'left', 'semi', 'anti', 'cross'];
const joinsOnTheRight: readonly JoinKind[] = ['inner', 'right', 'cross'];

/** The way of refused rows through a document as it is now, or why they cannot go it, as a sentence. */
export function replayWay(spec: PipelineSpec, from: ReplayFrom): ReplayWay | { readonly problem: string } {
  const { stage, step, output: place } = from;
  const index = spec.outputs.findIndex(({ connection, stream }) => connection === place.connection && stream === place.stream);
  const output = spec.outputs[index];
  if (!output) return { problem: `The pipeline does not write ${place.stream} of connection "${place.connection}" any more.` };
  if (output.load.mode === 'overwrite')
    return { problem: `Output ${place.stream} is overwritten by every run, so that single rows cannot be added. Run the pipeline again instead.` };
  if (stage === 'load') return { output: index, relation: null, steps: [], sides: new Set() };
  const relation = relationBefore(spec, stage, step);
  if (typeof relation !== 'string') return relation;
  const way = stepsBetween(spec, step, output.from);
  if (way === null) return { problem: `${stage === 'extract' ? 'Input' : 'Step'} "${step}" does not lead to ${place.stream} any more.` };
  const steps = stage === 'extract' ? way.filter((id) => id !== step) : way;
  const behind = steps.filter((id) => id !== step);
  const sides = new Set<string>();
  for (const { step: next } of orderSteps(spec)) {
    if (!behind.includes(next.id)) continue;
    const found = groupingProblem(next) ?? joinProblem(spec, next, new Set([step, ...steps]), relation, sides);
    if (found !== null) return { problem: `${found} Run the pipeline again instead.` };
  }
  return { output: index, relation, steps, sides };
}

/** What the refused rows stood in: a refused row of an input is taken in this time. */
function relationBefore(spec: PipelineSpec, stage: DeadLetterStage, step: string): string | { readonly problem: string } {
  if (stage === 'extract') return spec.inputs[step] ? step : { problem: `The pipeline has no input "${step}" any more.` };
  const refusing = spec.steps.find(({ id }) => id === step);
  if (!refusing) return { problem: `The pipeline has no step "${step}" any more.` };
  if (refuses(refusing)) return stepSources(refusing)[0] ?? '';
  return { problem: `Step "${step}" does not reject rows any more, so that it cannot take them again. Make it a cast with onError: reject.` };
}

function refuses(step: StepSpec): boolean {
  return 'cast' in step && step.cast.onError === 'reject';
}

/** Steps from `start` to `end`, each behind those it reads; null: there is no way. */
function stepsBetween(spec: PipelineSpec, start: string, end: string): string[] | null {
  const ordered = orderSteps(spec).map(({ step }) => step);
  const behind = new Set([start]);
  for (const step of ordered) if (stepSources(step).some((source) => behind.has(source))) behind.add(step.id);
  const before = relationsBefore(spec, end);
  if (!behind.has(end)) return null;
  return ordered.map(({ id }) => id).filter((id) => behind.has(id) && before.has(id));
}

/** A relation and everything that it is made of. */
function relationsBefore(spec: PipelineSpec, relation: string): Set<string> {
  const found = new Set([relation]);
  for (const { step } of orderSteps(spec).reverse()) if (found.has(step.id)) for (const source of stepSources(step)) found.add(source);
  return found;
}

/** The rows that belong together with those of a group are not among the refused ones. */
function groupingProblem(step: StepSpec): string | null {
  const kind = stepKind(step);
  if (kind !== 'aggregate' && kind !== 'dedupe') return null;
  return `Step "${step.id}" puts rows together, and the rows that belong to the refused ones are not read again.`;
}

function joinProblem(spec: PipelineSpec, step: StepSpec, way: ReadonlySet<string>, relation: string, sides: Set<string>): string | null {
  if (!('join' in step)) return null;
  const { left, right, kind } = step.join;
  const onTheLeft = way.has(left.from);
  if (onTheLeft && way.has(right.from)) return `Both sides of join "${step.id}" come from the refused rows.`;
  const allowed = onTheLeft ? joinsOnTheLeft : joinsOnTheRight;
  if (!allowed.includes(kind)) {
    return `Join "${step.id}" of kind ${kind} depends on all rows of its ${onTheLeft ? 'left' : 'right'} side, and only the refused ones are read again.`;
  }
  const side = relationsBefore(spec, onTheLeft ? right.from : left.from);
  if (side.has(relation) || [...way].some((name) => side.has(name)))
    return `The other side of join "${step.id}" is made of the rows that the refused ones belong to.`;
  for (const name of side) sides.add(name);
  return null;
}
