import { setTimeout as wait } from 'node:timers/promises';

/** Asks again until the answer is not null or false; for what another process does in its own time. */
export async function eventually<T>(what: string, ask: () => Promise<T | null | false>, withinMs = 30_000): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== false) return answer;
    if (performance.now() > deadline) throw new Error(`Not seen within ${withinMs / 1000} s: ${what}.`);
    await wait(50);
  }
}
