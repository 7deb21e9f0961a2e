import { describe, expect, it } from '@jest/globals';
import { problemsOf } from '../step-bench.js';

const columns = { id: 'integer', email: 'text', tags: 'text[]', amount: 'numeric', data: 'jsonb' };

const mapOf = (expression: string) => problemsOf(columns, [{ id: 'shaped', map: { from: 'orders', columns: { result: expression } } }]);
const filterOf = (expression: string) => problemsOf(columns, [{ id: 'kept', filter: { from: 'orders', where: expression } }]);

describe('an expression is refused', () => {
  it.each([
    ['a subquery', '(SELECT 1)', 'A subquery cannot stand in an expression: it sees one row at a time.'],
    ['an EXISTS', 'EXISTS (SELECT 1)', 'A subquery cannot stand in an expression: it sees one row at a time.'],
    ['an IN of a subquery', 'id IN (SELECT 1)', 'A subquery cannot stand in an expression: it sees one row at a time.'],
    ['a subquery inside a lambda', 'list_transform([1], lambda x: (SELECT x))', 'A subquery cannot stand in an expression: it sees one row at a time.'],
    ['a star', '*', 'A star cannot stand in an expression: name the columns.'],
    ['a star of a relation', 'orders.*', 'A star cannot stand in an expression: name the columns.'],
    ['COLUMNS()', "COLUMNS('id')", 'A star cannot stand in an expression: name the columns.'],
    ['a star in a function', 'coalesce(*COLUMNS(*))', 'A star cannot stand in an expression: name the columns.'],
    ['an aggregate', 'sum(id)', 'sum() is an aggregate: an expression here sees one row at a time.'],
    ['count(*)', 'count(*)', 'count_star() is an aggregate: an expression here sees one row at a time.'],
    ['a parameter that is not listed', '$name', 'There is no parameter $name. The document has no params.'],
    ['a counted parameter', '$1', 'Parameters are named, not counted: write $name, and list it in params.'],
    ['a question mark', '? + 1', 'Parameters are named, not counted: write $name, and list it in params.'],
    ['a counted column', '#1', 'Columns are named, not counted: #1 is not an expression here.'],
    ['DEFAULT', 'DEFAULT', ''],
  ])('that is %s', async (_, expression, message) => {
    expect(await mapOf(expression)).toEqual([expect.stringContaining(`steps[0].map.columns.result: ${message}`)]);
    expect(await filterOf(expression)).toEqual([expect.stringContaining(`steps[0].filter.where: ${message}`)]);
  });

  it.each([
    ['without PARTITION BY', 'row_number() OVER (ORDER BY id)', 'row_number() OVER needs PARTITION BY'],
    ['of everything', 'sum(id) OVER ()', 'sum() OVER needs PARTITION BY'],
    ['that depends on an order it does not have', 'row_number() OVER (PARTITION BY id)', 'row_number() OVER (PARTITION BY …) needs ORDER BY there'],
    ['inside a window', 'sum(row_number() OVER (PARTITION BY id ORDER BY id)) OVER (PARTITION BY id)', 'A window cannot stand inside another one.'],
    ['that estimates', 'approx_count_distinct(id) OVER (PARTITION BY id)', 'approx_count_distinct() is an estimate'],
  ])('that is a window %s', async (_, expression, message) => {
    expect(await mapOf(expression)).toEqual([expect.stringContaining(`steps[0].map.columns.result: ${message}`)]);
  });

  it('that is a window in a filter, or windows that have nothing in common', async () => {
    expect(await filterOf('sum(id) OVER (PARTITION BY email) > 1')).toEqual([
      'steps[0].filter.where: A window sees several rows and cannot stand here. Put it into a column of a map step before this one.',
    ]);
    const apart = { a: 'sum(id) OVER (PARTITION BY email)', b: 'sum(id) OVER (PARTITION BY id)' };
    expect(await problemsOf(columns, [{ id: 'shaped', map: { from: 'orders', columns: apart } }])).toEqual([
      'steps[0].map.columns: The windows of this step have no PARTITION BY in common, so that each would need all rows. Split it into two map steps.',
    ]);
  });

  it.each([
    ['unnest(tags)'],
    ['unnest([1, 2])'],
    ['range(1)[1] + read_text(email)'],
    [`read_text('/etc/passwd')`],
    [`read_csv('/etc/passwd')`],
    [`read_blob('/etc/passwd')`],
    [`read_parquet('x')`],
    [`glob('/*')`],
    [`getenv('HOME')`],
    [`current_setting('memory_limit')`],
    [`getvariable('x')`],
    ['random()'],
    ['uuid()'],
    ['gen_random_uuid()'],
    ['uuidv7()'],
    [`nextval('s')`],
    [`currval('s')`],
    [`setseed(0.5)`],
    ['txid_current()'],
    ['version()'],
    ['current_user()'],
    ['current_schema()'],
    ['current_database()'],
    ['pg_typeof(id)'],
    [`json_execute_serialized_sql('x')`],
    [`query('SELECT 1')`],
    ['duckdb_secrets()'],
    ['duckdb_settings()'],
    ['pragma_table_info(email)'],
    [`sleep_ms(1000)`],
    ['no_such_function(id)'],
    [`main.lower(email)`.replace('main', 'other')],
    [`system.main.lower(email)`],
    ['wavg(id, id)'],
    ['geomean(id)'],
    ['generate_subscripts([1, 2], 1)'],
    ['json_group_object(email, id)'],
    [`regexp_split_to_table(email, ',')`],
  ])('that calls %s', async (expression) => {
    const [found, ...more] = await mapOf(expression);
    expect(more).toEqual([]);
    expect(found).toMatch(
      /\(\) (looks outside the row|gives another value at every call|gives a table|is named with its schema)|There is no function \w+\(\)|one row|cannot contain aggregates|UNNEST not supported/,
    );
  });

  it('that counts an age to the day of the call', async () => {
    expect(await mapOf(`age(DATE '2000-01-01')`)).toEqual([expect.stringMatching(/Write age\(now\(\), x\)/)]);
  });

  it.each([
    ['two expressions', 'id, id'],
    ['several statements', 'id; SELECT 2'],
    ['a DROP behind it', 'id; DROP TABLE orders'],
    ['ATTACH', `id; ATTACH '/tmp/x.db'`],
    ['COPY', `id; COPY orders TO '/tmp/x'`],
    ['PRAGMA', `id; PRAGMA version`],
    ['a name of its own', 'id AS other'],
    ['a name without AS', 'id other'],
    ['a FROM', 'id FROM orders'],
    ['a FROM and a comment', 'id) FROM x --'],
    ['a WHERE', '1 WHERE true'],
    ['a GROUP BY', '1 GROUP BY 1'],
    ['an ORDER BY', '1 ORDER BY 1'],
    ['a LIMIT', '1 LIMIT 1'],
    ['a UNION', '1 UNION SELECT 2'],
    ['DISTINCT', 'DISTINCT id'],
    ['a comment that is not closed', 'id /*'],
    ['a text that is not closed', `'open`],
    ['a name that is not closed', '"open'],
    ['a dollar quote that is not closed', '$$open'],
    ['a parenthesis too many', 'id)'],
    ['a splice', 'id) + (id'],
    ['a parenthesis too few', '(id'],
    ['nothing', '   '],
    ['only a comment', '-- nothing'],
    ['a statement', 'ATTACH x'],
    ['a NUL', 'id\u0000'],
  ])('that holds %s', async (_, expression) => {
    const [found, ...more] = await mapOf(expression);
    expect(more).toEqual([]);
    expect(found).toMatch(/^steps\[0\]\.map\.columns\.result: .*(is not an expression|is more than one scalar expression|cannot stand in an expression)/s);
    expect(await filterOf(expression)).toHaveLength(1);
  });

  it('that reads a column the relation does not have, and names those it has', async () => {
    expect(await mapOf('customer')).toEqual(['steps[0].map.columns.result: "orders" has no column "customer". It has id, email, tags, amount, data.']);
    expect(await mapOf('orders.customer')).toEqual(['steps[0].map.columns.result: "orders" has no column "customer". It has id, email, tags, amount, data.']);
    expect(await mapOf('other.id')).toEqual(['steps[0].map.columns.result: "orders" has no column "other". It has id, email, tags, amount, data.']);
    expect(await mapOf('_pos')).toEqual([expect.stringContaining('has no column "_pos"')]);
    expect(await mapOf('"_text:email"')).toEqual([expect.stringContaining('has no column "_text:email"')]);
    expect(await mapOf('rowid')).toEqual([expect.stringContaining('has no column "rowid"')]);
  });

  it('that uses a column whose type has no exact form', async () => {
    expect(await mapOf('len(tags)')).toEqual([
      'steps[0].map.columns.result: Column "tags" is of type text[], which has no exact form in expressions. It can be passed through as it is, or read by a cast step from its text.',
    ]);
    expect(await filterOf('amount > 1')).toEqual([expect.stringContaining('Column "amount" is of type numeric, which has no exact form')]);
  });

  it('that does not bind', async () => {
    expect(await mapOf('id + email')).toEqual([expect.stringContaining('steps[0].map.columns.result: ')]);
    expect(await mapOf('lower(id, email)')).toEqual([expect.stringContaining('lower')]);
  });

  it('as a filter when it is neither true nor false', async () => {
    expect(await filterOf('id + 1')).toEqual(['steps[0].filter.where: A filter is true or false; this expression is INTEGER.']);
    expect(await filterOf('email')).toEqual(['steps[0].filter.where: A filter is true or false; this expression is VARCHAR.']);
    expect(await filterOf('amount')).toEqual(['steps[0].filter.where: A filter is true or false; this expression is a column without an exact type.']);
    expect(await filterOf('NULL')).toEqual([expect.stringContaining('A filter is true or false')]);
  });

  it('with every other problem of the document, each with its path', async () => {
    const steps = [
      { id: 'kept', filter: { from: 'orders', where: 'nowhere' } },
      { id: 'shaped', map: { from: 'orders', columns: { a: 'sum(id)', b: '*', 'two words': 'random()' } } },
    ];
    const problems = await problemsOf(columns, [...steps, { id: 'last', map: { from: 'shaped', columns: { a: 'a' } } }].slice(1));
    expect(problems.map((problem) => problem.slice(0, problem.indexOf(': ')))).toEqual([
      'steps[0].map.columns.a',
      'steps[0].map.columns.b',
      'steps[0].map.columns["two words"]',
    ]);
  });
});

