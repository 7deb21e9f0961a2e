import type { CompiledOutput } from '../../model/compiled-pipeline.js';
import type { SpecIssue } from '../../model/errors.js';
import type { PipelineSpec } from '../../model/pipeline-spec.js';
import type { BoundStep } from '../transform/compiled.js';
import { type BoundErase, bindErases } from '../transform/erases.js';
import type { Relation } from '../transform/relation.js';
import { overOf } from './increment-problems.js';

export type { BoundErase };

/** For each output that is filled by increments: what tells its table which rows have left the result. */
export function eraseRows(
  spec: PipelineSpec,
  outputs: readonly CompiledOutput[],
  relations: ReadonlyMap<string, Relation>,
  bound: readonly BoundStep[],
): { readonly erases: readonly (readonly BoundErase[])[]; readonly issues: readonly SpecIssue[] } {
  const steps = new Map(bound.map((step) => [step.relation.name, step]));
  const cuts = new Set(spec.steps.filter((step) => overOf(step) === 'increment').map(({ id }) => id));
  const issues: SpecIssue[] = [];
  const erases = outputs.map((output, index): readonly BoundErase[] => {
    const isIncremental = (relations.get(output.from)?.inputs ?? []).some((alias) => spec.inputs[alias]?.incremental);
    if (output.load.mode !== 'upsert' || !isIncremental) return [];
    const mode = groupsRows(output.from, steps, cuts) ? 'recompute' : 'filter';
    const context = { relations, steps, isCut: (step: string) => cuts.has(step), mode } as const;
    const { key, orderBy } = output.load;
    const ordered = orderBy === null || key.includes(orderBy) ? null : bindErases(output, [...key, orderBy], context);
    const found = ordered ?? bindErases(output, key, context);
    if (found) return found;
    issues.push({
      path: `outputs[${index}].load.key`,
      message: `The key (${key.join(', ')}) cannot be computed from one row of an input, so that rows that leave the result could not be removed. Take a key that comes from one side, or read the inputs whole.`,
    });
    return [];
  });
  return { erases, issues };
}

/** A step on the way, behind the last one that sees increments only, looks at several rows. */
function groupsRows(relation: string, steps: ReadonlyMap<string, BoundStep>, cuts: ReadonlySet<string>): boolean {
  const waiting = [relation];
  const seen = new Set<string>();
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const step = steps.get(name);
    if (!step || seen.has(name) || cuts.has(name)) continue;
    if (step.isBlocking) return true;
    seen.add(name);
    waiting.push(...step.sources.map((source) => source.name));
  }
  return false;
}
