import { z } from 'zod';

/** The steps of a pipeline document as users write them. */

export const longestName = 200;

/** Names of inputs, steps and params stand in expressions. */
export const relationName = z
  .string()
  .max(63)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'use letters, digits and underscore, not beginning with a digit');
export const columnName = z
  .string()
  .min(1)
  .max(255)
  .refine((name) => !isReservedColumn(name), 'names beginning with "_text:" and the name "_pos" are reserved')
  .refine((name) => !name.includes('\0'), 'a name has no NUL character');
const expression = z.string().min(1).max(10_000).describe('An expression in the SQL dialect of DuckDB, over the columns of `from`.');
const columnMap = (value: z.ZodString) => z.record(columnName, value).refine((columns) => Object.keys(columns).length > 0, 'name at least one column');
const over = z
  .literal('increment')
  .optional()
  .describe('Of an incremental input this step sees the rows of one run only. Without it such a pipeline needs `recompute`.');

const map = z.strictObject({ from: relationName, columns: columnMap(expression), over });
const filter = z.strictObject({ from: relationName, where: expression });
const cast = z.strictObject({
  from: relationName,
  columns: columnMap(z.string().min(1).max(100)),
  onError: z.enum(['fail', 'reject', 'null']).default('fail'),
});
const side = z
  .union([relationName, z.strictObject({ from: relationName, as: relationName })], 'name a step or input, or write {from: open, as: o}')
  .describe('A step or input; `{from, as}` gives it another name here.');
const join = z.strictObject({
  left: side,
  right: side,
  kind: z.enum(['inner', 'left', 'right', 'full', 'semi', 'anti', 'cross']).default('inner'),
  on: expression.optional(),
  columns: columnMap(expression),
  over,
});
const groupBy = z.union([z.array(columnName).min(1), columnMap(expression)], 'list columns, or write name: expression');
const aggregate = z.strictObject({
  from: relationName,
  groupBy: groupBy.optional().describe('Columns, or name → expression. Without it there is one group.'),
  columns: columnMap(expression),
  over,
});
const union = z.strictObject({ from: z.array(relationName).min(2).max(100) });
const dedupe = z.strictObject({
  from: relationName,
  key: z.array(columnName).min(1),
  orderBy: columnName.optional(),
  keep: z.enum(['last', 'first']).default('last'),
  over,
});

const id = relationName;
export const stepKinds = {
  map: z.strictObject({ id, map }),
  filter: z.strictObject({ id, filter }),
  cast: z.strictObject({ id, cast }),
  join: z.strictObject({ id, join }),
  aggregate: z.strictObject({ id, aggregate }),
  union: z.strictObject({ id, union }),
  dedupe: z.strictObject({ id, dedupe }),
} as const;

export const step = z.union([stepKinds.map, stepKinds.filter, stepKinds.cast, stepKinds.join, stepKinds.aggregate, stepKinds.union, stepKinds.dedupe]);

/** `_pos` and the columns that carry a value's text are ours. */
export function isReservedColumn(name: string): boolean {
  return name.toLowerCase() === '_pos' || name.toLowerCase().startsWith('_text:');
}
