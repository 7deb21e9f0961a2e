import { describe, expect, it } from '@jest/globals';
import type { OutputLineage } from '../../../../src/model/lineage.js';
import { type ColumnTypes, compiledSteps, type StepDocument } from '../step-bench.js';

const orders: ColumnTypes = { id: 'integer', email: 'text', amount: 'numeric(12,2)', status: 'text', data: 'jsonb', tags: 'text[]', today: 'date' };

async function lineageOf(steps: readonly StepDocument[], types: ColumnTypes = orders): Promise<OutputLineage> {
  const [output] = (await compiledSteps(types, steps)).outputs;
  if (!output) throw new Error('There is no output.');
  return output.lineage;
}

/** `from -> to: TYPE/SUBTYPE …`, one line for each edge; `*` for a masking one. */
async function edgesOf(steps: readonly StepDocument[], types: ColumnTypes = orders): Promise<string[]> {
  const { columns } = await lineageOf(steps, types);
  return columns.map(
    ({ from, to, transformations }) =>
      `${from.name} -> ${to}: ${transformations.map(({ type, subtype, masking }) => `${type}/${subtype}${masking ? '*' : ''}`).join(' ')}`,
  );
}

const map = (columns: Record<string, string>, from = 'orders', id = 'shaped') => ({ id, map: { from, columns } });