describe('the type of a cast is refused', () => {
  const castOf = (type: string) => problemsOf(columns, [{ id: 'typed', cast: { from: 'orders', columns: { email: type } } }]);
  it.each([
    ['a word that is none', 'NOTATYPE'],
    ['two types', 'INTEGER, 2'],
    ['a splice', 'INTEGER) + CAST(1 AS INTEGER'],
    ['a splice with a name', 'INTEGER) AS x --'],
    ['a cast of the cast', 'INTEGER)::VARCHAR --'],
    ['a FROM', 'INTEGER) FROM orders --'],
    ['a subquery', 'INTEGER) + (SELECT 1'],
    ['a comment that is not closed', 'INTEGER /*'],
    ['a text with a length', 'VARCHAR(10)'],
  ])('when it is %s', async (_, type) => {
    expect(await castOf(type)).toEqual([expect.stringContaining('steps[0].cast.columns.email: ')]);
  });

  it('when the column is unknown or listed twice', async () => {
    const steps = (casts: Record<string, string>) => [{ id: 'typed', cast: { from: 'orders', columns: casts } }];
    expect(await problemsOf(columns, steps({ nowhere: 'INTEGER' }))).toEqual(['steps[0].cast.columns.nowhere: "orders" has no column "nowhere".']);
    expect(await problemsOf(columns, steps({ id: 'BIGINT', ID: 'BIGINT' }))).toEqual([expect.stringContaining('This column is listed twice.')]);
  });
});
