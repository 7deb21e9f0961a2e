import type { z } from 'zod';
import type { SpecIssue } from '../../model/errors.js';
import { stepKinds } from './step-documents.js';

/** The schema's findings as paths and sentences. A step that fits no kind is explained by the kind its key names. */
export function describeProblems(issues: readonly z.core.$ZodIssue[], document: unknown): SpecIssue[] {
  return issues.flatMap((issue) => {
    const value = valueAt(document, issue.path);
    if (issue.code === 'invalid_union' && issue.path[0] === 'steps' && issue.path.length === 2) return describeStep(value, issue.path);
    return describe(issue, value);
  });
}

function describeStep(step: unknown, path: PropertyKey[]): SpecIssue[] {
  const kinds = Object.keys(stepKinds).join(', ');
  if (step === null || typeof step !== 'object') return [{ path: formatPath(path), message: `A step is a mapping with an id and one of ${kinds}.` }];
  const keys = Object.keys(step).filter((key) => key !== 'id');
  const known = keys.filter((key): key is keyof typeof stepKinds => Object.hasOwn(stepKinds, key));
  if (known.length !== 1) {
    const found = keys.length === 0 ? 'nothing but an id' : keys.map((key) => `"${key}"`).join(', ');
    return [{ path: formatPath(path), message: `A step has an id and exactly one of ${kinds}; this one has ${found}.` }];
  }
  const result = stepKinds[known[0] as keyof typeof stepKinds].safeParse(step);
  return result.success ? [] : result.error.issues.flatMap((issue) => describe({ ...issue, path: [...path, ...issue.path] }, valueAt(step, issue.path)));
}

function describe(issue: z.core.$ZodIssue, value: unknown): SpecIssue[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: formatPath([...issue.path, key]),
      message: `"${key}" is not a key that this version knows here. Remove it, or check the spelling.`,
    }));
  }
  if (issue.code === 'invalid_key')
    return [{ path: formatPath(issue.path), message: `This name cannot be used: ${issue.issues.map((inner) => inner.message).join('; ')}.` }];
  if (issue.code === 'invalid_type' && value === undefined)
    return [{ path: formatPath(issue.path), message: `This key is missing; it is ${nameOf(issue.expected)}.` }];
  if (value === undefined && issue.code === 'invalid_value')
    return [{ path: formatPath(issue.path), message: `This key is missing; it is one of ${issue.values.map(String).join(', ')}.` }];
  if (issue.code === 'invalid_type')
    return [
      {
        path: formatPath(issue.path),
        message: `Expected ${nameOf(issue.expected)}, found ${shown(value)}.${issue.expected === 'string' ? ' Put it in quotes.' : ''}`,
      },
    ];
  return [{ path: formatPath(issue.path), message: `${issue.message.replace(/\.$/, '')}; found ${shown(value)}.` }];
}

/** The schema drops a key `__proto__` without a word, and nothing may be accepted and ignored. */
export function prototypeKeys(document: unknown): SpecIssue[] {
  const issues: SpecIssue[] = [];
  const seen = new Set<unknown>();
  const waiting: { readonly value: unknown; readonly path: readonly PropertyKey[] }[] = [{ value: document, path: [] }];
  for (let entry = waiting.pop(); entry; entry = waiting.pop()) {
    const { value, path } = entry;
    if (value === null || typeof value !== 'object' || seen.has(value)) continue;
    seen.add(value);
    for (const [key, inner] of Object.entries(value)) {
      const place = [...path, Array.isArray(value) ? Number(key) : key];
      if (key === '__proto__') issues.push({ path: formatPath(place), message: '"__proto__" cannot be used as a name.' });
      else waiting.push({ value: inner, path: place });
    }
  }
  return issues;
}

/** `steps[2].map.columns.total`; a key that is no plain word stands in brackets and quotes. `below`: a path that this one continues. */
export function formatPath(path: readonly PropertyKey[], below = ''): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    const word = String(part);
    if (!/^[A-Za-z_$][\w$-]*$/.test(word)) return `${text}[${JSON.stringify(word)}]`;
    return text === '' ? word : `${text}.${word}`;
  }, below);
}

/** The schema's word for a type in the words of a document. */
function nameOf(type: string): string {
  const names: Readonly<Record<string, string>> = { record: 'a mapping', object: 'a mapping', array: 'a list', string: 'a text', number: 'a number' };
  return names[type] ?? `a ${type}`;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, part) => (inner !== null && typeof inner === 'object' && Object.hasOwn(inner, part) ? (inner as Record<PropertyKey, unknown>)[part] : undefined),
    value,
  );
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
