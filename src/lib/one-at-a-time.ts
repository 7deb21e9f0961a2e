/** Begins the work whenever it is called, unless it is under way still. Returns at once; the work never rejects. */
export function oneAtATime(work: () => Promise<void>): () => void {
  let running = false;
  return () => {
    if (running) return;
    running = true;
    void work().finally(() => {
      running = false;
    });
  };
}
