import type { CompiledInput, CompiledStep } from '../../model/compiled-pipeline.js';
import type { SlotUpdate } from '../../model/connector.js';
import { PlatformError } from '../../model/errors.js';
import type { CursorWindow, FoundWindow, Reading, ReadKeys } from '../../model/reading.js';
import { PassPlan } from '../execute/plan.js';
import type { PlannedPass } from './plan-passes.js';

/** Which rows of one input a pass reads; both null: all of them. */
export interface InputRead {
  readonly window: CursorWindow | null;
  readonly keys: ReadKeys | null;
}

export interface ChosenReads {
  /** By alias. */
  readonly reads: ReadonlyMap<string, InputRead>;
  /** What the commit of each output leaves in its slots, in the order of the plan's outputs. */
  readonly slots: readonly (readonly SlotUpdate[])[];
}

/** More touched keys than this and the inputs are read whole. */
const mostTouchedKeys = 100_000;
const whole: InputRead = { window: null, keys: null };

/**
 * Finds the window of every incremental input, and for inputs that are recomputed the keys that any of them touches.
 *
 * @param readingOf  the snapshot of an input's connection
 */
export async function chooseReads(
  plan: PlannedPass,
  inputs: readonly CompiledInput[],
  steps: readonly CompiledStep[],
  readingOf: (input: CompiledInput) => Reading,
): Promise<ChosenReads> {
  const needed = inputs.filter(({ alias }) => plan.outputs.some(({ compiled }) => compiled.inputs.includes(alias)));
  const found = new Map<string, FoundWindow>();
  for (const input of needed) {
    if (input.incremental) found.set(input.alias, await readingOf(input).window(windowRequest(input, plan, steps)));
  }
  const recomputed = needed.filter(({ recomputeBy }) => recomputeBy.length > 0);
  const keys = await touchedKeys(recomputed, found, readingOf);
  const reads = needed.map((input): [string, InputRead] => {
    if (recomputed.includes(input)) return [input.alias, keys ? { window: null, keys: { columns: input.recomputeBy, rows: keys } } : whole];
    return [input.alias, { window: found.get(input.alias)?.window ?? null, keys: null }];
  });
  return { reads: new Map(reads), slots: plan.slots.map((slots) => slots.map(({ input, version }) => slotUpdate(input, version, needed, found))) };
}

function windowRequest(input: CompiledInput, { states, outputs }: PlannedPass, steps: readonly CompiledStep[]) {
  const { incremental, alias, stream, schema, recomputeBy } = input;
  if (!incremental) throw new PlatformError('INTERNAL', `Input "${alias}" is not read in increments.`);
  const state = states.get(alias) ?? null;
  const readers = outputs.filter(({ compiled }) => compiled.inputs.includes(alias));
  const countsRows = readers.some(({ compiled }) => compiled.load.mode === 'append' || groupsRows(compiled.from, steps));
  const { cursor, lookback, nulls } = incremental;
  const tells = countsRows && recomputeBy.length === 0 && lookback === null;
  return {
    stream,
    cursor,
    lookback,
    nulls: nulls === 'dlq' ? 'include' : nulls,
    from: state?.last ?? null,
    seen: state?.seen ?? null,
    seenColumns: tells ? schema.map(({ name }) => name) : null,
  };
}

function groupsRows(relation: string, steps: readonly CompiledStep[]): boolean {
  return new PassPlan({ steps }, [relation]).steps.some(({ blocking }) => blocking !== null);
}

/** Every key that some input touches; null: so many, or an input has never been read, that everything is read. */
async function touchedKeys(
  inputs: readonly CompiledInput[],
  found: ReadonlyMap<string, FoundWindow>,
  readingOf: (input: CompiledInput) => Reading,
): Promise<ReadKeys['rows'] | null> {
  const keys = new Map<string, ReadKeys['rows'][number]>();
  for (const input of inputs) {
    const window = found.get(input.alias)?.window;
    if (!window || window.from === null) return null;
    const rows = await readingOf(input).touched(input.stream, window, input.recomputeBy, mostTouchedKeys);
    for (const row of rows ?? []) keys.set(JSON.stringify(row), row);
    if (!rows || keys.size > mostTouchedKeys) return null;
  }
  return [...keys.values()];
}

function slotUpdate(alias: string, version: number, inputs: readonly CompiledInput[], found: ReadonlyMap<string, FoundWindow>): SlotUpdate {
  const input = inputs.find((candidate) => candidate.alias === alias);
  const window = found.get(alias);
  if (!input?.incremental || !window) return { input: alias, expectedVersion: null, state: null };
  const state = { stream: input.stream, cursor: input.incremental.cursor, last: window.last, seen: window.seen };
  return { input: alias, expectedVersion: version, state };
}
