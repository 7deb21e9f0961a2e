/** How long runs, API and connections have to stop; then the servers are stopped all the same. */
const closingWithinMs = 8_000;
/** A package manager may hand on a Ctrl-C that the terminal has sent already: what follows the first within this time is the same one. */
const sameSignalMs = 500;

/** `stop`: everything is to be stopped. `hurry`: time is up or it was asked for again, so that only the servers are waited for. */
export interface Stopping {
  readonly stop: AbortController;
  readonly hurry: AbortController;
}

/** The reason of `stop` when a signal asked for it. */
export class StopAsked extends Error {}

export function listenForStop(): Stopping {
  const stop = new AbortController();
  const hurry = new AbortController();
  let askedAtMs = Number.POSITIVE_INFINITY;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (performance.now() - askedAtMs > sameSignalMs) hurry.abort(new Error('Stopping at once: only the servers are waited for.'));
      askedAtMs = Math.min(askedAtMs, performance.now());
      stop.abort(new StopAsked());
    });
  }
  const late = new Error(`Runs, API and connections did not stop within ${closingWithinMs / 1_000} s; the servers are stopped now.`);
  stop.signal.addEventListener('abort', () => setTimeout(() => hurry.abort(late), closingWithinMs), { once: true });
  return { stop, hurry };
}
