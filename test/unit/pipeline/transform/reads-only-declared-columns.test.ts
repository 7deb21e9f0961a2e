import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { TextRow } from '../csv.js';
import { compiledSteps, runSteps, type StepDocument } from '../step-bench.js';

const types = { a: 'integer', b: 'integer', c: 'text', d: 'text', e: 'numeric(12,2)', f: 'jsonb' };
const names = Object.keys(types);

const values: Readonly<Record<string, fc.Arbitrary<string | null>>> = {
  a: fc.option(fc.integer({ min: -1000, max: 1000 }).map(String)),
  b: fc.option(fc.integer({ min: -1000, max: 1000 }).map(String)),
  c: fc.option(fc.string({ maxLength: 5 })),
  d: fc.option(fc.constantFrom('1', '22', 'x', '', 'paid')),
  e: fc.option(fc.integer({ min: -99999, max: 99999 }).map((cents) => (cents / 100).toFixed(2))),
  f: fc.option(fc.constantFrom('{"k": 1}', '{"k": "v"}', '[1]', 'null')),
};
const row = fc.tuple(...names.map((name) => values[name] as fc.Arbitrary<string | null>));
const rows = fc.array(
  row.map((cells): TextRow => cells.map((cell) => cell?.replaceAll('\u0000', '') ?? null)),
  { minLength: 1, maxLength: 6 },
);

const computed = fc.constantFrom(
  'a',
  'b',
  'c',
  'd',
  'e',
  'a + b',
  'coalesce(a, b)',
  'upper(c)',
  'md5(d)',
  'CASE WHEN a > 0 THEN c ELSE d END',
  "if(d = 'paid', e, NULL)",
  "f ->> 'k'",
  "f -> 'k'",
  'list_sum(list_transform([a, 1], lambda b: b + 1))',
  'concat(c, d)',
  "{'c': a}.c",
  'e * 2',
  'CAST(a AS VARCHAR) || c',
);
const condition = fc.constantFrom('a > 0', 'b IS NOT NULL', "d = 'paid'", 'len(c) > 2', 'a < b', "f ->> 'k' = 'v'", 'e >= 0 OR a IS NULL');

/** Up to two filters and a rejecting cast over the input, then a map of three columns. */
const steps: fc.Arbitrary<StepDocument[]> = fc
  .record({ where: fc.array(condition, { maxLength: 2 }), reject: fc.boolean(), columns: fc.tuple(computed, computed, computed) })
  .map(({ where, reject, columns }) => {
    const chain: StepDocument[] = where.map((condition, index) => ({
      id: `kept${index}`,
      filter: { from: index === 0 ? 'orders' : `kept${index - 1}`, where: condition },
    }));
    const last = () => String(chain.at(-1)?.['id'] ?? 'orders');
    if (reject) chain.push({ id: 'typed', cast: { from: last(), columns: { d: 'VARCHAR', e: 'INTEGER' }, onError: 'reject' } });
    return [...chain, { id: 'shaped', map: { from: last(), columns: Object.fromEntries(columns.map((column, index) => [`r${index}`, column])) } }];
  });

describe('lineage is tested, not trusted', () => {
  it('changing every column that an output column does not declare never changes that column', async () => {
    await fc.assert(
      fc.asyncProperty(steps, rows, fc.infiniteStream(row), async (chain, before, others) => {
        const lineage = (await compiledSteps(types, chain)).outputs[0]?.lineage;
        const influences = new Set(lineage?.influences.map(({ from }) => from.name));
        const result = await runSteps(types, chain, before);
        for (const [place, output] of ['r0', 'r1', 'r2'].entries()) {
          const declared = new Set(lineage?.columns.filter(({ to }) => to === output).map(({ from }) => from.name));
          const after = before.map((cells) => {
            const other = others.next().value as TextRow;
            return cells.map((cell, index) =>
              declared.has(names[index] ?? '') || influences.has(names[index] ?? '') ? cell : (other[index]?.replaceAll('\u0000', '') ?? null),
            );
          });
          const changed = await runSteps(types, chain, after);
          expect(changed.rows.map((cells) => cells[place])).toEqual(result.rows.map((cells) => cells[place]));
        }
      }),
      { numRuns: 20 },
    );
  });
});
