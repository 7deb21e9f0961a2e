import type { CompiledStep } from '../../model/compiled-pipeline.js';
import type { SpecIssue } from '../../model/errors.js';
import type { Needs, Relation } from './relation.js';

/** A step that is bound. Its SQL is made last, when it is known what is read of its result. */
export interface BoundStep {
  readonly relation: Relation;
  /** Adds to `input` what this step reads of its input when `own` is read of its result. */
  need(own: Needs, input: Needs): void;
  emit(own: Needs, input: Needs): CompiledStep;
}

export type BindResult = { readonly step: BoundStep } | { readonly issues: readonly SpecIssue[] };
