const rays = 32;
const largest = 2 ** 45;

/**
 * The last number of a sequence without gaps that begins at `first`, found by asking which of a few numbers are in it: about
 * log(length) / log(32) questions. Numbers that are added meanwhile may be found or not.
 *
 * @param present  those of the candidates that are in the sequence, in any order
 * @returns `first - 1` when it is empty
 */
export async function lastOfDense(first: number, present: (candidates: readonly number[]) => Promise<readonly number[]>): Promise<number> {
  let low = first - 1;
  let beyond = first + largest;
  let candidates = powers(first);
  while (candidates.length > 0) {
    low = Math.max(low, ...(await present(candidates)));
    beyond = candidates.find((candidate) => candidate > low) ?? beyond;
    candidates = between(low, beyond);
  }
  return low;
}

/** `first`, `first` + 1, + 2, + 4 and so on. */
function powers(first: number): number[] {
  const found = [first];
  for (let step = 1; step < largest; step *= 2) found.push(first + step);
  return found;
}

/** At most `rays` numbers strictly between, ascending. */
function between(low: number, beyond: number): number[] {
  const width = beyond - low;
  if (width <= rays) return Array.from({ length: Math.max(0, width - 1) }, (_, index) => low + 1 + index);
  return Array.from({ length: rays - 1 }, (_, index) => low + Math.floor((width * (index + 1)) / rays));
}
