import { datasetKey } from '../../model/dataset.js';
import type { SpecIssue } from '../../model/errors.js';
import type { ImpactCode } from '../../model/impact.js';
import type { PipelineSpec } from '../../model/pipeline-spec.js';
import type { Cause } from './effects.js';
import { datasetNode } from './nodes.js';
import { type AffectedColumn, jobName, outputOf, type ReaderCase } from './reader-case.js';
import { strongest } from './uses.js';

/** Why a job can no longer run; null: it can. */
export function breakOf(reader: ReaderCase, affected: readonly AffectedColumn[]): Cause | null {
  return goneInput(reader) ?? goneCursor(reader, affected) ?? unbound(reader, affected) ?? missingRequired(reader, affected);
}

/** An input that is not there, found without the compiler. */
function goneInput({ job, changed, effects, baseline }: Pick<ReaderCase, 'job' | 'changed' | 'effects' | 'baseline'>): Cause | null {
  const compiled = baseline?.compiled ?? ('compiled' in changed.result ? changed.result.compiled : null);
  for (const { alias, dataset } of compiled?.inputs ?? []) {
    if (!effects.get(datasetKey(dataset))?.gone) continue;
    const reason = `Job ${jobName(job)} can no longer run: its input "${alias}" reads ${dataset.name}, which is gone.`;
    return { code: 'DATASET_GONE', reason, via: [datasetNode(dataset)] };
  }
  return null;
}

function goneCursor({ job, changed }: ReaderCase, affected: readonly AffectedColumn[]): Cause | null {
  for (const code of ['CURSOR', 'RECOMPUTE_KEY'] as const) {
    const found = affected.find(({ effect, use }) => effect.gone && use.codes.includes(code));
    const inputs = Object.entries(changed.spec.inputs);
    const still = found && inputs.some(([, input]) => (code === 'CURSOR' ? input.incremental?.cursor === found.name : input.recomputeBy.includes(found.name)));
    if (!found || !still) continue;
    const what = code === 'CURSOR' ? 'reads increments by its cursor' : 'recomputes by';
    return {
      code,
      reason: `Job ${jobName(job)} can no longer run: it ${what} column "${found.name}" of ${found.dataset.name}, which is gone.`,
      via: [found.node],
    };
  }
  return null;
}

function unbound({ job, changed }: ReaderCase, affected: readonly AffectedColumn[]): Cause | null {
  const { result, spec } = changed;
  if (!('issues' in result)) return null;
  const [issue = { path: '', message: 'It does not compile.' }] = result.issues;
  const culprits = culpritsOf(affected, result.issues);
  const gone = culprits.filter(({ effect }) => effect.gone);
  const code = codeOf(result.code, gone, culprits);
  const [first] = gone.length > 0 ? gone : culprits;
  const place = placeOf(issue, spec);
  const column = first === undefined ? '' : ` with column "${first.name}" of ${first.dataset.name}, which ${becomes(first)}`;
  return {
    code,
    reason: `Job ${jobName(job)} can no longer run: ${place} fails${column} (${sentence(issue.message)}).`,
    via: culprits.map(({ node }) => node),
  };
}

/** Columns that the compiler's messages are about, as far as that can be told. */
function culpritsOf(affected: readonly AffectedColumn[], issues: readonly SpecIssue[]): AffectedColumn[] {
  const structural = affected.filter(({ effect }) => effect.gone || effect.retyped || effect.added);
  const named = structural.filter(({ name }) => issues.some(({ message, path }) => message.includes(`"${name}"`) || path.includes(name)));
  const used = structural.filter(({ use }) => use.read);
  const usedAndNamed = named.filter(({ use, effect }) => use.read || effect.gone);
  return [usedAndNamed, used, named, structural].find((list) => list.length > 0) ?? [...affected];
}

function codeOf(code: 'INVALID_SPEC' | 'DESTINATION_MISMATCH', gone: readonly AffectedColumn[], culprits: readonly AffectedColumn[]): ImpactCode {
  if (code === 'DESTINATION_MISMATCH') return 'DESTINATION_MISMATCH';
  if (gone.length > 0) return strongest(gone.map(({ use }) => use));
  return culprits.some(({ effect }) => effect.retyped) ? 'TYPE_MISMATCH' : 'COLUMN_READ';
}

/** A table that is there has a required column that is no longer written. */
function missingRequired({ job, baseline, changed, tables }: ReaderCase, affected: readonly AffectedColumn[]): Cause | null {
  if (!baseline || !('compiled' in changed.result)) return null;
  for (const before of baseline.compiled.outputs) {
    const after = outputOf(changed.result.compiled, before.dataset);
    const existing = tables.get(datasetKey(before.dataset))?.existing;
    if (!after || !existing) continue;
    const lost = before.columns.find(({ name }) => {
      const required = existing.columns.some((column) => column.name === name && !column.nullable);
      return required && !after.columns.some((column) => column.name === name);
    });
    if (lost === undefined) continue;
    const via = affected.flatMap(({ effect, use, node }) => (effect.gone && use.read ? [node] : []));
    const reason = `Job ${jobName(job)} can no longer run: column "${lost.name}" of ${before.dataset.name} is required, and nothing writes it any more.`;
    return { code: 'DESTINATION_MISMATCH', reason, via };
  }
  return null;
}

function placeOf({ path }: SpecIssue, spec: PipelineSpec): string {
  const [, list, index] = /^(steps|outputs)\[(\d+)\]/.exec(path) ?? [];
  if (list === 'steps') return `step "${spec.steps[Number(index)]?.id ?? index}"`;
  if (list === 'outputs') return `the output to ${spec.outputs[Number(index)]?.stream ?? index}`;
  const [, alias] = /^inputs\.([^.]+)/.exec(path) ?? [];
  return alias === undefined ? 'its document' : `input "${alias}"`;
}

function becomes({ effect }: AffectedColumn): string {
  if (effect.gone) return 'is gone';
  return effect.retyped ? `becomes ${effect.retyped.to} (it was ${effect.retyped.from})` : 'is new';
}

/** The first sentence of a message, without its end. */
export function sentence(message: string): string {
  return (/^(.*?)\.(?:\s|$)/s.exec(message)?.[1] ?? message).replaceAll('\n', ' ').trim();
}
