/**
 * Tells the processes that read the feed that there is more to read. A hint and nothing else: what gets lost costs time, since readers
 * also look by themselves.
 */
export interface WakeUps {
  /** The feed reaches to this position now. Returns at once. */
  announce(position: number): void;
  /** Calls `onWake`, which returns quickly, for what this process and others announce. Once. */
  listen(onWake: () => void): Promise<void>;
  close(): Promise<void>;
}
