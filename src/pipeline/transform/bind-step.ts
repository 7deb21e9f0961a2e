import type { StepSpec } from '../../model/pipeline-spec.js';
import { bindAggregate } from './aggregate.js';
import { bindCast } from './cast.js';
import type { BindResult } from './compiled.js';
import { bindDedupe } from './dedupe.js';
import { bindFilter } from './filter.js';
import { bindJoin } from './join.js';
import { bindMap } from './map.js';
import type { Relation } from './relation.js';
import type { Scope } from './scope.js';
import { bindUnion } from './union.js';

/**
 * @param sources  the relations that the step reads, in the order of `stepSources`
 * @param path     of the step in the document
 */
export async function bindStep(step: StepSpec, sources: readonly Relation[], scope: Scope, path: string): Promise<BindResult> {
  const [first, second] = sources as [Relation, Relation];
  if ('map' in step) return bindMap(step, first, scope, path);
  if ('filter' in step) return bindFilter(step, first, scope, path);
  if ('cast' in step) return bindCast(step, first, scope, path);
  if ('join' in step) return bindJoin(step, [first, second], scope, path);
  if ('aggregate' in step) return bindAggregate(step, first, scope, path);
  return 'union' in step ? bindUnion(step, sources, path) : bindDedupe(step, first, path);
}
