import type { StepKind } from '../../model/compiled-pipeline.js';
import type { SpecIssue } from '../../model/errors.js';
import type { PipelineSpec, StepSpec } from '../../model/pipeline-spec.js';
import { loadProblems } from './load-problems.js';

interface Source {
  /** Relation that is read. */
  readonly from: string;
  /** Where the step says so, e.g. `join.left`. */
  readonly place: string;
}

/** The relations that a step reads, in the order of a compiled step. */
export function stepSources(step: StepSpec): string[] {
  return sourcesOf(step).map(({ from }) => from);
}

export function stepKind(step: StepSpec): StepKind {
  const { id: _, ...body } = step;
  return Object.keys(body)[0] as StepKind;
}

function sourcesOf(step: StepSpec): Source[] {
  if ('join' in step) {
    return [
      { from: step.join.left.from, place: 'join.left' },
      { from: step.join.right.from, place: 'join.right' },
    ];
  }
  if ('union' in step) return step.union.from.map((from, index) => ({ from, place: `union.from[${index}]` }));
  const kind = stepKind(step);
  const { from } = Object.values(step).find((body): body is { readonly from: string } => typeof body === 'object') ?? { from: '' };
  return [{ from, place: `${kind}.from` }];
}

/** What only shows when the parts of a document are held against one another: names, order, cycles, keys. */
export function referenceProblems(spec: PipelineSpec): SpecIssue[] {
  return [...repeatedNames(spec), ...unknownSources(spec), ...cycles(spec), ...unusedRelations(spec), ...sideNames(spec), ...loadProblems(spec)];
}

/** Steps in an order in which each stands behind those it reads; steps of a cycle are left out. */
export function orderSteps(spec: PipelineSpec): { readonly step: StepSpec; readonly index: number }[] {
  const done = new Set(Object.keys(spec.inputs));
  let waiting = spec.steps.map((step, index) => ({ step, index }));
  const ordered: typeof waiting = [];
  for (;;) {
    const ready = waiting.filter(({ step }) => stepSources(step).every((source) => done.has(source)));
    if (ready.length === 0) return ordered;
    for (const { step } of ready) done.add(step.id);
    ordered.push(...ready);
    waiting = waiting.filter((entry) => !ready.includes(entry));
  }
}

function repeatedNames(spec: PipelineSpec): SpecIssue[] {
  const seen = new Set<string>();
  const repeated = (name: string): boolean => {
    const known = seen.has(name.toLowerCase());
    seen.add(name.toLowerCase());
    return known;
  };
  const message = (name: string) => `"${name}" is the name of another input or step. Names count without upper and lower case.`;
  return [
    ...Object.keys(spec.inputs).flatMap((alias) => (repeated(alias) ? [{ path: `inputs.${alias}`, message: message(alias) }] : [])),
    ...spec.steps.flatMap(({ id }, index) => (repeated(id) ? [{ path: `steps[${index}].id`, message: message(id) }] : [])),
  ];
}

function unknownSources(spec: PipelineSpec): SpecIssue[] {
  const names = new Set([...Object.keys(spec.inputs), ...spec.steps.map(({ id }) => id)]);
  const sources = [
    ...spec.steps.flatMap((step, index) => sourcesOf(step).map(({ from, place }) => ({ path: `steps[${index}].${place}`, from }))),
    ...spec.outputs.map(({ from }, index) => ({ path: `outputs[${index}].from`, from })),
  ];
  return sources.filter(({ from }) => !names.has(from)).map(({ path, from }) => ({ path, message: `There is no input or step "${from}".` }));
}

function cycles(spec: PipelineSpec): SpecIssue[] {
  const byId = new Map(spec.steps.map((step) => [step.id, step]));
  return spec.steps.flatMap((step, index) => {
    const way = wayBack(step, byId);
    return way ? [{ path: `steps[${index}]`, message: `Step "${step.id}" reads its own result: ${way.join(' ← ')}.` }] : [];
  });
}

/** Steps from one to itself, each read by the one before it; null: there is no such way. */
function wayBack(step: StepSpec, byId: ReadonlyMap<string, StepSpec>): string[] | null {
  const waiting: string[][] = [[step.id]];
  const seen = new Set<string>();
  for (let way = waiting.shift(); way; way = waiting.shift()) {
    const last = byId.get(way.at(-1) ?? '');
    for (const source of last ? stepSources(last) : []) {
      if (source === step.id) return [...way, source];
      if (!seen.has(source)) waiting.push([...way, source]);
      seen.add(source);
    }
  }
  return null;
}

/** What leads to no output would be accepted and ignored. */
function unusedRelations(spec: PipelineSpec): SpecIssue[] {
  const used = new Set([...spec.steps.flatMap(stepSources), ...spec.outputs.map(({ from }) => from)]);
  const message = 'Nothing reads this. Give it an output or remove it.';
  return [
    ...Object.keys(spec.inputs).flatMap((alias) => (used.has(alias) ? [] : [{ path: `inputs.${alias}`, message }])),
    ...spec.steps.flatMap(({ id }, index) => (used.has(id) ? [] : [{ path: `steps[${index}]`, message }])),
  ];
}

function sideNames(spec: PipelineSpec): SpecIssue[] {
  return spec.steps.flatMap((step, index) => {
    if (!('join' in step)) return [];
    const { left, right, kind, on } = step.join;
    const path = `steps[${index}].join`;
    const issues: SpecIssue[] = [];
    if (left.as.toLowerCase() === right.as.toLowerCase())
      issues.push({ path: `${path}.right`, message: `Both sides are named "${right.as}". Give one of them another name with {from, as}.` });
    if (kind === 'cross' && on !== null) issues.push({ path: `${path}.on`, message: 'A cross join has no condition. Remove `on`, or use kind inner.' });
    if (kind !== 'cross' && on === null) issues.push({ path: `${path}.on`, message: `A join of kind ${kind} needs a condition, such as left.id = right.id.` });
    return issues;
  });
}
