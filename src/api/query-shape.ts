/** Nesting of braces, brackets and parentheses that a query may have. */
export const deepestNesting = 60;

export const nestsTooDeep = `The query nests more than ${deepestNesting} deep. Ask in several queries, and pass documents as variables.`;

/**
 * How deep `query` nests, without parsing it: the parser is recursive, so that a query must be known to be shallow before
 * it is parsed. Strings and comments are skipped.
 *
 * @param stopAt  counting ends here
 */
export function nestingOf(query: string, stopAt: number): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < query.length && deepest < stopAt; at += 1) {
    const character = query[at];
    if (character === '{' || character === '[' || character === '(') {
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else if (character === '}' || character === ']' || character === ')') depth -= 1;
    else if (character === '"') at = endOfString(query, at);
    else if (character === '#') at = endOfLine(query, at);
  }
  return deepest;
}

/** Index of the last character of the string that begins at `start`. */
function endOfString(query: string, start: number): number {
  if (query.startsWith('"""', start)) {
    let end = query.indexOf('"""', start + 3);
    while (end > 0 && query[end - 1] === '\\') end = query.indexOf('"""', end + 3);
    return end < 0 ? query.length : end + 2;
  }
  for (let at = start + 1; at < query.length; at += 1) {
    if (query[at] === '\\') at += 1;
    else if (query[at] === '"' || query[at] === '\n') return at;
  }
  return query.length;
}

function endOfLine(query: string, start: number): number {
  const end = query.indexOf('\n', start);
  return end < 0 ? query.length : end;
}