describe('the lineage of an expression', () => {
  it.each([
    ['a bare column', 'email', ['email -> result: DIRECT/IDENTITY']],
    ['a bare column in other letters', 'EMAIL', ['email -> result: DIRECT/IDENTITY']],
    ['a quoted column', '"email"', ['email -> result: DIRECT/IDENTITY']],
    ['a qualified column', 'orders.email', ['email -> result: DIRECT/IDENTITY']],
    ['a column without an exact type', 'tags', ['tags -> result: DIRECT/IDENTITY']],
    ['a function', 'lower(trim(email))', ['email -> result: DIRECT/TRANSFORMATION']],
    ['a column in parentheses with a comment', '/* c */ upper(email) -- the end', ['email -> result: DIRECT/TRANSFORMATION']],
    ['two columns', 'amount * id', ['amount -> result: DIRECT/TRANSFORMATION', 'id -> result: DIRECT/TRANSFORMATION']],
    ['a constant', '42', []],
    ['the clock', 'now()', []],
    ['the clock without parentheses', 'current_date', []],
    ['a masking function', 'sha256(email)', ['email -> result: DIRECT/TRANSFORMATION*']],
    ['a masking function deep inside', "upper(md5('salt' || lower(email)))", ['email -> result: DIRECT/TRANSFORMATION*']],
    ['masked and beside it plain', 'md5(email) || status', ['email -> result: DIRECT/TRANSFORMATION*', 'status -> result: DIRECT/TRANSFORMATION']],
    ['masked and plain of one column', 'md5(email) || email', ['email -> result: DIRECT/TRANSFORMATION* DIRECT/TRANSFORMATION']],
    ['a CASE', "CASE WHEN status = 'paid' THEN amount ELSE 0 END", ['status -> result: INDIRECT/CONDITIONAL', 'amount -> result: DIRECT/TRANSFORMATION']],
    ['a CASE of a column', 'CASE status WHEN email THEN 1 END', ['status -> result: INDIRECT/CONDITIONAL', 'email -> result: INDIRECT/CONDITIONAL']],
    ['if()', "if(status = 'x', email, 'none')", ['status -> result: INDIRECT/CONDITIONAL', 'email -> result: DIRECT/TRANSFORMATION']],
    ['a condition that is also a value', "CASE WHEN email <> '' THEN email END", ['email -> result: INDIRECT/CONDITIONAL DIRECT/TRANSFORMATION']],
    [
      'a CASE inside a condition',
      'CASE WHEN CASE WHEN id > 1 THEN true END THEN email END',
      ['id -> result: INDIRECT/CONDITIONAL', 'email -> result: DIRECT/TRANSFORMATION'],
    ],
    ['the arrow of JSON', "data -> '$.a'", ['data -> result: DIRECT/TRANSFORMATION']],
    ['arrows of JSON behind one another', "data -> 'a' -> 'b' ->> 'c'", ['data -> result: DIRECT/TRANSFORMATION']],
    ['the arrow with a column as its path', 'data -> status', ['data -> result: DIRECT/TRANSFORMATION', 'status -> result: DIRECT/TRANSFORMATION']],
    ['the arrow inside a function', "upper(data ->> '$.a') || len(data -> '$.b')", ['data -> result: DIRECT/TRANSFORMATION']],
    ['a lambda, whose parameter is no column', 'len(list_transform([id], lambda email: email + 1))', ['id -> result: DIRECT/TRANSFORMATION']],
    ['a lambda with an arrow', 'len(list_transform([1], x -> x + id))', ['id -> result: DIRECT/TRANSFORMATION']],
    ['a lambda of two parameters', 'list_reduce([id], lambda x, status: x + status)', ['id -> result: DIRECT/TRANSFORMATION']],
    [
      'a lambda in a lambda',
      'len(list_transform([[id]], lambda x: list_transform(x, lambda y: y + len(email))))',
      ['id -> result: DIRECT/TRANSFORMATION', 'email -> result: DIRECT/TRANSFORMATION'],
    ],
    ['a parameter used again outside', 'list_transform([1], lambda id: id)[1] + id', ['id -> result: DIRECT/TRANSFORMATION']],
    [
      'an arrow of JSON as the list',
      "len(list_transform(CAST(data -> 'a' AS INTEGER[]), lambda x: x + id))",
      ['data -> result: DIRECT/TRANSFORMATION', 'id -> result: DIRECT/TRANSFORMATION'],
    ],
    [
      'a list comprehension',
      'len([x + id for x in [1, 2] if x > len(email)])',
      ['email -> result: DIRECT/TRANSFORMATION', 'id -> result: DIRECT/TRANSFORMATION'],
    ],
    ['a struct field', "{'a': email}.a", ['email -> result: DIRECT/TRANSFORMATION']],
    ['a column that has the name of a clock function', 'today', ['today -> result: DIRECT/IDENTITY']],
    [
      'BETWEEN, IN, IS NULL and LIKE',
      "id BETWEEN 1 AND len(status) AND email LIKE '%a' AND amount IN (1, 2)",
      [
        'id -> result: DIRECT/TRANSFORMATION',
        'status -> result: DIRECT/TRANSFORMATION',
        'email -> result: DIRECT/TRANSFORMATION',
        'amount -> result: DIRECT/TRANSFORMATION',
      ],
    ],
    ['a cast', 'CAST(id AS VARCHAR)', ['id -> result: DIRECT/TRANSFORMATION']],
    ['COLLATE', 'email COLLATE NOCASE = status', ['email -> result: DIRECT/TRANSFORMATION', 'status -> result: DIRECT/TRANSFORMATION']],
  ])('%s', async (_, expression, edges) => {
    expect((await edgesOf([map({ result: expression })])).sort()).toEqual([...edges].sort());
  });

  it('keeps the expression as it was written, and the step', async () => {
    const { columns } = await lineageOf([map({ result: ' lower( email ) ' })]);
    expect(columns[0]?.transformations).toEqual([
      { type: 'DIRECT', subtype: 'TRANSFORMATION', expression: ' lower( email ) ', masking: false, step: 'shaped' },
    ]);
  });

  it('reads a column of the name current_date rather than the clock', async () => {
    expect(await edgesOf([map({ result: 'current_date' })], { current_date: 'date' })).toEqual(['current_date -> result: DIRECT/IDENTITY']);
    expect(await edgesOf([map({ result: 'current_date + 1' })], { current_date: 'date' })).toEqual(['current_date -> result: DIRECT/TRANSFORMATION']);
  });

  it('takes a column before the relation of the same name', async () => {
    expect(await edgesOf([map({ result: 'orders' })], { orders: 'text', id: 'integer' })).toEqual(['orders -> result: DIRECT/IDENTITY']);
    expect(await edgesOf([map({ result: 'len(orders)' })], { orders: 'text', id: 'integer' })).toEqual(['orders -> result: DIRECT/TRANSFORMATION']);
  });
});

