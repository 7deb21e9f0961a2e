import type { Change } from '../../../src/model/impact.js';
import { drop, filter, type ImpactCase, job, map, next as reader, rename, retype, source } from '../../unit/lineage/impact/impact-cases.js';
import { changedSpecs } from '../../unit/lineage/impact/impact-shop.js';

/** The same numbers for the same seed, from 0 to before 1. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

const expressions: readonly string[] = [
  'id',
  'note',
  'amount',
  'tags',
  'placed_at',
  'status + id',
  `coalesce(note, '-')`,
  'upper(note)',
  'length(note)',
  'CAST(status AS VARCHAR)',
  'amount * 2',
  'CAST(amount * status AS DECIMAL(18,2))',
  `CASE WHEN status > 3 THEN note ELSE 'low' END`,
  'CASE WHEN flag THEN status END',
  `date_trunc('day', placed_at)`,
  'hash(status)',
  'abs(status - customer_id)',
  'greatest(status, id)',
  'status IS NULL',
  'status / 2',
  'status // 2',
  'row_number() OVER (PARTITION BY customer_id ORDER BY id)',
  'max(status) OVER (PARTITION BY flag)',
];
const filters: readonly string[] = [
  'status = 5',
  'amount > 10',
  `note <> '100'`,
  'flag',
  'placed_at > updated_at',
  'customer_id IN (1, 2)',
  'id % 2 = 0',
  'status IS NOT NULL',
];
const types: Readonly<Record<string, readonly string[]>> = {
  integer: ['bigint', 'text', 'numeric(12,0)', 'numeric(12,2)', 'double precision', 'smallint', 'character varying(30)', 'numeric'],
  'numeric(10,2)': ['numeric(14,2)', 'numeric(12,4)', 'double precision', 'text', 'numeric'],
  'character varying(20)': ['text', 'character varying(40)', 'character(30)', 'integer'],
  'timestamp without time zone': ['timestamp(3) without time zone', 'date', 'text', 'timestamp with time zone'],
  boolean: ['text', 'integer'],
  'integer[]': ['bigint[]', 'text'],
};

const isWindow = (expression: string): boolean => expression.includes(' OVER ');

/** So many of the list; of windows at most one, since those of one step have to partition by the same. */
function several(list: readonly string[], count: number, one: (list: readonly string[]) => string): string[] {
  const chosen: string[] = [];
  while (chosen.length < count) chosen.push(one(chosen.some(isWindow) ? list.filter((expression) => !isWindow(expression)) : list));
  return chosen;
}

/** Documents and changes put together at random; what is said of them is held against what happens. */
export function generatedCases(seed: number, count: number): readonly Pick<ImpactCase, 'name' | 'jobs' | 'change'>[] {
  const next = numbers(seed);
  const one = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
  return Array.from({ length: count }, (_, index) => {
    const chosen = several(expressions, 1 + Math.floor(next() * 3), one);
    const columns = Object.fromEntries(chosen.map((expression, place) => [`c${place}`, expression]));
    const where = next() < 0.5 ? one(filters) : null;
    const steps = where === null ? [map(columns)] : [filter(where), map(columns, 'kept')];
    const change = changeOf(one, next);
    return {
      name: `${index + 1} of seed ${seed}: ${describe(change)} where ${where ?? 'nothing is filtered'}, ${Object.values(columns).join('; ')}`,
      jobs: [job(steps)],
      change,
    };
  });
}

const readings: readonly ((column: string) => string)[] = [
  (column) => column,
  (column) => `CAST(${column} AS VARCHAR)`,
  (column) => `${column} IS NULL`,
  (column) => `count(*) OVER (PARTITION BY ${column})`,
];

/** A job that reads what another one makes; the source changes, or the document of the first. */
export function generatedChains(seed: number, count: number): readonly Pick<ImpactCase, 'name' | 'jobs' | 'change' | 'anew'>[] {
  const next = numbers(seed);
  const one = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
  const shared = expressions.filter((expression) => expression !== 'tags');
  return Array.from({ length: count }, (_, index) => {
    const columns = Object.fromEntries(['id', ...several(shared, 3, one)].map((expression, place) => [`c${place}`, expression]));
    const read = one(Object.keys(columns));
    const touched = next() < 0.5 ? read : one(Object.keys(columns));
    const steps = next() < 0.3 ? [filter(`${read} IS NOT NULL`, 'before'), map({ x: 'c0' }, 'kept')] : [map({ x: one(readings)(read) }, 'before')];
    const jobs = [job([map(columns)]), reader(steps)];
    const whole = (change: string): string =>
      `${index + 1} of seed ${seed}, a chain: ${change}, ${Object.values(columns).join('; ')}; ${JSON.stringify(steps)}`;
    const chance = next();
    if (chance < 0.3) {
      const change = changeOf(one, next);
      return { name: whole(describe(change)), jobs, change };
    }
    const { [touched]: before = '', ...others } = columns;
    const another = one(shared.filter((expression) => !isWindow(expression)));
    const after = { ...others, ...(chance < 0.7 ? {} : { [chance < 0.8 ? 'other' : touched]: another }) };
    const anew = [job([map(after)])];
    return { name: whole(`${touched}, ${before}, becomes ${after[touched] ?? after['other'] ?? 'nothing'}`), jobs, anew, change: changedSpecs(...anew) };
  });
}

function changeOf(one: <T>(list: readonly T[]) => T, next: () => number): Change {
  const [name, type] = one(Object.entries(source['public.orders'] ?? {}).filter(([column]) => column !== 'price'));
  const chance = next();
  const others = types[type.replace('!', '')];
  if (chance < 0.2) return drop(name);
  return chance < 0.3 || others === undefined ? rename(name, 'renamed') : retype(name, one(others));
}

function describe(change: Change): string {
  if (change.kind === 'pipelineSpecs' || change.kind === 'dropDataset') return change.kind;
  return `${change.kind} ${change.column.name}${'to' in change ? ` to ${change.to}` : ''}`;
}
