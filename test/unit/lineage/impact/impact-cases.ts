import type { Change, ImpactCode, Severity } from '../../../../src/model/impact.js';
import { datasetOf, type JobDocument, type TableDocument } from './impact-shop.js';

/** One thing that somebody might do, and what must be said of the jobs downstream. */
export interface ImpactCase {
  readonly name: string;
  readonly tables?: Readonly<Record<string, TableDocument>>;
  readonly jobs: readonly JobDocument[];
  readonly change: Change;
  /** Documents that are saved anew: then they are the change. */
  readonly anew?: readonly JobDocument[];
  /** By name of the job; what is not said here is not looked at. */
  readonly expect: Readonly<Record<string, readonly [Severity, ImpactCode] | null>>;
  /** By column of an output, `stream.column`; null: not affected. */
  readonly columns?: Readonly<Record<string, ImpactCode | null>>;
}

export const source: Readonly<Record<string, TableDocument>> = {
  'public.orders': {
    id: 'integer!',
    customer_id: 'integer',
    status: 'integer',
    amount: 'numeric(10,2)',
    note: 'character varying(20)',
    placed_at: 'timestamp without time zone',
    updated_at: 'timestamp without time zone',
    flag: 'boolean',
    tags: 'integer[]',
    price: 'money',
  },
  'public.customers': { id: 'integer!', name: 'text', email: 'character varying(100)', country: 'text' },
};

type Columns = Readonly<Record<string, string>>;
type Step = Readonly<Record<string, unknown>> & { readonly id: string };

const stream = (name: string) => ({ connection: 'shop', stream: name });

/** A job over `public.orders` (as orders) and `public.customers` (as customers) where the steps name it. */
export function job(steps: readonly Step[], load: Readonly<Record<string, unknown>> = { mode: 'append' }, to = 'mart.out', name = 'report'): JobDocument {
  const text = JSON.stringify(steps);
  const inputs = {
    ...(steps.length === 0 || text.includes('"orders"') ? { orders: stream('public.orders') } : {}),
    ...(text.includes('"customers"') ? { customers: stream('public.customers') } : {}),
  };
  return { name, inputs, steps, outputs: [{ from: steps.at(-1)?.id ?? 'orders', ...stream(to), load }] };
}

export const map = (columns: Columns, from = 'orders', id = 'shaped'): Step => ({ id, map: { from, columns } });
export const filter = (where: string, from = 'orders', id = 'kept'): Step => ({ id, filter: { from, where } });
// A star stands in none of them, since it is refused in every expression; steps that hand on all their columns (filter, cast, union, no step at all) are what it would be.
export const cast = (columns: Columns, onError = 'fail', from = 'orders', id = 'typed'): Step => ({ id, cast: { from, columns, onError } });
const join = (columns: Columns, on = 'orders.customer_id = customers.id', kind = 'left'): Step => ({
  id: 'joined',
  join: { left: 'orders', right: 'customers', kind, on, columns },
});
export const aggregate = (groupBy: readonly string[], columns: Columns, from = 'orders'): Step => ({ id: 'summed', aggregate: { from, groupBy, columns } });

const circleTables: ImpactCase['tables'] = { 'mart.a': { id: 'integer', note: 'text' }, 'mart.b': { id: 'integer', note: 'text' } };

/** Two jobs that feed one another, and one that feeds them with these columns. */
function circle(columns: Columns): JobDocument[] {
  const handOn = map({ id: 'id', note: 'note' }, 'before');
  return [next([handOn], 'mart.a', 'mart.b', 'there'), next([handOn], 'mart.b', 'mart.a', 'back'), job([map(columns)], undefined, 'mart.a', 'feed')];
}

/** A second job that reads what the first one made. */
export function next(steps: readonly Step[], from = 'mart.out', to = 'mart.next', name = 'next'): JobDocument {
  return { name, inputs: { before: stream(from) }, steps, outputs: [{ from: steps.at(-1)?.id ?? 'before', ...stream(to), load: { mode: 'append' } }] };
}

const column = (name: string, dataset = 'public.orders') => ({ namespace: datasetOf(dataset).namespace, dataset: datasetOf(dataset).name, name });
export const drop = (name: string, dataset?: string): Change => ({ kind: 'dropColumn', column: column(name, dataset) });
export const rename = (name: string, to: string, dataset?: string): Change => ({ kind: 'renameColumn', column: column(name, dataset), to });
export const retype = (name: string, to: string, dataset?: string): Change => ({ kind: 'retypeColumn', column: column(name, dataset), to });
export const dropTable = (dataset: string): Change => ({ kind: 'dropDataset', dataset: datasetOf(dataset) });

const upsert = { mode: 'upsert', key: ['id'] };
const everything: TableDocument = { ...source['public.orders'] };

