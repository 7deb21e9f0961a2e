/** `text` with every occurrence of one of `values` replaced, longest first. Values shorter than 3 characters stay: they would hide the text itself. */
export function maskValues(text: string, values: readonly string[]): string {
  const longestFirst = values.filter((value) => value.length >= 3).sort((left, right) => right.length - left.length);
  return longestFirst.reduce((masked, value) => masked.replaceAll(value, '***'), text);
}

/** Every text and number inside a value, however deep, as text. */
export function textsWithin(value: unknown): string[] {
  if (typeof value === 'string' || typeof value === 'number') return [String(value)];
  if (value === null || typeof value !== 'object') return [];
  return Object.values(value).flatMap(textsWithin);
}
