import { memorySampleMs, residentBytes } from '../lib/process-memory.js';

export interface MemoryWatchSettings {
  readonly processId: number;
  readonly limitBytes: number;
  /** Between two samples, in milliseconds. */
  readonly everyMs?: number;
}

/** Calls `onExceeded` once, with what was found, when the process holds more than it may. Ends when the process ends or `signal` aborts. */
export function watchMemory(
  { processId, limitBytes, everyMs = memorySampleMs }: MemoryWatchSettings,
  signal: AbortSignal,
  onExceeded: (bytes: number) => void,
): void {
  const sample = async (): Promise<void> => {
    const bytes = await residentBytes(processId);
    if (signal.aborted) return;
    // Not known this time: the next look may tell.
    if (bytes !== null && bytes > limitBytes) onExceeded(bytes);
    else timer = setTimeout(() => void sample(), everyMs);
  };
  let timer = setTimeout(() => void sample(), everyMs);
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
}
