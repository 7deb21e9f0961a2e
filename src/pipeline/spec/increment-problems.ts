import type { StreamDescription } from '../../model/connector.js';
import type { SpecIssue } from '../../model/errors.js';
import type { InputSpec, Over, PipelineSpec, StepSpec } from '../../model/pipeline-spec.js';
import { orderSteps, stepKind, stepSources } from './references.js';

type InputsOf = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Where reading an input in increments would give another result than reading it whole.
 *
 * @param streams   by input alias
 * @param blocking  ids of the steps that look at several rows at once
 */
export function incrementProblems(spec: PipelineSpec, streams: Readonly<Record<string, StreamDescription>>, blocking: ReadonlySet<string>): SpecIssue[] {
  const inputs = inputsOfRelations(spec);
  return [
    ...Object.entries(spec.inputs).flatMap(([alias, input]) => inputProblems(alias, input, streams[alias])),
    ...recomputeProblems(spec, streams),
    ...stepProblems(spec, inputs, blocking),
    ...outputProblems(spec, inputs),
  ];
}

/** The inputs whose rows are in each relation, by its name. */
function inputsOfRelations(spec: PipelineSpec): InputsOf {
  const known = new Map<string, ReadonlySet<string>>(Object.keys(spec.inputs).map((alias) => [alias, new Set([alias])]));
  for (const { step } of orderSteps(spec)) known.set(step.id, new Set(stepSources(step).flatMap((source) => [...(known.get(source) ?? [])])));
  return known;
}

function inputProblems(alias: string, { incremental, recomputeBy, stream }: InputSpec, description: StreamDescription | undefined): SpecIssue[] {
  const path = `inputs.${alias}`;
  const columns = new Map(description?.columns.map((column) => [column.name, column]));
  const missing = recomputeBy
    .filter((name) => !columns.has(name))
    .map((name): SpecIssue => ({ path: `${path}.recompute.by`, message: `${stream} has no column "${name}".` }));
  if (!incremental) {
    if (recomputeBy.length === 0) return [];
    return [
      ...missing,
      { path: `${path}.recompute`, message: 'What is recomputed are the keys of changed rows. Say by `incremental` which rows have changed.' },
    ];
  }
  const cursor = columns.get(incremental.cursor);
  if (!cursor) return [...missing, { path: `${path}.incremental.cursor`, message: `${stream} has no column "${incremental.cursor}".` }];
  const candidates = description?.cursorCandidates ?? [];
  if (!candidates.includes(cursor.name)) {
    const others = candidates.length > 0 ? `Columns that can be one: ${candidates.join(', ')}.` : 'It has no column that can be one; read it whole.';
    return [...missing, { path: `${path}.incremental.cursor`, message: `Column "${cursor.name}" is ${cursor.type}, which cannot be a cursor. ${others}` }];
  }
  return [...missing, ...lookbackProblems(path, incremental.lookback, cursor.read?.type ?? '')];
}

function lookbackProblems(path: string, lookback: string | number | null, type: string): SpecIssue[] {
  if (lookback === null) return [];
  const isTime = /^(DATE|TIMESTAMP)/.test(type);
  if (isTime === (typeof lookback === 'string')) return [];
  const expected = isTime ? 'an ISO 8601 duration such as PT10M' : 'a whole number';
  return [{ path: `${path}.incremental.lookback`, message: `The cursor is ${type}, so that the lookback is ${expected}; found ${JSON.stringify(lookback)}.` }];
}

/** Keys are held against one another over all inputs that are recomputed. */
function recomputeProblems({ inputs }: PipelineSpec, streams: Readonly<Record<string, StreamDescription>>): SpecIssue[] {
  const [first, ...others] = Object.entries(inputs).filter(([, { recomputeBy }]) => recomputeBy.length > 0);
  if (!first) return [];
  const kindsOf = (alias: string, names: readonly string[]) => names.map((name) => comparedAs(streams[alias], name)).join(', ');
  const wanted = kindsOf(first[0], first[1].recomputeBy);
  return others
    .filter(([alias, { recomputeBy }]) => kindsOf(alias, recomputeBy) !== wanted)
    .map(([alias, { recomputeBy }]) => ({
      path: `inputs.${alias}.recompute.by`,
      message: `These columns are (${kindsOf(alias, recomputeBy)}) and those of "${first[0]}" are (${wanted}). They name the same keys, so they must be as many and of the same types.`,
    }));
}

function comparedAs(stream: StreamDescription | undefined, name: string): string {
  const column = stream?.columns.find((candidate) => candidate.name === name);
  const type = column?.read?.type ?? column?.type ?? 'unknown';
  return /^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/.test(type) ? 'whole number' : type.replace(/^DECIMAL.*/, 'DECIMAL');
}

export function overOf(step: StepSpec): Over {
  const body = Object.values(step).find((value): value is { readonly over?: Over } => typeof value === 'object');
  return body?.over ?? 'all';
}

function stepProblems(spec: PipelineSpec, inputs: InputsOf, blocking: ReadonlySet<string>): SpecIssue[] {
  return spec.steps.flatMap((step, index): SpecIssue[] => {
    const path = `steps[${index}]`;
    const aliases = [...(inputs.get(step.id) ?? [])];
    const increments = aliases.filter((alias) => spec.inputs[alias]?.incremental);
    const isOver = overOf(step) === 'increment';
    if (isOver && (increments.length === 0 || !blocking.has(step.id)))
      return [{ path: `${path}.${stepKind(step)}.over`, message: 'This step sees no increment of several rows: remove `over`.' }];
    if (isOver || increments.length === 0 || !blocking.has(step.id)) return [];
    const bare = aliases.filter((alias) => (spec.inputs[alias]?.recomputeBy ?? []).length === 0);
    if (bare.length === 0) return [];
    return [
      {
        path,
        message: `Step "${step.id}" looks at several rows at once, and "${increments.join('", "')}" is read in increments, so that it would see the rows of one run only. Give ${bare.join(', ')} \`recompute: {by: [...]}\`, or write \`over: increment\` if just that is meant.`,
      },
    ];
  });
}

function outputProblems(spec: PipelineSpec, inputs: InputsOf): SpecIssue[] {
  return spec.outputs.flatMap(({ from, load }, index): SpecIssue[] => {
    const increments = [...(inputs.get(from) ?? [])].flatMap((alias) => {
      const input = spec.inputs[alias];
      return input?.incremental ? [{ alias, incremental: input.incremental, recomputed: input.recomputeBy.length > 0 }] : [];
    });
    const path = `outputs[${index}].load.mode`;
    if (load.mode === 'upsert' || increments.length === 0) return [];
    if (load.mode === 'overwrite')
      return [
        { path, message: `An overwrite keeps the rows of one run only, and "${increments[0]?.alias}" is read in increments. Use upsert, or read it whole.` },
      ];
    const again = increments.find(({ incremental, recomputed }) => recomputed || incremental.lookback !== null || incremental.nulls === 'include');
    if (!again) return [];
    const why = again.recomputed ? 'recompute' : again.incremental.lookback === null ? 'nulls: include' : 'lookback';
    return [{ path, message: `With \`${why}\` rows of "${again.alias}" are read again, and an append would double them. Use upsert with a key.` }];
  });
}