describe('the lineage of several steps', () => {
  it('lists what changed a value in the order of the steps', async () => {
    const { columns } = await lineageOf([
      map({ email: 'lower(email)' }, 'orders', 'first'),
      map({ email: 'email' }, 'first', 'second'),
      map({ email: 'sha256(email)' }, 'second', 'third'),
    ]);
    expect(columns[0]?.transformations.map(({ expression, step, masking }) => ({ expression, step, masking }))).toEqual([
      { expression: 'lower(email)', step: 'first', masking: false },
      { expression: 'sha256(email)', step: 'third', masking: true },
    ]);
  });

  it('stays IDENTITY through renames, filters and casts of other columns', async () => {
    const steps = [
      map({ a: 'email', n: 'id' }, 'orders', 'first'),
      { id: 'kept', filter: { from: 'first', where: 'n > 1' } },
      { id: 'typed', cast: { from: 'kept', columns: { n: 'BIGINT' } } },
      map({ b: 'a' }, 'typed', 'last'),
    ];
    expect(await edgesOf(steps)).toEqual(['email -> b: DIRECT/IDENTITY']);
  });

  it('keeps a way that is INDIRECT anywhere INDIRECT', async () => {
    const steps = [map({ flag: "CASE WHEN status = 'x' THEN 1 ELSE 0 END" }, 'orders', 'first'), map({ flag: 'flag + 1' }, 'first', 'second')];
    expect(await edgesOf(steps)).toEqual(['status -> flag: INDIRECT/CONDITIONAL']);
    const used = [map({ low: 'lower(status)', email: 'email' }, 'orders', 'first'), map({ email: "CASE WHEN low = 'x' THEN email END" }, 'first', 'second')];
    expect((await edgesOf(used)).sort()).toEqual(['email -> email: DIRECT/TRANSFORMATION', 'status -> email: INDIRECT/CONDITIONAL']);
  });

  it('lets a filter influence the output by every column its condition reads, also ones that are gone', async () => {
    const { influences } = await lineageOf([
      { id: 'kept', filter: { from: 'orders', where: "status <> 'x' AND sha256(email) <> ''" } },
      map({ id: 'id' }, 'kept'),
    ]);
    expect(influences.map(({ from, transformations }) => [from.name, transformations])).toEqual([
      ['status', [{ type: 'INDIRECT', subtype: 'FILTER', expression: "status <> 'x' AND sha256(email) <> ''", masking: false, step: 'kept' }]],
      ['email', [{ type: 'INDIRECT', subtype: 'FILTER', expression: "status <> 'x' AND sha256(email) <> ''", masking: true, step: 'kept' }]],
    ]);
  });

  it('lets a cast influence the output only when it rejects rows', async () => {
    const cast = (onError: string) => [{ id: 'typed', cast: { from: 'orders', columns: { email: 'INTEGER' }, onError } }];
    expect((await lineageOf(cast('fail'))).influences).toEqual([]);
    expect((await lineageOf(cast('null'))).influences).toEqual([]);
    expect((await lineageOf(cast('reject'))).influences).toEqual([
      {
        from: { dataset: { namespace: 'postgres://localhost:5432', name: 'shop.public.orders' }, name: 'email' },
        transformations: [{ type: 'INDIRECT', subtype: 'FILTER', expression: 'CAST(email AS INTEGER)', masking: false, step: 'typed' }],
      },
    ]);
  });

  it('leads a filter on a computed column back to what it was computed from', async () => {
    const { influences } = await lineageOf([map({ id: 'id', total: 'amount * 2' }), { id: 'kept', filter: { from: 'shaped', where: 'total > 1' } }]);
    expect(influences.map(({ from }) => from.name)).toEqual(['amount']);
  });
});
