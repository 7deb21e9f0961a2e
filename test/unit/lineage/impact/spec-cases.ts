import { aggregate, filter, type ImpactCase, job, map, next } from './impact-cases.js';
import { changedSpecs, type JobDocument, type TableDocument } from './impact-shop.js';

type Columns = Readonly<Record<string, string>>;

function anew(...jobs: readonly JobDocument[]): Pick<ImpactCase, 'anew' | 'change'> {
  return { anew: jobs, change: changedSpecs(...jobs) };
}

/** Joins what two other jobs made, or customers with it. */
function joining(left: string, right: string, on: string, columns: Columns, name = 'both'): JobDocument {
  const stream = (table: string) => ({ connection: 'shop', stream: table });
  return {
    name,
    inputs: { a: stream(left), b: stream(right) },
    steps: [{ id: 'j', join: { left: 'a', right: 'b', kind: 'inner', on, columns } }],
    outputs: [{ from: 'j', ...stream(`mart.${name}`), load: { mode: 'append' } }],
  };
}

const before = job([map({ id: 'id', note: 'note', status: 'status' })]);
const withoutNote = job([map({ id: 'id', status: 'status' })]);
const counted: TableDocument = { id: 'integer', note: 'character varying(20)' };

/** Documents that are saved anew, and what must be said of those who read from them. */
export const specCases: readonly ImpactCase[] = [
  {
    name: 'spec: the same again',
    jobs: [before, next([map({ n: 'note' }, 'before')])],
    ...anew(before),
    expect: { report: null, next: null },
    columns: { 'mart.out.id': null, 'mart.out.note': null },
  },
  {
    name: 'spec: only its steps are called otherwise',
    jobs: [job([map({ id: 'id', t: 'upper(note)' }, 'orders', 'one')]), next([map({ t: 't' }, 'before')])],
    ...anew(job([map({ id: 'id', t: 'upper(note)' }, 'orders', 'other')])),
    expect: { next: null },
    columns: { 'mart.out.t': null },
  },
  {
    name: 'spec: its columns stand in another order',
    jobs: [before, next([map({ n: 'note' }, 'before')])],
    ...anew(job([map({ status: 'status', note: 'note', id: 'id' })])),
    expect: { next: null },
    columns: { 'mart.out.note': null },
  },
  {
    name: 'spec: an expression changes beside what is read',
    jobs: [
      job([map({ id: 'id', t: 'upper(note)' })]),
      next([map({ t: 't' }, 'before')], 'mart.out', 'mart.reads', 'reads'),
      next([map({ id: 'id' }, 'before')], 'mart.out', 'mart.not', 'not'),
    ],
    ...anew(job([map({ id: 'id', t: 'lower(note)' })])),
    expect: { reads: ['CHANGES_VALUES', 'VALUES_READ'], not: ['NONE', 'NOT_USED'] },
    columns: { 'mart.out.t': 'EXPRESSION_CHANGED', 'mart.out.id': null },
  },
  {
    name: 'spec: another column is made',
    jobs: [withoutNote, next([map({ s: 'status' }, 'before')])],
    ...anew(before),
    expect: { next: ['NONE', 'NOT_USED'] },
  },
  {
    name: 'spec: a column that is not read is no longer made',
    jobs: [before, next([map({ s: 'status' }, 'before')])],
    ...anew(withoutNote),
    expect: { next: ['NONE', 'NOT_USED'] },
    columns: { 'mart.out.note': 'COLUMN_GONE' },
  },
  {
    name: 'spec: a column that is read is no longer made',
    jobs: [before, next([map({ n: 'note' }, 'before')])],
    ...anew(withoutNote),
    expect: { next: ['BREAKS', 'COLUMN_READ'] },
    columns: { 'mart.out.note': 'COLUMN_GONE' },
  },
  {
    name: 'spec: a column has another name',
    jobs: [before, next([map({ n: 'upper(note)' }, 'before')])],
    ...anew(job([map({ id: 'id', remark: 'note', status: 'status' })])),
    expect: { next: ['BREAKS', 'COLUMN_READ'] },
  },
  {
    name: 'spec: what a filter reads is no longer made',
    jobs: [before, next([filter(`note <> '100'`, 'before'), map({ id: 'id' }, 'kept')])],
    ...anew(withoutNote),
    expect: { next: ['BREAKS', 'FILTER_INPUT'] },
  },
  {
    name: 'spec: what a group is made by is no longer made',
    jobs: [before, next([aggregate(['note'], { n: 'count(*)' }, 'before')])],
    ...anew(withoutNote),
    expect: { next: ['BREAKS', 'GROUP_KEY'] },
  },
  {
    name: 'spec: what a window is ordered by is no longer made',
    jobs: [before, next([map({ id: 'id', n: 'row_number() OVER (PARTITION BY status ORDER BY note)' }, 'before')])],
    ...anew(withoutNote),
    expect: { next: ['BREAKS', 'WINDOW_INPUT'] },
  },
  {
    name: 'spec: what a join is made by is no longer made',
    jobs: [before, joining('mart.out', 'public.customers', 'a.status = b.id', { name: 'b.name' })],
    ...anew(job([map({ id: 'id', note: 'note' })])),
    expect: { both: ['BREAKS', 'JOIN_KEY'] },
  },
  {
    name: 'spec: a key that a reader loads by is no longer made',
    jobs: [
      before,
      {
        ...next([map({ id: 'id', status: 'status' }, 'before')]),
        outputs: [{ from: 'shaped', connection: 'shop', stream: 'mart.next', load: { mode: 'upsert', key: ['id'] } }],
      },
    ],
    ...anew(job([map({ note: 'note', status: 'status' })])),
    expect: { next: ['BREAKS', 'LOAD_KEY'] },
  },
  {
    name: 'spec: a column becomes a text that is counted with',
    jobs: [before, next([map({ t: 'status + 1' }, 'before')])],
    ...anew(job([map({ id: 'id', note: 'note', status: 'CAST(status AS VARCHAR)' })])),
    expect: { next: ['BREAKS', 'TYPE_MISMATCH'] },
  },
  {
    name: 'spec: a column becomes wider than the table of a reader',
    tables: { 'mart.next': { s: 'integer' } },
    jobs: [before, next([map({ s: 'status' }, 'before')])],
    ...anew(job([map({ id: 'id', note: 'note', status: 'CAST(status AS BIGINT)' })])),
    expect: { next: ['BREAKS', 'DESTINATION_MISMATCH'] },
  },
  {
    name: 'spec: a new column is handed on to a table without it',
    tables: { 'mart.next': counted },
    jobs: [job([map({ id: 'id', note: 'note' })]), next([])],
    ...anew(before),
    expect: { next: ['BREAKS', 'DESTINATION_MISMATCH'] },
  },
  {
    name: 'spec: two pipelines away',
    jobs: [before, next([]), next([map({ n: 'note' }, 'before')], 'mart.next', 'mart.last', 'last')],
    ...anew(withoutNote),
    expect: { next: ['CHANGES_VALUES', 'OUTPUT_SCHEMA'], last: ['BREAKS', 'COLUMN_READ'] },
  },
  {
    name: 'spec: two pipelines away, not used there',
    jobs: [before, next([]), next([map({ s: 'status' }, 'before')], 'mart.next', 'mart.last', 'last')],
    ...anew(withoutNote),
    expect: { next: ['CHANGES_VALUES', 'OUTPUT_SCHEMA'], last: ['NONE', 'NOT_USED'] },
  },
  {
    name: 'spec: diamond, a column of one side',
    jobs: [
      job([map({ id: 'id', note: 'note' })], undefined, 'mart.a', 'a'),
      job([map({ id: 'id', status: 'status' })], undefined, 'mart.b', 'b'),
      joining('mart.a', 'mart.b', 'a.id = b.id', { note: 'a.note' }, 'breaks'),
      joining('mart.a', 'mart.b', 'a.id = b.id', { status: 'b.status' }, 'stays'),
    ],
    ...anew(job([map({ id: 'id' })], undefined, 'mart.a', 'a')),
    expect: { b: null, breaks: ['BREAKS', 'COLUMN_READ'], stays: ['NONE', 'NOT_USED'] },
  },
];
