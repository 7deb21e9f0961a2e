import type { CompiledInput } from '../../model/compiled-pipeline.js';
import type { CursorState, Slot } from '../../model/reading.js';
import type { OutputLoad } from '../load/output-load.js';

/** Outputs that have read their inputs equally far, so that one reading serves them all. */
export interface PlannedPass {
  readonly outputs: readonly OutputLoad[];
  /** How far each incremental input has been read; null: not at all. By alias. */
  readonly states: ReadonlyMap<string, CursorState | null>;
  /** By output, in the order of `outputs`. */
  readonly slots: readonly (readonly Slot[])[];
  /** Some output has been committed before: what was dropped since must be erased there. */
  readonly continues: boolean;
}

interface OpenPlan {
  outputs: OutputLoad[];
  states: Map<string, CursorState | null>;
  slots: (readonly Slot[])[];
}

/**
 * Asks every output how far its inputs have been read and puts those together that agree. One that lags behind, because its commit
 * failed where another's succeeded, is read for on its own and so catches up.
 */
export async function planPasses(outputs: readonly OutputLoad[], inputs: readonly CompiledInput[]): Promise<PlannedPass[]> {
  const incremental = new Map(inputs.filter((input) => input.incremental !== null).map((input) => [input.alias, input]));
  const slots = await Promise.all(outputs.map((output) => output.readSlots()));
  const plans: OpenPlan[] = [];
  for (const [index, output] of outputs.entries()) {
    const own = slots[index] ?? [];
    const states = new Map(own.flatMap(({ input, state }) => statesOf(incremental.get(input), state)));
    const plan = plans.find((candidate) => agree(candidate.states, states));
    if (!plan) plans.push({ outputs: [output], states, slots: [own] });
    else {
      plan.outputs.push(output);
      plan.slots.push(own);
      for (const [alias, state] of states) plan.states.set(alias, state);
    }
  }
  return plans.map((plan) => ({ ...plan, continues: plan.slots.flat().some(({ version }) => version > 0) }));
}

/** A state of another stream or cursor says nothing about this one: it is read from the beginning. */
function statesOf(input: CompiledInput | undefined, state: CursorState | null): [string, CursorState | null][] {
  if (!input) return [];
  const fits = state !== null && state.stream === input.stream && state.cursor === input.incremental?.cursor;
  return [[input.alias, fits ? state : null]];
}

function agree(some: ReadonlyMap<string, CursorState | null>, others: ReadonlyMap<string, CursorState | null>): boolean {
  return [...others].every(([alias, state]) => !some.has(alias) || JSON.stringify(some.get(alias)) === JSON.stringify(state));
}