export const dropCases: readonly ImpactCase[] = [
  { name: 'drop: not used by a map', jobs: [job([map({ id: 'id' })])], change: drop('note'), expect: { report: ['NONE', 'NOT_USED'] } },
  {
    name: 'drop: not used by a filter over a map',
    jobs: [job([map({ id: 'id' }), filter('id > 1', 'shaped')])],
    change: drop('note'),
    expect: { report: ['NONE', 'NOT_USED'] },
  },
  { name: 'drop: identity', jobs: [job([map({ id: 'id', note: 'note' })])], change: drop('note'), expect: { report: ['BREAKS', 'COLUMN_READ'] } },
  { name: 'drop: expression', jobs: [job([map({ id: 'id', loud: 'upper(note)' })])], change: drop('note'), expect: { report: ['BREAKS', 'COLUMN_READ'] } },
  {
    name: 'drop: filter',
    jobs: [job([filter('status = 5'), map({ id: 'id' }, 'kept')])],
    change: drop('status'),
    expect: { report: ['BREAKS', 'FILTER_INPUT'] },
  },
  {
    name: 'drop: CASE condition',
    jobs: [job([map({ id: 'id', open: `CASE WHEN status = 1 THEN 'y' ELSE 'n' END` })])],
    change: drop('status'),
    expect: { report: ['BREAKS', 'COLUMN_READ'] },
  },
  {
    name: 'drop: CASE branch',
    jobs: [job([map({ id: 'id', t: 'CASE WHEN flag THEN note END' })])],
    change: drop('note'),
    expect: { report: ['BREAKS', 'COLUMN_READ'] },
  },
  {
    name: 'drop: cast step',
    jobs: [job([cast({ note: 'INTEGER' }), map({ note: 'note' }, 'typed')])],
    change: drop('note'),
    expect: { report: ['BREAKS', 'COLUMN_READ'] },
  },
  {
    name: 'drop: rejecting cast',
    jobs: [job([cast({ note: 'INTEGER' }, 'reject'), map({ id: 'id' }, 'typed')])],
    change: drop('note'),
    expect: { report: ['BREAKS', 'FILTER_INPUT'] },
  },
  {
    name: 'drop: join key, left',
    jobs: [job([join({ id: 'orders.id', name: 'customers.name' })])],
    change: drop('customer_id'),
    expect: { report: ['BREAKS', 'JOIN_KEY'] },
  },
  {
    name: 'drop: join key, right',
    jobs: [job([join({ id: 'orders.id', name: 'customers.name' })])],
    change: drop('id', 'public.customers'),
    expect: { report: ['BREAKS', 'JOIN_KEY'] },
  },
  {
    name: 'drop: joined value',
    jobs: [job([join({ id: 'orders.id', name: 'customers.name' })])],
    change: drop('name', 'public.customers'),
    expect: { report: ['BREAKS', 'COLUMN_READ'] },
  },
  {
    name: 'drop: unused side of a join',
    jobs: [job([join({ id: 'orders.id' })])],
    change: drop('country', 'public.customers'),
    expect: { report: ['NONE', 'NOT_USED'] },
  },
  {
    name: 'drop: semi join key',
    jobs: [job([join({ id: 'orders.id' }, 'orders.customer_id = customers.id', 'semi')])],
    change: drop('customer_id'),
    expect: { report: ['BREAKS', 'JOIN_KEY'] },
  },
  { name: 'drop: group key', jobs: [job([aggregate(['status'], { n: 'count(*)' })])], change: drop('status'), expect: { report: ['BREAKS', 'GROUP_KEY'] } },
  {
    name: 'drop: aggregated',
    jobs: [job([aggregate(['status'], { total: 'sum(amount)' })])],
    change: drop('amount'),
    expect: { report: ['BREAKS', 'COLUMN_READ'] },
  },
  {
    name: 'drop: beside an aggregate',
    jobs: [job([aggregate(['status'], { total: 'sum(amount)' })])],
    change: drop('note'),
    expect: { report: ['NONE', 'NOT_USED'] },
  },
  {
    name: 'drop: window partition',
    jobs: [job([map({ id: 'id', n: 'row_number() OVER (PARTITION BY customer_id ORDER BY id)' })])],
    change: drop('customer_id'),
    expect: { report: ['BREAKS', 'WINDOW_INPUT'] },
  },
  {
    name: 'drop: window order',
    jobs: [job([map({ id: 'id', n: 'row_number() OVER (PARTITION BY customer_id ORDER BY placed_at)' })])],
    change: drop('placed_at'),
    expect: { report: ['BREAKS', 'WINDOW_INPUT'] },
  },
  {
    name: 'drop: dedupe order',
    jobs: [job([{ id: 'once', dedupe: { from: 'orders', key: ['id'], orderBy: 'updated_at' } }, map({ id: 'id' }, 'once')])],
    change: drop('updated_at'),
    expect: { report: ['BREAKS', 'SORT_KEY'] },
  },
  {
    name: 'drop: dedupe key',
    jobs: [job([{ id: 'once', dedupe: { from: 'orders', key: ['customer_id'], orderBy: 'updated_at' } }, map({ id: 'id' }, 'once')])],
    change: drop('customer_id'),
    expect: { report: ['BREAKS', 'GROUP_KEY'] },
  },
  { name: 'drop: load key', jobs: [job([map({ id: 'id', note: 'note' })], upsert)], change: drop('id'), expect: { report: ['BREAKS', 'LOAD_KEY'] } },
  { name: 'drop: load key of a pass-through', jobs: [job([], upsert)], change: drop('id'), expect: { report: ['BREAKS', 'LOAD_KEY'] } },
  {
    name: 'drop: load order',
    jobs: [job([map({ id: 'id', at: 'updated_at' })], { ...upsert, orderBy: 'at' })],
    change: drop('updated_at'),
    expect: { report: ['BREAKS', 'SORT_KEY'] },
  },
  {
    name: 'drop: cursor',
    jobs: [{ ...job([map({ id: 'id' })], upsert), inputs: { orders: { ...stream('public.orders'), incremental: { cursor: 'updated_at' } } } }],
    change: drop('updated_at'),
    expect: { report: ['BREAKS', 'CURSOR'] },
  },
  {
    name: 'drop: recompute key',
    jobs: [
      {
        ...job([aggregate(['customer_id'], { n: 'count(*)' })], { mode: 'upsert', key: ['customer_id'] }),
        inputs: { orders: { ...stream('public.orders'), incremental: { cursor: 'updated_at' }, recompute: { by: ['customer_id'] } } },
      },
    ],
    change: drop('customer_id'),
    expect: { report: ['BREAKS', 'RECOMPUTE_KEY'] },
  },
  {
    name: 'drop: union, one side',
    jobs: [
      job([map({ k: 'id', t: 'note' }, 'orders', 'one'), map({ k: 'id', t: 'name' }, 'customers', 'two'), { id: 'both', union: { from: ['one', 'two'] } }]),
    ],
    change: drop('name', 'public.customers'),
    expect: { report: ['BREAKS', 'COLUMN_READ'] },
  },
  {
    name: 'drop: union, unused',
    jobs: [job([map({ k: 'id' }, 'orders', 'one'), map({ k: 'id' }, 'customers', 'two'), { id: 'both', union: { from: ['one', 'two'] } }])],
    change: drop('name', 'public.customers'),
    expect: { report: ['NONE', 'NOT_USED'] },
  },
  {
    name: 'drop: dead computed column',
    jobs: [job([map({ id: 'id', dead: 'upper(note)' }), map({ id: 'id' }, 'shaped', 'last')])],
    change: drop('note'),
    expect: { report: ['BREAKS', 'COLUMN_READ'] },
  },
  {
    name: 'drop: pass-through to a table to be made',
    jobs: [job([])],
    change: drop('note'),
    expect: { report: ['CHANGES_VALUES', 'OUTPUT_SCHEMA'] },
    columns: { 'mart.out.note': 'COLUMN_GONE', 'mart.out.id': null },
  },
  {
    name: 'drop: pass-through to a table that is there',
    tables: { 'mart.out': everything },
    jobs: [job([])],
    change: drop('note'),
    expect: { report: ['CHANGES_VALUES', 'TURNS_NULL'] },
    columns: { 'mart.out.note': 'TURNS_NULL' },
  },
  {
    name: 'drop: pass-through to a required column',
    tables: { 'mart.out': { ...everything, note: 'character varying(20)!' } },
    jobs: [job([])],
    change: drop('note'),
    expect: { report: ['BREAKS', 'DESTINATION_MISMATCH'] },
  },
  {
    name: 'drop: pass-through of a text-only type',
    tables: { 'mart.out': everything },
    jobs: [job([])],
    change: drop('tags'),
    expect: { report: ['CHANGES_VALUES', 'TURNS_NULL'] },
  },
  {
    name: 'drop: two pipelines away, the first breaks',
    jobs: [job([map({ id: 'id', note: 'note' })]), next([map({ id: 'id' }, 'before')])],
    change: drop('note'),
    expect: { report: ['BREAKS', 'COLUMN_READ'], next: ['STALE', 'UPSTREAM_BREAKS'] },
  },
  {
    name: 'drop: three pipelines away, the first breaks',
    jobs: [job([map({ id: 'id', note: 'note' })]), next([map({ id: 'id' }, 'before')]), next([map({ id: 'id' }, 'before')], 'mart.next', 'mart.last', 'last')],
    change: drop('note'),
    expect: { next: ['STALE', 'UPSTREAM_BREAKS'], last: ['STALE', 'UPSTREAM_BREAKS'] },
  },
  {
    name: 'drop: two pipelines away, behind a pass-through to be made',
    jobs: [job([]), next([map({ n: 'note' }, 'before')])],
    change: drop('note'),
    expect: { report: ['CHANGES_VALUES', 'OUTPUT_SCHEMA'], next: ['BREAKS', 'COLUMN_READ'] },
  },
  {
    name: 'drop: two pipelines away, not used there',
    jobs: [job([]), next([map({ id: 'id' }, 'before')])],
    change: drop('note'),
    expect: { report: ['CHANGES_VALUES', 'OUTPUT_SCHEMA'], next: ['NONE', 'NOT_USED'] },
  },
  {
    name: 'drop: two pipelines away, the column turns NULL and is read',
    tables: { 'mart.out': everything },
    jobs: [job([]), next([map({ n: 'upper(note)' }, 'before')])],
    change: drop('note'),
    expect: { report: ['CHANGES_VALUES', 'TURNS_NULL'], next: ['CHANGES_VALUES', 'NULL_READ'] },
    columns: { 'mart.next.n': 'VALUES_CHANGED' },
  },
  {
    name: 'drop: NULLs that a filter reads change all rows',
    tables: { 'mart.out': everything },
    jobs: [job([]), next([filter(`note = 'a'`, 'before'), map({ id: 'id' }, 'kept')]), next([map({ id: 'id' }, 'before')], 'mart.next', 'mart.last', 'last')],
    change: drop('note'),
    expect: { next: ['CHANGES_VALUES', 'NULL_READ'], last: ['CHANGES_VALUES', 'VALUES_READ'] },
  },
  {
    name: 'drop: unaffected job first, others not reached',
    jobs: [job([map({ id: 'id' })]), next([map({ id: 'id' }, 'before')])],
    change: drop('note'),
    expect: { report: ['NONE', 'NOT_USED'], next: null },
  },
  {
    name: 'drop: the job that writes the table',
    tables: { 'mart.out': { id: 'integer!', note: 'character varying(20)' } },
    jobs: [job([map({ id: 'id', note: 'note' })])],
    change: drop('note', 'mart.out'),
    expect: { report: ['BREAKS', 'DESTINATION_MISMATCH'] },
  },
  {
    name: 'drop: a column that the writer leaves alone',
    tables: { 'mart.out': { id: 'integer!', note: 'text' } },
    jobs: [job([map({ id: 'id' })])],
    change: drop('note', 'mart.out'),
    expect: { report: ['NONE', 'NOT_USED'] },
  },
  {
    name: 'drop dataset: read',
    jobs: [job([map({ id: 'id' })]), next([map({ id: 'id' }, 'before')])],
    change: dropTable('public.orders'),
    expect: { report: ['BREAKS', 'DATASET_GONE'], next: ['STALE', 'UPSTREAM_BREAKS'] },
  },
  {
    name: 'drop dataset: right side of a join',
    jobs: [job([join({ id: 'orders.id' })])],
    change: dropTable('public.customers'),
    expect: { report: ['BREAKS', 'DATASET_GONE'] },
  },
  {
    name: 'drop dataset: what a job makes',
    tables: { 'mart.out': { id: 'integer!' } },
    jobs: [job([map({ id: 'id' })]), next([map({ id: 'id' }, 'before')])],
    change: dropTable('mart.out'),
    expect: { report: ['CHANGES_VALUES', 'TABLE_MADE_ANEW'], next: ['BREAKS', 'DATASET_GONE'] },
  },
  {
    name: 'drop: diamond, one side breaks',
    jobs: [
      job([map({ id: 'id', note: 'note' })], undefined, 'mart.a', 'a'),
      job([map({ id: 'id' })], undefined, 'mart.b', 'b'),
      {
        name: 'both',
        inputs: { a: stream('mart.a'), b: stream('mart.b') },
        steps: [{ id: 'j', join: { left: 'a', right: 'b', kind: 'inner', on: 'a.id = b.id', columns: { id: 'a.id' } } }],
        outputs: [{ from: 'j', ...stream('mart.both'), load: { mode: 'append' } }],
      },
    ],
    change: drop('note'),
    expect: { a: ['BREAKS', 'COLUMN_READ'], b: ['NONE', 'NOT_USED'], both: ['STALE', 'UPSTREAM_BREAKS'] },
  },
  {
    name: 'drop: cycle of two jobs',
    tables: circleTables,
    jobs: circle({ id: 'id', note: 'note' }),
    change: drop('note'),
    expect: { feed: ['BREAKS', 'COLUMN_READ'], there: ['STALE', 'UPSTREAM_BREAKS'], back: ['STALE', 'UPSTREAM_BREAKS'] },
  },
  {
    name: 'drop: values go round a cycle',
    tables: { 'mart.a': everything, 'mart.b': { id: 'integer', note: 'text' } },
    jobs: [
      job([], undefined, 'mart.a', 'feed'),
      next([map({ id: 'id', note: 'note' }, 'before')], 'mart.a', 'mart.b', 'there'),
      next([map({ id: 'id', note: 'CAST(note AS VARCHAR)' }, 'before')], 'mart.b', 'mart.c', 'on'),
    ],
    change: drop('note'),
    expect: { feed: ['CHANGES_VALUES', 'TURNS_NULL'], there: ['CHANGES_VALUES', 'NULL_READ'], on: ['CHANGES_VALUES', 'VALUES_READ'] },
  },
];

