import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { InvalidSpecError, isPlatformError } from '../../../../src/model/errors.js';
import { parseSpec } from '../../../../src/pipeline/spec/parse-spec.js';

const minimal = {
  version: 1,
  name: 'orders_mart',
  namespace: 'shop',
  inputs: { orders: { connection: 'shop', stream: 'public.orders' } },
  outputs: [{ from: 'orders', connection: 'warehouse', stream: 'mart.orders', load: { mode: 'append' } }],
};
const map = { id: 'shaped', map: { from: 'orders', columns: { id: 'id' } } };
const output = (from: string, load: object = { mode: 'append' }) => ({ from, connection: 'warehouse', stream: 'mart.orders', load });
/** `minimal` with one step and an output of it. */
const withStep = (step: unknown, from = 'shaped') => ({ ...minimal, steps: [step], outputs: [output(from)] });

const withInput = (keys: object) => ({ ...minimal, inputs: { orders: { ...minimal.inputs.orders, ...keys } } });
const join = { id: 'shaped', join: { left: 'orders', right: 'orders', on: 'true', columns: { id: 'id' } } };

function problems(document: unknown): string[] {
  try {
    parseSpec(document);
  } catch (error) {
    if (error instanceof InvalidSpecError) return error.issues.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
}

describe('parseSpec', () => {
  it('fills in defaults, and keeps the document as it was written', () => {
    const { spec, document } = parseSpec(minimal);
    expect(spec).toEqual({
      ...minimal,
      owners: [],
      description: null,
      inputs: { orders: { ...minimal.inputs.orders, incremental: null, recomputeBy: [] } },
      steps: [],
      outputs: [{ ...minimal.outputs[0], load: { mode: 'append', key: [], orderBy: null, minRatio: 0 } }],
      retry: { attempts: 1, initialMs: 1_000, maxMs: 300_000 },
      limits: { memoryBytes: 512 * 2 ** 20, timeoutMs: null, attemptTimeoutMs: null, rejectedRows: null, rejectedRatio: null },
      params: {},
    });
    expect(document).toEqual(minimal);
  });

  it('tries a run again only when the document says so, three times if it does not say how often', () => {
    expect(parseSpec({ ...minimal, retry: {} }).spec.retry).toEqual({ attempts: 3, initialMs: 1_000, maxMs: 300_000 });
    const written = { attempts: 5, initial: 'PT0.5S', max: 'PT1M' };
    expect(parseSpec({ ...minimal, retry: written }).spec.retry).toEqual({ attempts: 5, initialMs: 500, maxMs: 60_000 });
  });

  it('reads YAML and JSON alike', () => {
    const yaml = `
version: 1
name: orders_mart
namespace: shop
inputs:
  orders: {connection: shop, stream: public.orders}
outputs:
  - {from: orders, connection: warehouse, stream: mart.orders, load: {mode: append}}
`;
    expect(parseSpec(yaml)).toEqual(parseSpec(minimal));
    expect(parseSpec(JSON.stringify(minimal))).toEqual(parseSpec(minimal));
  });

  it('reads every key there is', () => {
    const { spec } = parseSpec({
      ...minimal,
      owners: ['data-team'],
      description: 'All orders.',
      inputs: {
        orders: { ...minimal.inputs.orders, incremental: { cursor: 'updated_at', lookback: 'PT10M', nulls: 'include' }, recompute: { by: ['customer_id'] } },
        customers: { ...minimal.inputs.orders, incremental: { cursor: 'version', lookback: 5 } },
      },
      steps: [
        { id: 'open', filter: { from: 'orders', where: "status <> 'x'" } },
        { id: 'typed', cast: { from: 'open', columns: { amount: 'DECIMAL(12,2)' }, onError: 'reject' } },
        { id: 'shaped', map: { from: 'typed', columns: { id: 'id', at: 'updated_at' }, over: 'increment' } },
        { id: 'joined', join: { left: { from: 'shaped', as: 's' }, right: 'customers', kind: 'left', on: 's.id = customers.id', columns: { id: 's.id' } } },
        { id: 'paired', join: { left: 'joined', right: 'shaped', on: 'joined.id = shaped.id', columns: { id: 'joined.id' } } },
        { id: 'both', union: { from: ['joined', 'paired'] } },
        { id: 'one', dedupe: { from: 'both', key: ['id'], orderBy: 'id', keep: 'first' } },
        { id: 'totals', aggregate: { from: 'one', groupBy: ['id', 'a "name"'], columns: { rows: 'count(*)' } } },
        { id: 'days', aggregate: { from: 'totals', groupBy: { day: 'rows + 1' }, columns: { rows: 'count(*)' }, over: 'increment' } },
      ],
      outputs: [output('days', { mode: 'upsert', key: ['id'], orderBy: 'at' }), output('totals', { mode: 'overwrite' })],
      limits: { memory: '1GiB', timeout: 'P1DT2H3M4.5S', attemptTimeout: 'PT30M', rejected: { maxRows: 5, maxRatio: 0.01 } },
      params: {
        country: { type: 'VARCHAR', default: 'DE' },
        least: { type: 'INTEGER' },
        share: { type: 'DOUBLE', default: 0.5 },
        none: { type: 'DATE', default: null },
      },
    });
    expect(spec.limits).toEqual({
      memoryBytes: 2 ** 30,
      timeoutMs: ((26 * 60 + 3) * 60 + 4.5) * 1000,
      attemptTimeoutMs: 1_800_000,
      rejectedRows: 5,
      rejectedRatio: 0.01,
    });
    expect(spec.outputs.map(({ load }) => load)).toEqual([
      { mode: 'upsert', key: ['id'], orderBy: 'at', minRatio: 0 },
      { mode: 'overwrite', key: [], orderBy: null, minRatio: 0.5 },
    ]);
    expect(spec.inputs['orders']).toMatchObject({ incremental: { cursor: 'updated_at', lookback: 'PT10M', nulls: 'include' }, recomputeBy: ['customer_id'] });
    expect(spec.inputs['customers']).toMatchObject({ incremental: { cursor: 'version', lookback: 5, nulls: 'fail' }, recomputeBy: [] });
    expect(spec.steps.slice(2)).toMatchObject([
      { map: { over: 'increment' } },
      { join: { left: { from: 'shaped', as: 's' }, right: { from: 'customers', as: 'customers' }, kind: 'left', over: 'all' } },
      { join: { kind: 'inner' } },
      { union: { from: ['joined', 'paired'] } },
      { dedupe: { keep: 'first', over: 'all' } },
      { aggregate: { groupBy: { id: '"id"', 'a "name"': '"a ""name"""' }, over: 'all' } },
      { aggregate: { groupBy: { day: 'rows + 1' }, over: 'increment' } },
    ]);
    expect(spec.params).toEqual({
      country: { type: 'VARCHAR', default: 'DE' },
      least: { type: 'INTEGER' },
      share: { type: 'DOUBLE', default: '0.5' },
      none: { type: 'DATE', default: null },
    });
  });

  it.each(['schedule', 'tests', 'contract', 'engine', 'Name', 'step'])('refuses the unknown key %s by its name', (key) => {
    expect(problems({ ...minimal, [key]: {} })).toEqual([`${key}: "${key}" is not a key that this version knows here. Remove it, or check the spelling.`]);
  });

  it.each([
    ['inputs.orders.incremental.lag', { ...minimal, inputs: { orders: { ...minimal.inputs.orders, incremental: { cursor: 'x', lag: 5 } } } }],
    ['steps[0].map.where', withStep({ id: 'shaped', map: { ...map.map, where: 'x' } })],
    ['steps[0].note', withStep({ ...map, note: 'x' })],
    ['outputs[0].load.onConflict', { ...minimal, outputs: [output('orders', { mode: 'append', onConflict: 'x' })] }],
    ['limits.rejected.rows', { ...minimal, limits: { rejected: { rows: 5 } } }],
  ])('refuses an unknown key deep inside: %s', (path, document) => {
    expect(problems(document)).toEqual([expect.stringMatching(new RegExp(`^${path.replace(/[[\].]/g, '\\$&')}: `))]);
  });

  it.each(['flatten', 'enrich', 'sql', 'check', 'custom', 'toString', 'constructor'])('refuses the unknown step %s and says which there are', (kind) => {
    const step = JSON.parse(`{"id": "shaped", "${kind}": {"from": "orders"}}`) as unknown;
    expect(problems(withStep(step))).toEqual([
      expect.stringMatching(/^steps\[0\]: A step has an id and exactly one of map, filter, cast, join, aggregate, union, dedupe; this one has /),
    ]);
  });

  it.each([
    ['no version', { ...minimal, version: undefined }, 'version: This key is missing'],
    ['another version', { ...minimal, version: 2 }, 'version: '],
    ['a version that is a text', { ...minimal, version: '1' }, 'version: '],
    ['no name', { ...minimal, name: undefined }, 'name: This key is missing; it is a text.'],
    ['a name that is a number', { ...minimal, name: 5 }, 'name: Expected a text, found 5. Put it in quotes.'],
    ['a name with a slash', { ...minimal, name: 'a/b' }, 'name: use letters, digits, dot, dash and underscore'],
    ['an empty namespace', { ...minimal, namespace: '' }, 'namespace: '],
    ['no inputs', { ...minimal, inputs: undefined }, 'inputs: This key is missing'],
    ['inputs that name nothing', { ...minimal, inputs: {} }, 'inputs: name at least one input; found a mapping.'],
    ['inputs as a list', { ...minimal, inputs: [] }, 'inputs: Expected a mapping, found a list.'],
    ['an input without a stream', { ...minimal, inputs: { orders: { connection: 'shop' } } }, 'inputs.orders.stream: This key is missing'],
    [
      'an input whose name is no word',
      { ...minimal, inputs: { ...minimal.inputs, 'a b': minimal.inputs.orders } },
      'inputs["a b"]: This name cannot be used: ',
    ],
    ['no outputs', { ...minimal, outputs: [] }, 'outputs: '],
    ['an output without load', { ...minimal, outputs: [{ from: 'orders', connection: 'w', stream: 's' }] }, 'outputs[0].load: This key is missing'],
    ['a load mode that is not built', { ...minimal, outputs: [output('orders', { mode: 'scd2' })] }, 'outputs[0].load.mode: '],
    ['a step that is a text', withStep('shaped'), 'steps[0]: A step is a mapping with an id and one of map, filter, cast, join, aggregate, union, dedupe.'],
    ['a step that is null', withStep(null), 'steps[0]: A step is a mapping with an id and one of map, filter, cast, join, aggregate, union, dedupe.'],
    [
      'a step with nothing but an id',
      withStep({ id: 'shaped' }),
      'steps[0]: A step has an id and exactly one of map, filter, cast, join, aggregate, union, dedupe; this one has nothing but an id.',
    ],
    [
      'a step of two kinds',
      withStep({ ...map, filter: { from: 'orders', where: 'x' } }),
      'steps[0]: A step has an id and exactly one of map, filter, cast, join, aggregate, union, dedupe; this one has "map", "filter".',
    ],
    ['a step without an id', withStep({ map: map.map }), 'steps[0].id: This key is missing; it is a text.'],
    ['a map of no columns', withStep({ id: 'shaped', map: { from: 'orders', columns: {} } }), 'steps[0].map.columns: name at least one column'],
    [
      'an expression that is a number',
      withStep({ id: 'shaped', map: { from: 'orders', columns: { n: 1 } } }),
      'steps[0].map.columns.n: Expected a text, found 1. Put it in quotes.',
    ],
    ['an expression that is empty', withStep({ id: 'shaped', map: { from: 'orders', columns: { n: '' } } }), 'steps[0].map.columns.n: '],
    [
      'a reserved column name',
      withStep({ id: 'shaped', map: { from: 'orders', columns: { _POS: 'id' } } }),
      'steps[0].map.columns._POS: This name cannot be used',
    ],
    [
      'a column name with a NUL',
      withStep({ id: 'shaped', map: { from: 'orders', columns: { 'a\u0000': 'id' } } }),
      'steps[0].map.columns["a\\u0000"]: This name cannot be used',
    ],
    [
      'an onError that does not exist',
      withStep({ id: 'shaped', cast: { from: 'orders', columns: { a: 'INTEGER' }, onError: 'skip' } }),
      'steps[0].cast.onError: ',
    ],
    ['too little memory', { ...minimal, limits: { memory: '64MiB' } }, 'limits.memory: give a size such as 512MiB, at least 192MiB; found "64MiB".'],
    ['memory without a unit', { ...minimal, limits: { memory: '512' } }, 'limits.memory: give a size such as 512MiB'],
    ['a timeout that is a number', { ...minimal, limits: { timeout: 60 } }, 'limits.timeout: Expected a text, found 60.'],
    ['no attempt at all', { ...minimal, retry: { attempts: 0 } }, 'retry.attempts: '],
    ['a pause that is longer than the longest', { ...minimal, retry: { initial: 'PT10M' } }, 'retry.max: must not be shorter than `initial`'],
    ['a timeout of months', { ...minimal, limits: { timeout: 'P1M' } }, 'limits.timeout: give an ISO 8601 duration such as PT2H'],
    [
      'two steps of one name',
      { ...minimal, steps: [map, { ...map, id: 'SHAPED' }], outputs: [output('shaped'), output('SHAPED')] },
      'steps[1].id: "SHAPED" is the name of another input or step.',
    ],
    ['a step with the name of an input', withStep({ ...map, id: 'orders' }, 'orders'), 'steps[0].id: "orders" is the name of another input or step.'],
    [
      'a step that reads nothing there is',
      withStep({ id: 'shaped', map: { from: 'nowhere', columns: { id: 'id' } } }),
      'steps[0].map.from: There is no input or step "nowhere".',
    ],
    [
      'an output of nothing there is',
      { ...minimal, outputs: [...minimal.outputs, output('nowhere')] },
      'outputs[1].from: There is no input or step "nowhere".',
    ],
    [
      'a step that reads itself',
      { ...minimal, steps: [{ ...map, map: { ...map.map, from: 'shaped' } }], outputs: [output('shaped'), output('orders')] },
      'steps[0]: Step "shaped" reads its own result: shaped ← shaped.',
    ],
    ['an input that nothing reads', { ...minimal, inputs: { ...minimal.inputs, unused: minimal.inputs.orders } }, 'inputs.unused: Nothing reads this.'],
    ['a step that nothing reads', { ...minimal, steps: [map] }, 'steps[0]: Nothing reads this.'],
    ['an upsert without a key', { ...minimal, outputs: [output('orders', { mode: 'upsert' })] }, 'outputs[0].load.key: An upsert needs a key'],
    [
      'an append with a key',
      { ...minimal, outputs: [output('orders', { mode: 'append', key: ['id'] })] },
      'outputs[0].load: An append has neither key nor orderBy.',
    ],
    ['a lookback of months', withInput({ incremental: { cursor: 'at', lookback: 'P1M' } }), 'inputs.orders.incremental.lookback: give an ISO 8601 duration'],
    [
      'a side that is a number',
      withStep({ ...join, join: { ...join.join, left: 5 } }),
      'steps[0].join.left: name a step or input, or write {from: open, as: o}; found 5.',
    ],
    ['sides of one name', withStep(join), 'steps[0].join.right: Both sides are named "orders".'],
    ['a join without a condition', withStep({ ...join, join: { ...join.join, on: undefined } }), 'steps[0].join.on: A join of kind inner needs a condition'],
    ['a cross join with a condition', withStep({ ...join, join: { ...join.join, kind: 'cross' } }), 'steps[0].join.on: A cross join has no condition.'],
    ['a union of one', withStep({ id: 'shaped', union: { from: ['orders'] } }), 'steps[0].union.from: '],
    [
      'a union of something that is not there',
      withStep({ id: 'shaped', union: { from: ['orders', 'nowhere'] } }),
      'steps[0].union.from[1]: There is no input or step "nowhere".',
    ],
    [
      'minRatio of an append',
      { ...minimal, outputs: [output('orders', { mode: 'append', minRatio: 0.5 })] },
      'outputs[0].load.minRatio: minRatio belongs to mode overwrite.',
    ],
    ['orderBy without a key', { ...minimal, outputs: [output('orders', { mode: 'overwrite', orderBy: 'at' })] }, 'outputs[0].load.orderBy: orderBy decides'],
    [
      'a param that is a list',
      { ...minimal, params: { a: { type: 'INTEGER', default: [] } } },
      'params.a.default: give a text, a number, true, false or null; found a list.',
    ],
    [
      'a key that names a column twice',
      { ...minimal, outputs: [output('orders', { mode: 'upsert', key: ['id', 'id'] })] },
      'outputs[0].load.key: A column stands in the key twice.',
    ],
  ])('refuses %s', (_, document, problem) => {
    expect(problems(document)).toContainEqual(expect.stringContaining(problem));
  });

  it('names every step of a cycle', () => {
    const step = (id: string, from: string) => ({ id, map: { from, columns: { id: 'id' } } });
    const found = problems({ ...minimal, steps: [step('a', 'c'), step('b', 'a'), step('c', 'b')], outputs: [output('c'), output('orders')] });
    expect(found).toEqual([
      'steps[0]: Step "a" reads its own result: a ← c ← b ← a.',
      'steps[1]: Step "b" reads its own result: b ← a ← c ← b.',
      'steps[2]: Step "c" reads its own result: c ← b ← a ← c.',
    ]);
  });

  it('names every problem at once', () => {
    expect(problems({ ...minimal, name: 5, unknown: 1, outputs: [output('orders', { mode: 'x' })] })).toHaveLength(3);
  });

  it.each([
    ['null', null],
    ['a list', []],
    ['a number', 5],
    ['nothing', undefined],
    ['an empty text', ''],
    ['a word', 'pipeline'],
    ['a YAML list', '- a'],
  ])('refuses %s', (_, document) => {
    expect(problems(document)).toEqual([expect.stringContaining('A pipeline is a mapping of keys')]);
  });

  it.each([
    ['a: [1', 'a list that is not closed'],
    ['a: b: c', 'a mapping in a line'],
    ['a: 1\na: 2', 'a key that stands twice'],
    ['a: *nowhere', 'an alias of nothing'],
    ['%YAML 9\n---\na: !!js/function x', 'a tag'],
  ])('refuses the YAML %j with a sentence', (text) => {
    expect(problems(text).length).toBeGreaterThan(0);
  });

  it('refuses a YAML bomb quickly', () => {
    const levels = Array.from({ length: 30 }, (_, index) => `a${index + 1}: &a${index + 1} [${Array(9).fill(`*a${index}`).join(', ')}]`);
    const began = Date.now();
    expect(problems(`a0: &a0 [x, x]\n${levels.join('\n')}\n`)).toEqual([expect.stringContaining('This YAML cannot be read')]);
    expect(Date.now() - began).toBeLessThan(5_000);
  });

  it('refuses a document that is too long, and one that is nested too deep, without falling over', () => {
    expect(() => parseSpec('#'.repeat(1_000_001))).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
    expect(problems('['.repeat(100_000)).length).toBeGreaterThan(0);
    expect(problems(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`).length).toBeGreaterThan(0);
  });

  it('takes __proto__ for a name like any other, and pollutes nothing', () => {
    expect(problems(JSON.parse('{"__proto__": {"version": 1}}')).length).toBeGreaterThan(0);
    expect(problems(`__proto__: {polluted: true}\nversion: 1`).length).toBeGreaterThan(0);
    const columns = JSON.parse('{"id": "id", "__proto__": "id"}') as unknown;
    expect(problems(withStep({ id: 'shaped', map: { from: 'orders', columns } }))).toEqual([
      'steps[0].map.columns.__proto__: "__proto__" cannot be used as a name.',
    ]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('throws nothing but InvalidSpecError or a PlatformError, whatever it is given', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.string(), fc.json()), (document) => {
        try {
          parseSpec(document);
        } catch (error) {
          expect(isPlatformError(error) || error instanceof InvalidSpecError).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});
