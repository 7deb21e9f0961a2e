import { parseDocument } from 'yaml';
import { InvalidSpecError, PlatformError, type SpecIssue } from '../../model/errors.js';
import type { PipelineSpec, StepSpec } from '../../model/pipeline-spec.js';
import { type PipelineDocument, pipelineDocument } from './document.js';
import { describeProblems } from './problems.js';
import { referenceProblems } from './references.js';
import { parseDuration, parseMemory } from './units.js';

const longestDocument = 1_000_000;

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
  const value = typeof document === 'string' ? parseText(document) : document;
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new InvalidSpecError([{ path: '', message: 'A pipeline is a mapping of keys such as version, name, inputs and outputs; this is not one.' }]);
  }
  const parsed = pipelineDocument.safeParse(value);
  if (!parsed.success) throw new InvalidSpecError(describeProblems(parsed.error.issues, value));
  const spec = toSpec(parsed.data);
  const problems = referenceProblems(spec);
  if (problems.length > 0) throw new InvalidSpecError(problems);
  return { spec, document: value as Readonly<Record<string, unknown>> };
}

function parseText(text: string): unknown {
  if (text.length > longestDocument)
    throw new PlatformError('BAD_USER_INPUT', `The document has ${text.length} characters; at most ${longestDocument} are read.`);
  const parsed = parseDocument(text, { prettyErrors: true });
  if (parsed.errors.length > 0)
    throw new InvalidSpecError(parsed.errors.slice(0, 20).map(({ message }): SpecIssue => ({ path: '', message: `This is not YAML: ${firstLine(message)}` })));
  try {
    return parsed.toJS();
  } catch (error) {
    throw new InvalidSpecError([{ path: '', message: `This YAML cannot be read: ${error instanceof Error ? firstLine(error.message) : String(error)}` }]);
  }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.replace(/:$/, '') ?? text;
}

function toSpec(document: PipelineDocument): PipelineSpec {
  const { version, name, namespace, owners, description, inputs, steps, outputs, limits } = document;
  return {
    version,
    name,
    namespace,
    owners,
    description: description ?? null,
    inputs,
    steps: steps as readonly StepSpec[],
    outputs: outputs.map((output) => ({ ...output, load: { mode: output.load.mode, key: output.load.key ?? [], orderBy: output.load.orderBy ?? null } })),
    limits: { memoryBytes: parseMemory(limits.memory) ?? 0, timeoutMs: limits.timeout === undefined ? null : parseDuration(limits.timeout) },
  };
}
