import { z } from 'zod';
import { columnName, longestName, relationName, step } from './step-documents.js';
import { parseDuration, parseMemory } from './units.js';

/** The pipeline document as users write it. `schema/pipeline.schema.json` is made from this; a key that is not here is refused by name. */

const leastMemory = 192 * 2 ** 20;

const jobName = z
  .string()
  .max(longestName)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'use letters, digits, dot, dash and underscore, beginning with a letter or digit');
const outside = { connection: z.string().min(1).max(longestName), stream: z.string().min(1).max(255) };
const ratio = z.number().min(0).max(1);

const duration = (example: string, leastMs: number) =>
  z.string().refine((text) => (parseDuration(text) ?? 0) >= leastMs, `give an ISO 8601 duration such as ${example}, at least PT${leastMs / 1_000}S`);

const lookback = z.union(
  [
    z.string().refine((text) => parseDuration(text) !== null, 'give an ISO 8601 duration such as PT10M, or a whole number for a cursor that is a number'),
    z.number().int().min(0),
  ],
  'give an ISO 8601 duration such as PT10M, or a whole number for a cursor that is a number',
);
const incremental = z.strictObject({
  cursor: columnName.describe('A column that grows with every change of a row.'),
  lookback: lookback.optional().describe('How far behind the last cursor every read begins, so that rows that come late are found.'),
  nulls: z.enum(['fail', 'include', 'exclude']).default('fail').describe('Rows whose cursor is null.'),
});
const recompute = z
  .strictObject({ by: z.array(columnName).min(1) })
  .describe('Rows whose values of these columns occur among the changed rows of any such input are read whole.');
const input = z.strictObject({ ...outside, incremental: incremental.optional(), recompute: recompute.optional() });

const load = z.strictObject({
  mode: z.enum(['append', 'upsert', 'overwrite']),
  key: z.array(columnName).min(1).optional(),
  orderBy: columnName.optional(),
  minRatio: ratio.optional().describe('overwrite: fail when the new rows are fewer than this part of those that stand in the table. Default 0.5.'),
});
const retry = z
  .strictObject({
    attempts: z.number().int().min(1).max(100).default(3).describe('How many attempts may fail, the first included.'),
    initial: duration('PT1S', 1).default('PT1S').describe('Longest first pause; doubled for each further one. The pause itself is random, from 0 on.'),
    max: duration('PT5M', 1).default('PT5M').describe('Longest pause.'),
  })
  .refine(({ initial, max }) => (parseDuration(max) ?? 0) >= (parseDuration(initial) ?? 0), { path: ['max'], message: 'must not be shorter than `initial`' })
  .describe(
    'Tries a run again whose error may pass by itself (a server that is away, a deadlock, a process that died). Without this key a run has one attempt.',
  );
const rejected = z.strictObject({ maxRows: z.number().int().min(0).optional(), maxRatio: ratio.optional() });
const limits = z.strictObject({
  memory: z
    .string()
    .refine((text) => (parseMemory(text) ?? 0) >= leastMemory, 'give a size such as 512MiB, at least 192MiB')
    .default('512MiB'),
  timeout: duration('PT2H', 1_000).optional().describe('From the start of the first attempt to the end of the last, pauses included.'),
  attemptTimeout: duration('PT30M', 1_000)
    .optional()
    .describe('Of one attempt. One that takes longer is stopped, and tried again while `retry` has attempts left.'),
  rejected: rejected.optional().describe('More rejected rows end the run. The ratio is looked at from 1,000 rows read on.'),
});
const param = z.strictObject({
  type: z.string().min(1).max(100),
  default: z.union([z.string(), z.number(), z.boolean(), z.null()], 'give a text, a number, true, false or null').optional(),
});

export const pipelineDocument = z.strictObject({
  version: z.literal(1),
  name: jobName,
  namespace: jobName,
  owners: z.array(z.string().min(1).max(longestName)).max(100).default([]),
  description: z.string().max(10_000).optional(),
  inputs: z.record(relationName, input).refine((inputs) => Object.keys(inputs).length > 0, 'name at least one input'),
  steps: z.array(step).max(500).default([]),
  outputs: z
    .array(z.strictObject({ from: relationName, ...outside, load }))
    .min(1)
    .max(100),
  retry: retry.optional(),
  limits: limits.prefault({}),
  params: z.record(relationName, param).default({}).describe('Values that a run is started with: `$name` in expressions.'),
});

export type PipelineDocument = z.output<typeof pipelineDocument>;

/** The document as JSON Schema (draft 2020-12), for editors. */
export function pipelineJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(pipelineDocument, { io: 'input', unrepresentable: 'any' }), title: 'Tributary pipeline' };
}

/** As the file `schema/pipeline.schema.json` has it. */
export function printPipelineSchema(): string {
  return `${JSON.stringify(pipelineJsonSchema(), null, 2)}\n`;
}
