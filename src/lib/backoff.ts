/**
 * How long to wait before a retry: a random time between 0 and min(capMs, baseMs · 2^attempt).
 *
 * @param attempt  retries already made; 0 before the first retry
 * @param baseMs   upper bound of the first delay, in milliseconds, > 0
 * @param capMs    upper bound of every delay, in milliseconds
 * @param random   uniform in [0, 1); passed in so that tests are exact
 * @returns whole milliseconds in [0, capMs]
 * @throws RangeError when `attempt` is negative or not an integer
 * @see "Full jitter" in M. Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015
 */
export function backoffMs(attempt: number, baseMs: number, capMs: number, random: () => number = Math.random): number {
  if (!Number.isInteger(attempt) || attempt < 0) throw new RangeError(`attempt must be an integer >= 0, got ${attempt}.`);
  return Math.floor(random() * Math.min(capMs, baseMs * 2 ** attempt));
}
