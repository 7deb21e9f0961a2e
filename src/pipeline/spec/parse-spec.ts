import { InvalidSpecError } from '../../model/errors.js';
import type { PipelineSpec } from '../../model/pipeline-spec.js';
import { pipelineDocument } from './document.js';
import { describeProblems, prototypeKeys } from './problems.js';
import { referenceProblems } from './references.js';
import { toSpec } from './to-spec.js';
import { parseYaml } from './yaml.js';

export interface ParsedSpec {
  readonly spec: PipelineSpec;
  /** As it was written, without defaults. */
  readonly document: Readonly<Record<string, unknown>>;
}

/**
 * @param document  an object, or a string of YAML or JSON of at most 1,000,000 characters
 * @throws InvalidSpecError with a path and a sentence for every problem found
 */
export function parseSpec(document: unknown): ParsedSpec {
  const value = typeof document === 'string' ? parseYaml(document) : document;
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new InvalidSpecError([{ path: '', message: 'A pipeline is a mapping of keys such as version, name, inputs and outputs; this is not one.' }]);
  }
  const reserved = prototypeKeys(value);
  const parsed = pipelineDocument.safeParse(value);
  if (!parsed.success) throw new InvalidSpecError([...reserved, ...describeProblems(parsed.error.issues, value)]);
  if (reserved.length > 0) throw new InvalidSpecError(reserved);
  const spec = toSpec(parsed.data);
  const problems = referenceProblems(spec);
  if (problems.length > 0) throw new InvalidSpecError(problems);
  return { spec, document: value as Readonly<Record<string, unknown>> };
}
