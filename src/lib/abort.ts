/** Resolves when the signal is aborted; until then it keeps the process alive, whatever else does. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setInterval(() => undefined, 60_000);
    const settle = (): void => {
      clearInterval(timer);
      resolve();
    };
    signal.addEventListener('abort', settle, { once: true });
  });
}

/** The result of `work`, or a rejection with the reason of the signal as soon as it is aborted; `work` is not waited for then. */
export async function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const settled = new AbortController();
  const abort = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: settled.signal });
  });
  try {
    return await Promise.race([abort, work]);
  } finally {
    settled.abort();
  }
}
