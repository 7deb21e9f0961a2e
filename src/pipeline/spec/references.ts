import type { SpecIssue } from '../../model/errors.js';
import type { PipelineSpec, StepSpec } from '../../model/pipeline-spec.js';

/** The relation that a step reads. */
export function stepSource(step: StepSpec): string {
  return stepBody(step).from;
}

export function stepKind(step: StepSpec): 'map' | 'filter' | 'cast' {
  if ('map' in step) return 'map';
  return 'filter' in step ? 'filter' : 'cast';
}

function stepBody(step: StepSpec): { readonly from: string } {
  if ('map' in step) return step.map;
  return 'filter' in step ? step.filter : step.cast;
}

/** What only shows when the parts of a document are held against one another: names, order, cycles, keys. */
export function referenceProblems(spec: PipelineSpec): SpecIssue[] {
  return [...repeatedNames(spec), ...unknownSources(spec), ...cycles(spec), ...unusedRelations(spec), ...loadProblems(spec)];
}

/** Steps in an order in which each stands behind the one it reads; steps of a cycle are left out. */
export function orderSteps(spec: PipelineSpec): { readonly step: StepSpec; readonly index: number }[] {
  const done = new Set(Object.keys(spec.inputs));
  let waiting = spec.steps.map((step, index) => ({ step, index }));
  const ordered: typeof waiting = [];
  for (;;) {
    const ready = waiting.filter(({ step }) => done.has(stepSource(step)));
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
    ...spec.steps.map((step, index) => ({ path: `steps[${index}].${stepKind(step)}.from`, from: stepSource(step) })),
    ...spec.outputs.map(({ from }, index) => ({ path: `outputs[${index}].from`, from })),
  ];
  return sources.filter(({ from }) => !names.has(from)).map(({ path, from }) => ({ path, message: `There is no input or step "${from}".` }));
}

function cycles(spec: PipelineSpec): SpecIssue[] {
  const byId = new Map(spec.steps.map((step) => [step.id, step]));
  return spec.steps.flatMap((step, index) => {
    const way = [step.id];
    let next = byId.get(stepSource(step));
    while (next && !way.includes(next.id)) {
      way.push(next.id);
      next = byId.get(stepSource(next));
    }
    return next?.id === step.id ? [{ path: `steps[${index}]`, message: `Step "${step.id}" reads its own result: ${[...way, step.id].join(' ← ')}.` }] : [];
  });
}

/** What leads to no output would be accepted and ignored. */
function unusedRelations(spec: PipelineSpec): SpecIssue[] {
  const used = new Set([...spec.steps.map(stepSource), ...spec.outputs.map(({ from }) => from)]);
  const message = 'Nothing reads this. Give it an output or remove it.';
  return [
    ...Object.keys(spec.inputs).flatMap((alias) => (used.has(alias) ? [] : [{ path: `inputs.${alias}`, message }])),
    ...spec.steps.flatMap(({ id }, index) => (used.has(id) ? [] : [{ path: `steps[${index}]`, message }])),
  ];
}

function loadProblems(spec: PipelineSpec): SpecIssue[] {
  return spec.outputs.flatMap(({ load }, index): SpecIssue[] => {
    const path = `outputs[${index}].load`;
    if (load.mode === 'upsert' && load.key.length === 0) return [{ path: `${path}.key`, message: 'An upsert needs a key: the columns that identify a row.' }];
    if (load.mode === 'append' && (load.key.length > 0 || load.orderBy !== null))
      return [{ path, message: 'An append has neither key nor orderBy. Use mode upsert, or remove them.' }];
    if (new Set(load.key).size < load.key.length) return [{ path: `${path}.key`, message: 'A column stands in the key twice.' }];
    return [];
  });
}
