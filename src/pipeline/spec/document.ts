import { z } from 'zod';
import { parseDuration, parseMemory } from './units.js';

/** The pipeline document as users write it. `schema/pipeline.schema.json` is made from this; a key that is not here is refused by name. */

const leastMemory = 192 * 2 ** 20;
const longestName = 200;

const jobName = z
  .string()
  .max(longestName)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'use letters, digits, dot, dash and underscore, beginning with a letter or digit');
/** Names of inputs and steps are relations in expressions. */
const relationName = z
  .string()
  .max(63)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'use letters, digits and underscore, not beginning with a digit');
const columnName = z
  .string()
  .min(1)
  .max(255)
  .refine((name) => !isReservedColumn(name), 'names beginning with "_text:" and the name "_pos" are reserved')
  .refine((name) => !name.includes('\0'), 'a name has no NUL character');
const expression = z.string().min(1).max(10_000).describe('An expression in the SQL dialect of DuckDB, over the columns of `from`.');
const columnMap = (value: z.ZodString) => z.record(columnName, value).refine((columns) => Object.keys(columns).length > 0, 'name at least one column');
const outside = { connection: z.string().min(1).max(longestName), stream: z.string().min(1).max(255) };

const mapStep = z.strictObject({ id: relationName, map: z.strictObject({ from: relationName, columns: columnMap(expression) }) });
const filterStep = z.strictObject({ id: relationName, filter: z.strictObject({ from: relationName, where: expression }) });
const castStep = z.strictObject({
  id: relationName,
  cast: z.strictObject({ from: relationName, columns: columnMap(z.string().min(1).max(100)), onError: z.enum(['fail', 'reject', 'null']).default('fail') }),
});

export const stepKinds = { map: mapStep, filter: filterStep, cast: castStep } as const;

const load = z.strictObject({
  mode: z.enum(['append', 'upsert']),
  key: z.array(columnName).min(1).optional(),
  orderBy: columnName.optional(),
});
const limits = z.strictObject({
  memory: z
    .string()
    .refine((text) => (parseMemory(text) ?? 0) >= leastMemory, 'give a size such as 512MiB, at least 192MiB')
    .default('512MiB'),
  timeout: z
    .string()
    .refine((text) => (parseDuration(text) ?? 0) >= 1_000, 'give an ISO 8601 duration such as PT2H, at least PT1S')
    .optional(),
});

export const pipelineDocument = z.strictObject({
  version: z.literal(1),
  name: jobName,
  namespace: jobName,
  owners: z.array(z.string().min(1).max(longestName)).max(100).default([]),
  description: z.string().max(10_000).optional(),
  inputs: z.record(relationName, z.strictObject(outside)).refine((inputs) => Object.keys(inputs).length > 0, 'name at least one input'),
  steps: z
    .array(z.union([mapStep, filterStep, castStep]))
    .max(500)
    .default([]),
  outputs: z
    .array(z.strictObject({ from: relationName, ...outside, load }))
    .min(1)
    .max(100),
  limits: limits.prefault({}),
});

export type PipelineDocument = z.output<typeof pipelineDocument>;

/** `_pos` and the columns that carry a value's text are ours. */
export function isReservedColumn(name: string): boolean {
  return name.toLowerCase() === '_pos' || name.toLowerCase().startsWith('_text:');
}

/** The document as JSON Schema (draft 2020-12), for editors. */
export function pipelineJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(pipelineDocument, { io: 'input', unrepresentable: 'any' }), title: 'Tributary pipeline' };
}

/** As the file `schema/pipeline.schema.json` has it. */
export function printPipelineSchema(): string {
  return `${JSON.stringify(pipelineJsonSchema(), null, 2)}\n`;
}
