import { splitType } from './types.js';

/** Of a second: what a type without a number has. */
const mostFractionDigits = 6;
const integerDigits: Readonly<Record<string, number>> = { smallint: 5, integer: 10, oid: 10, bigint: 19 };
const wider: Readonly<Record<string, readonly string[]>> = { smallint: ['integer', 'bigint'], integer: ['bigint'], oid: ['bigint'] };

/** True when every value of `from` is stored in a column of `to` unchanged. Types are the words of `format_type`. */
export function assignable(from: string, to: string): boolean {
  if (from === to || to === 'text') return true;
  const source = splitType(from);
  const target = splitType(to);
  if (wider[source.word]?.includes(target.word)) return true;
  if (target.word === 'numeric') return numericHolds(source, target.arguments);
  if (target.word === 'json') return source.word === 'jsonb';
  if (source.word === 'character' && target.word === 'character') return false;
  if (source.word !== target.word) return target.word === 'character varying' && target.arguments.length === 0 && source.word === 'text';
  return lengthHolds(source.arguments, target.arguments) || (/^(timestamp|time|interval)/.test(target.word) && target.arguments[0] === mostFractionDigits);
}

function numericHolds(source: ReturnType<typeof splitType>, [precision, scale = 0]: readonly number[]): boolean {
  const digits = integerDigits[source.word];
  if (digits === undefined && source.word !== 'numeric') return false;
  if (precision === undefined) return true;
  if (digits !== undefined) return precision - scale >= digits;
  const [sourcePrecision, sourceScale = 0] = source.arguments;
  return sourcePrecision !== undefined && scale >= sourceScale && precision - scale >= sourcePrecision - sourceScale;
}

/** Length or fraction digits of one type word: none means unlimited. `character` pads, so that its length must be the same. */
function lengthHolds([source]: readonly number[], [target]: readonly number[]): boolean {
  return target === undefined || (source !== undefined && source <= target);
}
