import { setTimeout as wait } from 'node:timers/promises';
import { PartError, type PartName, partTitles } from './part-error.js';

export interface ReadyRequest {
  readonly part: PartName;
  /** A real handshake; rejects while the part is not ready, and with a PartError when waiting is of no use. */
  readonly probe: () => Promise<unknown>;
  /** Resolves when the process ends before it is ready. */
  readonly ended: Promise<PartError>;
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

/** Repeats the handshake every 50 ms until it succeeds. Rejects with a PartError when the process ends or time is up. */
export async function untilReady({ part, probe, ended, withinMs, signal }: ReadyRequest): Promise<void> {
  const deadline = performance.now() + withinMs;
  let end: PartError | null = null;
  void ended.then((error) => {
    end = error;
  });
  for (;;) {
    const failure = await probe().then(
      () => null,
      (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
    );
    if (end !== null) throw end;
    if (failure === null) return;
    if (failure instanceof PartError) throw failure;
    signal.throwIfAborted();
    if (performance.now() > deadline) {
      throw new PartError(part, `${partTitles[part]} was started but did not answer within ${withinMs / 1_000} s: ${failure.message}.`, failure);
    }
    await wait(50);
  }
}