export const renameCases: readonly ImpactCase[] = [
  { name: 'rename: not used', jobs: [job([map({ id: 'id' })])], change: rename('note', 'remark'), expect: { report: ['NONE', 'NOT_USED'] } },
  { name: 'rename: identity', jobs: [job([map({ note: 'note' })])], change: rename('note', 'remark'), expect: { report: ['BREAKS', 'COLUMN_READ'] } },
  {
    name: 'rename: filter',
    jobs: [job([filter('status = 5'), map({ id: 'id' }, 'kept')])],
    change: rename('status', 'state'),
    expect: { report: ['BREAKS', 'FILTER_INPUT'] },
  },
  {
    name: 'rename: join key',
    jobs: [job([join({ id: 'orders.id' })])],
    change: rename('customer_id', 'client_id'),
    expect: { report: ['BREAKS', 'JOIN_KEY'] },
  },
  {
    name: 'rename: group key',
    jobs: [job([aggregate(['status'], { n: 'count(*)' })])],
    change: rename('status', 'state'),
    expect: { report: ['BREAKS', 'GROUP_KEY'] },
  },
  {
    name: 'rename: pass-through to a table to be made',
    jobs: [job([])],
    change: rename('note', 'remark'),
    expect: { report: ['CHANGES_VALUES', 'OUTPUT_SCHEMA'] },
    columns: { 'mart.out.note': 'COLUMN_GONE' },
  },
  {
    name: 'rename: pass-through to a table that is there',
    tables: { 'mart.out': everything },
    jobs: [job([])],
    change: rename('note', 'remark'),
    expect: { report: ['BREAKS', 'DESTINATION_MISMATCH'] },
  },
  {
    name: 'rename: two pipelines away',
    jobs: [job([]), next([map({ n: 'note' }, 'before')])],
    change: rename('note', 'remark'),
    expect: { next: ['BREAKS', 'COLUMN_READ'] },
  },
  {
    name: 'rename: two pipelines away, not used',
    jobs: [job([]), next([map({ id: 'id' }, 'before')])],
    change: rename('note', 'remark'),
    expect: { next: ['NONE', 'NOT_USED'] },
  },
  {
    name: 'rename: a new column meets a table that is there, two pipelines away',
    tables: { 'mart.next': everything },
    jobs: [job([]), next([])],
    change: rename('note', 'remark'),
    expect: { report: ['CHANGES_VALUES', 'OUTPUT_SCHEMA'], next: ['BREAKS', 'DESTINATION_MISMATCH'] },
  },
  {
    name: 'rename: expression',
    jobs: [job([map({ id: 'id', loud: 'upper(note)' })])],
    change: rename('note', 'remark'),
    expect: { report: ['BREAKS', 'COLUMN_READ'] },
  },
  {
    name: 'rename: beside an expression',
    jobs: [job([map({ id: 'id', loud: 'upper(note)' })])],
    change: rename('status', 'state'),
    expect: { report: ['NONE', 'NOT_USED'] },
  },
  {
    name: 'rename: cast step',
    jobs: [job([cast({ note: 'INTEGER' }), map({ note: 'note' }, 'typed')])],
    change: rename('note', 'remark'),
    expect: { report: ['BREAKS', 'COLUMN_READ'] },
  },
  {
    name: 'rename: rejecting cast',
    jobs: [job([cast({ note: 'INTEGER' }, 'reject'), map({ id: 'id' }, 'typed')])],
    change: rename('note', 'remark'),
    expect: { report: ['BREAKS', 'FILTER_INPUT'] },
  },
  {
    name: 'rename: written cast',
    jobs: [job([map({ id: 'id', n: 'CAST(status AS VARCHAR)' })])],
    change: rename('status', 'state'),
    expect: { report: ['BREAKS', 'COLUMN_READ'] },
  },
  {
    name: 'rename: handed on by a cast step to a table to be made',
    jobs: [job([cast({ status: 'VARCHAR' })])],
    change: rename('note', 'remark'),
    expect: { report: ['CHANGES_VALUES', 'OUTPUT_SCHEMA'] },
    columns: { 'mart.out.note': 'COLUMN_GONE', 'mart.out.status': null },
  },
  {
    name: 'rename: window partition',
    jobs: [job([map({ id: 'id', n: 'row_number() OVER (PARTITION BY customer_id ORDER BY id)' })])],
    change: rename('customer_id', 'client_id'),
    expect: { report: ['BREAKS', 'WINDOW_INPUT'] },
  },
  {
    name: 'rename: window order',
    jobs: [job([map({ id: 'id', n: 'row_number() OVER (PARTITION BY customer_id ORDER BY placed_at)' })])],
    change: rename('placed_at', 'ordered_at'),
    expect: { report: ['BREAKS', 'WINDOW_INPUT'] },
  },
  {
    name: 'rename: beside a window',
    jobs: [job([map({ id: 'id', n: 'row_number() OVER (PARTITION BY customer_id ORDER BY id)' })])],
    change: rename('placed_at', 'ordered_at'),
    expect: { report: ['NONE', 'NOT_USED'] },
  },
  {
    name: 'rename: CASE condition',
    jobs: [job([map({ id: 'id', open: `CASE WHEN status = 1 THEN 'y' ELSE 'n' END` })])],
    change: rename('status', 'state'),
    expect: { report: ['BREAKS', 'COLUMN_READ'] },
  },
  {
    name: 'rename: CASE branch',
    jobs: [job([map({ id: 'id', t: 'CASE WHEN flag THEN note END' })])],
    change: rename('note', 'remark'),
    expect: { report: ['BREAKS', 'COLUMN_READ'] },
  },
  {
    name: 'rename: what feeds a cycle breaks',
    tables: circleTables,
    jobs: circle({ id: 'id', note: 'note' }),
    change: rename('note', 'remark'),
    expect: { feed: ['BREAKS', 'COLUMN_READ'], there: ['STALE', 'UPSTREAM_BREAKS'], back: ['STALE', 'UPSTREAM_BREAKS'] },
  },
  {
    name: 'rename: not used by what feeds a cycle',
    tables: circleTables,
    jobs: circle({ id: 'id', note: 'note' }),
    change: rename('status', 'state'),
    expect: { feed: ['NONE', 'NOT_USED'], there: null, back: null },
  },
  {
    name: 'rename: within a cycle',
    tables: circleTables,
    jobs: circle({ id: 'id', note: 'note' }),
    change: rename('note', 'remark', 'mart.b'),
    expect: { feed: null, there: ['BREAKS', 'DESTINATION_MISMATCH'], back: ['BREAKS', 'COLUMN_READ'] },
  },
];

