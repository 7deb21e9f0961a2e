import type { CompiledStep } from '../model/compiled-pipeline.js';

/** The steps between the inputs and a relation, its own included, by id. */
export function stepsOnTheWay(relation: string, steps: readonly CompiledStep[]): Map<string, CompiledStep> {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const found = new Map<string, CompiledStep>();
  const waiting = [relation];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    const step = byId.get(id);
    if (!step || found.has(id)) continue;
    found.set(id, step);
    waiting.push(...step.from);
  }
  return found;
}
