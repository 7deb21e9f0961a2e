import { assignable } from './assignable.js';
import { splitType } from './types.js';

/** Their text form, or what a cast of them gives, is not the text that COPY writes. */
const otherAsText = new Set(['boolean', 'character', 'timestamp with time zone', 'money', 'jsonb']);

/** True when a column changed from `from` to `to` keeps every value, and its text form: what ALTER … TYPE does to it. */
export function keepsText(from: string, to: string): boolean {
  if (from === to) return true;
  if (!assignable(from, to)) return false;
  const source = splitType(from);
  const target = splitType(to);
  if (source.word === target.word)
    return source.word !== 'numeric' || target.arguments.length === 0 || (source.arguments[1] ?? 0) === (target.arguments[1] ?? 0);
  if (target.word === 'numeric') return (target.arguments[1] ?? 0) === 0;
  if (target.word === 'text' || target.word === 'character varying') return !otherAsText.has(source.word);
  return true;
}
