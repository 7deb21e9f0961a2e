/**
 * Runs `source` ahead of its reader by at most `depth` items, so that producer and consumer work at the same time.
 * An error of the source reaches the reader behind the items before it; a reader that stops early stops the source.
 */
export async function* prefetch<T>(source: AsyncIterable<T>, depth: number): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  const pending: Promise<IteratorResult<T>>[] = [];
  const request = () => {
    // One after another: an iterator is asked again only when its last answer is there.
    const next = (pending.at(-1) ?? Promise.resolve({ done: false })).then((last) => (last.done ? { done: true as const, value: undefined } : iterator.next()));
    void next.catch(() => undefined);
    pending.push(next);
  };
  try {
    for (let ahead = 0; ahead < depth; ahead += 1) request();
    for (;;) {
      const result = await (pending[0] as Promise<IteratorResult<T>>);
      void pending.shift();
      if (result.done) return;
      request();
      yield result.value;
    }
  } finally {
    await Promise.allSettled(pending);
    await iterator.return?.();
  }
}
