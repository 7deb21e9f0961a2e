import { quoteIdentifier } from '../../lib/duckdb-text.js';
import type {
  CompiledInput,
  CompiledInputColumn,
  CompiledOutput,
  CompiledPipeline,
  CompiledRejectsColumn,
  CompiledStep,
} from '../../model/compiled-pipeline.js';
import { datasetKey } from '../../model/dataset.js';
import { PlatformError } from '../../model/errors.js';
import type { PipelineSpec } from '../../model/pipeline-spec.js';
import type { ReplayPart } from '../../model/run-process.js';
import type { Segment } from '../../model/segment.js';
import { textColumn } from '../transform/relation.js';
import { type ReplayWay, replayWay } from './replay-way.js';

/** Refused rows on their way from the step that refused them to one output. */
export interface ReplayPass {
  /** Place of the output in the document, from 0. */
  readonly output: number;
  /** The refused rows as an input under the name of the relation they stood in, and what they go through from there. */
  readonly compiled: CompiledPipeline;
  /** Name of that input. */
  readonly letters: string;
  readonly segments: readonly Segment[];
}

type NeededColumn = Omit<CompiledInputColumn, 'storeType'>;

/** Positions of one pass: those of the passes of an output must differ. Below 2^53 for 8,192 passes. */
const positionsPerPass = 2 ** 40;

/**
 * The ways of refused rows through the pipeline as it is bound now.
 *
 * @throws PlatformError REPLAY_REFUSED with the step or the columns that do not fit
 */
export function planReplay(compiled: CompiledPipeline, spec: PipelineSpec, parts: readonly ReplayPart[]): ReplayPass[] {
  return parts.map((part, place) => {
    const { connection = '', stream = '' } = spec.outputs[part.output] ?? {};
    const way = replayWay(spec, { stage: part.stage, step: part.step, output: { connection, stream } });
    if ('problem' in way) throw refused(part, way.problem);
    return passOf(compiled, part, way, place);
  });
}

/** What a run of these parts reads, writes and so has to report: none of the inputs, and the outputs that rows go to. */
export function replayedPipeline({ steps, outputs }: CompiledPipeline, parts: readonly ReplayPart[]): CompiledPipeline {
  const reached = new Set(parts.map(({ output }) => output));
  return { inputs: [], steps, outputs: outputs.filter((_, index) => reached.has(index)) };
}

function passOf(compiled: CompiledPipeline, part: ReplayPart, way: ReplayWay, place: number): ReplayPass {
  const found = compiled.outputs[way.output];
  if (!found) throw new PlatformError('INTERNAL', `The pipeline has no output ${way.output}.`);
  const letters = way.relation ?? '_replayed:';
  const own = new Set([letters, ...way.steps]);
  const steps = compiled.steps.flatMap((step) => {
    if (way.steps.includes(step.id)) return [onTheWay(step, own, part)];
    return way.sides.has(step.id) ? [onTheSide(step)] : [];
  });
  const last = way.relation === null ? letters : found.from;
  const output: CompiledOutput = {
    ...found,
    from: numberedName(last),
    columns: way.relation === null ? found.columns.map((column) => ({ ...column, sql: textColumn(column.name) })) : found.columns,
    erases: found.erases.filter(({ from }) => way.steps.includes(from)),
  };
  const inputs = [lettersInput(compiled, part, way, letters), ...compiled.inputs.filter(({ alias }) => way.sides.has(alias)).map(besideIt)];
  return { output: way.output, compiled: { inputs, steps: [...steps, numbered(last, place)], outputs: [output] }, letters, segments: part.segments };
}

/** A step sees the refused rows only: of a union, what comes from elsewhere is left out. */
function onTheWay(step: CompiledStep, own: ReadonlySet<string>, part: ReplayPart): CompiledStep {
  if (step.blocking && step.kind !== 'join')
    throw refused(
      part,
      `Step "${step.id}" puts rows together, and the rows that belong to the refused ones are not read again. Run the pipeline again instead.`,
    );
  if (step.kind !== 'union') return step;
  const kept = step.from.flatMap((source, index) => (own.has(source) ? [index] : []));
  return { ...step, from: kept.map((index) => step.from[index] ?? ''), selects: kept.map((index) => step.selects[index] ?? '') };
}

/** The rows that it refuses are dead letters of an earlier run already. */
function besideIt(input: CompiledInput): CompiledInput {
  return { ...input, rejects: input.rejects && { ...input.rejects, kept: false } };
}

/** The rows that it rejects are dead letters of an earlier run already. */
function onTheSide(step: CompiledStep): CompiledStep {
  return step.rejects ? { ...step, kind: 'filter', rejects: null } : step;
}

function numberedName(relation: string): string {
  return `_numbered:${relation}`;
}

function numbered(relation: string, place: number): CompiledStep {
  return {
    id: numberedName(relation),
    kind: 'map',
    from: [relation],
    selects: [`SELECT * REPLACE (_pos + ${place * positionsPerPass} AS _pos) FROM ${quoteIdentifier(relation)}`],
    blocking: null,
    rejects: null,
    expressions: [],
  };
}

function lettersInput(compiled: CompiledPipeline, part: ReplayPart, way: ReplayWay, alias: string): CompiledInput {
  const needed = neededColumns(compiled, part, way);
  const there = part.segments[0]?.columns ?? [];
  const missing = needed.filter(({ name }) => !there.includes(name)).map(({ name }) => `"${name}"`);
  if (missing.length > 0) throw refused(part, `They were kept without ${missing.join(', ')}, which the pipeline needs of them now.`);
  const columns = there.map((name) => ({ name, value: false, text: false, read: null, storeType: '', ...needed.find((column) => column.name === name) }));
  const { connection, stream, dataset } = compiled.outputs[way.output] ?? { connection: '', stream: '', dataset: { namespace: '', name: '' } };
  return { alias, connection, stream: `the dead letters of ${stream}`, dataset, incremental: null, recomputeBy: [], schema: [], columns, rejects: null };
}

function neededColumns(compiled: CompiledPipeline, { stage, step }: ReplayPart, way: ReplayWay): readonly NeededColumn[] {
  if (stage === 'load') return (compiled.outputs[way.output]?.columns ?? []).map(({ name }) => ({ name, value: false, text: true, read: null }));
  if (stage === 'extract') return compiled.inputs.find(({ alias }) => alias === step)?.columns ?? [];
  const rejects = compiled.steps.find(({ id }) => id === step)?.rejects;
  return (rejects?.columns ?? []).map((column) => neededBehind(compiled, column));
}

function neededBehind({ inputs }: CompiledPipeline, { name, type, value, text, passedFrom }: CompiledRejectsColumn): NeededColumn {
  if (passedFrom === null) return { name, value, text, read: type === null ? null : { type, expression: `CAST({} AS ${type})` } };
  const source = inputs.find(({ dataset, columns }) => datasetKey(dataset) === datasetKey(passedFrom.dataset) && columns.some(isSource));
  return { name, value, text, read: source?.columns.find(isSource)?.read ?? null };

  function isSource(column: CompiledInputColumn): boolean {
    return column.name === passedFrom?.name;
  }
}

function refused({ stage, step }: ReplayPart, problem: string): PlatformError {
  return new PlatformError('REPLAY_REFUSED', `The dead letters of stage ${stage}, "${step}", cannot be replayed. ${problem}`, { context: { stage, step } });
}
