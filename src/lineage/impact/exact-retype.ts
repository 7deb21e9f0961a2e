import type { CompiledPipeline } from '../../model/compiled-pipeline.js';
import type { Retype } from './effects.js';
import type { ColumnUse } from './uses.js';

/**
 * Functions (and words before a parenthesis) that give the same for equal values of a wider type of the same family. Others, such
 * as hash() and typeof(), can tell an INTEGER from a BIGINT.
 */
const blindToWidth = new Set(
  (
    'abs and any_value as arg_max arg_min avg between bool_and bool_or by case cast ceil ceiling coalesce concat concat_ws contains count count_if date_diff date_part ' +
    'date_trunc dense_rank else end ends_with epoch extract filter first first_value floor greatest having if ifnull in is lag last last_value lead least left length ' +
    'list_contains lower lpad ltrim max mean median min mod month not ntile nullif on or over partition position prefix product quarter rank regexp_extract ' +
    'regexp_matches regexp_replace repeat replace right round row_number rpad rtrim sign split_part sqrt starts_with strftime string_agg strlen strptime substr substring suffix ' +
    'sum then trim trunc try_cast upper when where with year day hour minute second decimal numeric varchar'
  ).split(' '),
);

/** True when a job gives the same with a column of the other type: it only hands it on, or computes the same from it. */
export function isUnseen({ exact, value }: Retype, compiled: CompiledPipeline, use: ColumnUse, column: string): boolean {
  if (!exact) return false;
  return !use.value || value === 'same' || (value === 'wider' && !seesWidth(compiled, use, column));
}

/** True when some expression over a column looks at more than its value. */
function seesWidth(compiled: CompiledPipeline, use: ColumnUse, column: string): boolean {
  const word = new RegExp(`(^|[^\\w])${column.replaceAll(/[^\w]/g, '\\$&')}([^\\w]|$)`, 'i');
  const written = use.transformations.map(({ expression }) => expression ?? '');
  const others = compiled.steps.flatMap(({ expressions }) => expressions.map(({ sql }) => sql)).filter((sql) => word.test(sql));
  return [...written, ...others].some((text) =>
    [...text.matchAll(/([\p{L}_][\p{L}\p{N}_]*)\s*\(/gu)].some(([, name = '']) => !blindToWidth.has(name.toLowerCase())),
  );
}
