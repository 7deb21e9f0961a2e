import type { Tree } from './syntax-tree.js';

/** Which aggregate and window functions give the same for the same rows, in whatever order these come. */

const windowOnly = new Set([
  'row_number',
  'rank',
  'dense_rank',
  'rank_dense',
  'percent_rank',
  'cume_dist',
  'ntile',
  'lag',
  'lead',
  'first_value',
  'last_value',
  'nth_value',
  'fill',
]);
const ordered = new Set(['first', 'last', 'any_value', 'arbitrary', 'list', 'array_agg', 'string_agg', 'group_concat', 'listagg', 'mode']);
const estimating = /^(approx_|reservoir_)/;

export function isWindowOnly(name: string): boolean {
  return windowOnly.has(name);
}

/** The sentence that says why an aggregate cannot be used as it is written; null when it can. */
export function aggregateRefusal(tree: Tree): string | null {
  const name = String(tree['function_name']).toLowerCase();
  if (estimating.test(name)) return estimate(name);
  if (windowOnly.has(name)) return `${name}() needs OVER (PARTITION BY … ORDER BY …), which stands in the expressions of a map step.`;
  const orders = (tree['order_bys'] as { readonly orders: unknown[] } | undefined)?.orders ?? [];
  if (!ordered.has(name) || orders.length > 0) return null;
  return `${name}() depends on the order of the rows, which differs between attempts. Write ${name}(… ORDER BY …).`;
}

/** The same for a function with OVER. */
export function windowRefusal(tree: Tree): string | null {
  const name = String(tree['function_name']).toLowerCase();
  const count = (key: string) => ((tree[key] ?? []) as unknown[]).length;
  if (estimating.test(name)) return estimate(name);
  if (count('partitions') === 0)
    return `${name}() OVER needs PARTITION BY: without it one window spans all rows, which may be more than the memory of a run holds.`;
  if (count('orders') > 0 || (ordered.has(name) && count('arg_orders') > 0)) return null;
  const countsRows = /ROWS/.test(`${tree['start']} ${tree['end']}`);
  if (!windowOnly.has(name) && !ordered.has(name) && !countsRows) return null;
  return `${name}() OVER (PARTITION BY …) needs ORDER BY there: it depends on the order of the rows, which differs between attempts.`;
}

function estimate(name: string): string {
  return `${name}() is an estimate that depends on the order of the rows. Use an exact function, as count(DISTINCT x) or quantile_cont(x, 0.5).`;
}