export const retypeCases: readonly ImpactCase[] = [
  { name: 'retype: not used', jobs: [job([map({ id: 'id' })])], change: retype('note', 'integer'), expect: { report: ['NONE', 'NOT_USED'] } },
  {
    name: 'retype: exact, compared',
    jobs: [job([filter('status = 5'), map({ id: 'id' }, 'kept')])],
    change: retype('status', 'bigint'),
    expect: { report: ['NONE', 'SAME_VALUES'] },
  },
  {
    name: 'retype: implicit cast in a filter',
    jobs: [job([filter('status = 5'), map({ id: 'id' }, 'kept')])],
    change: retype('status', 'character varying'),
    expect: { report: ['CHANGES_VALUES', 'IMPLICIT_CAST'] },
  },
  {
    name: 'retype: implicit cast in a CASE',
    jobs: [job([map({ id: 'id', o: `CASE WHEN flag THEN 'y' ELSE 'n' END` })])],
    change: retype('flag', 'text'),
    expect: { report: ['CHANGES_VALUES', 'IMPLICIT_CAST'] },
  },
  {
    name: 'retype: a join key that can no longer be matched',
    jobs: [job([join({ id: 'orders.id' })])],
    change: retype('customer_id', 'text'),
    expect: { report: ['BREAKS', 'TYPE_MISMATCH'] },
  },
  {
    name: 'retype: implicit cast by concatenation',
    jobs: [job([map({ t: `note || '!'` })])],
    change: retype('note', 'integer'),
    expect: { report: ['CHANGES_VALUES', 'IMPLICIT_CAST'] },
  },
  {
    name: 'retype: arithmetic over a text',
    jobs: [job([map({ t: 'status + 1' })])],
    change: retype('status', 'text'),
    expect: { report: ['BREAKS', 'TYPE_MISMATCH'] },
  },
  {
    name: 'retype: a text function over a number',
    jobs: [job([map({ t: 'lower(note)' })])],
    change: retype('note', 'integer'),
    expect: { report: ['BREAKS', 'TYPE_MISMATCH'] },
  },
  {
    name: 'retype: a type without exact values in an expression',
    jobs: [job([map({ t: 'amount * 2' })])],
    change: retype('amount', 'numeric'),
    expect: { report: ['BREAKS', 'TYPE_MISMATCH'] },
  },
  {
    name: 'retype: summed text',
    jobs: [job([aggregate(['status'], { t: 'sum(amount)' })])],
    change: retype('amount', 'text'),
    expect: { report: ['BREAKS', 'TYPE_MISMATCH'] },
  },
  {
    name: 'retype: cast step',
    jobs: [job([cast({ note: 'INTEGER' }), map({ note: 'note' }, 'typed')])],
    change: retype('note', 'integer'),
    expect: { report: ['CHANGES_VALUES', 'CAST_SOURCE'] },
  },
  {
    name: 'retype: written cast',
    jobs: [job([map({ n: 'CAST(status AS VARCHAR)' })])],
    change: retype('status', 'text'),
    expect: { report: ['CHANGES_VALUES', 'CAST_SOURCE'] },
  },
  {
    name: 'retype: cast from the text of a type without values',
    jobs: [job([cast({ price: 'VARCHAR' }), map({ price: 'price' }, 'typed')])],
    change: retype('price', 'text'),
    expect: { report: ['CHANGES_VALUES', 'CAST_SOURCE'] },
  },
  {
    name: 'retype: exact, written cast',
    jobs: [job([map({ n: 'CAST(status AS VARCHAR)' })])],
    change: retype('status', 'bigint'),
    expect: { report: ['NONE', 'SAME_VALUES'] },
  },
  {
    name: 'retype: exact, but the width is looked at',
    jobs: [job([map({ n: 'hash(status)' })])],
    change: retype('status', 'bigint'),
    expect: { report: ['CHANGES_VALUES', 'TYPE_READ'] },
  },
  {
    name: 'retype: exact text in an expression',
    jobs: [job([map({ n: 'upper(note)' })])],
    change: retype('note', 'text'),
    expect: { report: ['NONE', 'SAME_VALUES'] },
  },
  {
    name: 'retype: exact, identity to a table to be made',
    jobs: [job([map({ note: 'note' })])],
    change: retype('note', 'text'),
    expect: { report: ['CHANGES_VALUES', 'OUTPUT_SCHEMA'] },
    columns: { 'mart.out.note': 'TYPE_CHANGED' },
  },
  {
    name: 'retype: exact, identity to a wider table',
    tables: { 'mart.out': { note: 'text' } },
    jobs: [job([map({ note: 'note' })])],
    change: retype('note', 'character varying(50)'),
    expect: { report: ['NONE', 'SAME_VALUES'] },
  },
  {
    name: 'retype: wider than the table',
    tables: { 'mart.out': { note: 'character varying(20)' } },
    jobs: [job([map({ note: 'note' })])],
    change: retype('note', 'text'),
    expect: { report: ['BREAKS', 'DESTINATION_MISMATCH'] },
  },
  {
    name: 'retype: more digits than the table',
    tables: { 'mart.out': { amount: 'numeric(10,2)' } },
    jobs: [job([map({ amount: 'amount' })])],
    change: retype('amount', 'numeric(12,2)'),
    expect: { report: ['BREAKS', 'DESTINATION_MISMATCH'] },
  },
  {
    name: 'retype: more digits, table has room',
    tables: { 'mart.out': { amount: 'numeric(20,2)' } },
    jobs: [job([map({ amount: 'amount' })])],
    change: retype('amount', 'numeric(12,2)'),
    expect: { report: ['NONE', 'SAME_VALUES'] },
  },
  {
    name: 'retype: other scale, table without bounds',
    tables: { 'mart.out': { amount: 'numeric' } },
    jobs: [job([map({ amount: 'amount' })])],
    change: retype('amount', 'numeric(12,4)'),
    expect: { report: ['CHANGES_VALUES', 'TYPE_READ'] },
  },
  {
    name: 'retype: passed through into text',
    tables: { 'mart.out': { placed_at: 'text' } },
    jobs: [job([map({ placed_at: 'placed_at' })])],
    change: retype('placed_at', 'date'),
    expect: { report: ['CHANGES_VALUES', 'TYPE_READ'] },
  },
  {
    name: 'retype: pass-through of a text-only type',
    tables: { 'mart.out': { tags: 'integer[]' } },
    jobs: [job([map({ tags: 'tags' })])],
    change: retype('tags', 'bigint[]'),
    expect: { report: ['BREAKS', 'DESTINATION_MISMATCH'] },
  },
  {
    name: 'retype: sum of a wider integer keeps its type',
    jobs: [job([aggregate(['customer_id'], { n: 'CAST(sum(status) AS BIGINT)' })])],
    change: retype('status', 'bigint'),
    expect: { report: ['NONE', 'SAME_VALUES'] },
  },
  {
    name: 'retype: an output column widens with it',
    jobs: [job([map({ n: 'status + 1' })]), next([map({ m: 'CAST(n AS VARCHAR)' }, 'before')])],
    change: retype('status', 'bigint'),
    expect: { report: ['CHANGES_VALUES', 'OUTPUT_SCHEMA'], next: ['NONE', 'SAME_VALUES'] },
  },
  {
    name: 'retype: an output column widens into a narrow table',
    tables: { 'mart.out': { n: 'integer' } },
    jobs: [job([map({ n: 'status + 1' })])],
    change: retype('status', 'bigint'),
    expect: { report: ['BREAKS', 'DESTINATION_MISMATCH'] },
  },
  {
    name: 'retype: group key becomes a text',
    jobs: [job([aggregate(['status'], { n: 'count(*)' })])],
    change: retype('status', 'text'),
    expect: { report: ['CHANGES_VALUES', 'TYPE_READ'] },
  },
  {
    name: 'retype: window order becomes a text',
    jobs: [job([map({ id: 'id', n: 'row_number() OVER (PARTITION BY customer_id ORDER BY status)' })])],
    change: retype('status', 'text'),
    expect: { report: ['CHANGES_VALUES', 'TYPE_READ'] },
  },
  {
    name: 'retype: window partition widens exactly',
    jobs: [job([map({ id: 'id', n: 'row_number() OVER (PARTITION BY customer_id ORDER BY id)' })])],
    change: retype('customer_id', 'bigint'),
    expect: { report: ['NONE', 'SAME_VALUES'] },
  },
  {
    name: 'retype: cursor that can be none',
    jobs: [{ ...job([map({ id: 'id' })], upsert), inputs: { orders: { ...stream('public.orders'), incremental: { cursor: 'updated_at' } } } }],
    change: retype('updated_at', 'boolean'),
    expect: { report: ['BREAKS', 'TYPE_MISMATCH'] },
  },
  {
    name: 'retype: two pipelines away, implicit cast there',
    jobs: [job([map({ s: 'status' })]), next([filter('s = 5', 'before')])],
    change: retype('status', 'text'),
    expect: { report: ['CHANGES_VALUES', 'OUTPUT_SCHEMA'], next: ['CHANGES_VALUES', 'IMPLICIT_CAST'] },
  },
  {
    name: 'retype: two pipelines away, does not bind there',
    jobs: [job([map({ s: 'status' })]), next([map({ t: 's + 1' }, 'before')])],
    change: retype('status', 'text'),
    expect: { report: ['CHANGES_VALUES', 'OUTPUT_SCHEMA'], next: ['BREAKS', 'TYPE_MISMATCH'] },
  },
  {
    name: 'retype: three pipelines away',
    jobs: [job([map({ s: 'status' })]), next([map({ s: 's' }, 'before')]), next([map({ t: 's + 1' }, 'before')], 'mart.next', 'mart.last', 'last')],
    change: retype('status', 'text'),
    expect: { last: ['BREAKS', 'TYPE_MISMATCH'] },
  },
  {
    name: 'retype: the table that a job writes is too narrow',
    tables: { 'mart.out': { id: 'bigint' } },
    jobs: [job([map({ id: 'id' })])],
    change: retype('id', 'smallint', 'mart.out'),
    expect: { report: ['BREAKS', 'DESTINATION_MISMATCH'] },
  },
  {
    name: 'retype: union of two types',
    jobs: [job([map({ k: 'note' }, 'orders', 'one'), map({ k: 'name' }, 'customers', 'two'), { id: 'both', union: { from: ['one', 'two'] } }])],
    change: retype('name', 'character varying(30)', 'public.customers'),
    expect: { report: ['CHANGES_VALUES', 'TYPE_READ'] },
  },
  {
    name: 'retype: exactly, before a cycle with room for it',
    tables: circleTables,
    jobs: circle({ id: 'id', note: 'note' }),
    change: retype('note', 'character varying(50)'),
    expect: { feed: ['NONE', 'SAME_VALUES'], there: null, back: null },
  },
  {
    name: 'retype: what feeds a cycle breaks',
    tables: circleTables,
    jobs: circle({ id: 'id', note: 'upper(note)' }),
    change: retype('note', 'integer'),
    expect: { feed: ['BREAKS', 'TYPE_MISMATCH'], there: ['STALE', 'UPSTREAM_BREAKS'], back: ['STALE', 'UPSTREAM_BREAKS'] },
  },
  {
    name: 'retype: other values go round a cycle',
    tables: circleTables,
    jobs: circle({ id: 'id', note: 'CAST(status AS VARCHAR)' }),
    change: retype('status', 'numeric(12,2)'),
    expect: { feed: ['CHANGES_VALUES', 'CAST_SOURCE'], there: ['CHANGES_VALUES', 'VALUES_READ'], back: ['CHANGES_VALUES', 'VALUES_READ'] },
    columns: { 'mart.a.note': 'VALUES_CHANGED', 'mart.b.note': 'VALUES_CHANGED', 'mart.a.id': null },
  },
  {
    name: 'retype: within a cycle',
    tables: circleTables,
    jobs: circle({ id: 'id', note: 'note' }),
    change: retype('note', 'integer', 'mart.b'),
    expect: { there: ['BREAKS', 'DESTINATION_MISMATCH'], back: ['CHANGES_VALUES', 'TYPE_READ'] },
  },
];
