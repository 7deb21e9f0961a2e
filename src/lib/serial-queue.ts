/** Runs tasks one after another behind the caller's back, at most `depth` waiting. The first failure ends it. */
export class SerialQueue {
  private tail: Promise<void> = Promise.resolve();
  private waiting = 0;
  private wakes: (() => void)[] = [];
  private failure: { readonly error: unknown } | null = null;

  constructor(private readonly depth: number) {}

  /** Resolves when the task has its place in the queue. @throws the failure of an earlier task */
  async push(task: () => Promise<void>): Promise<void> {
    while (this.waiting >= this.depth && !this.failure) await new Promise<void>((resolve) => this.wakes.push(resolve));
    this.rethrow();
    this.waiting += 1;
    this.tail = this.tail.then(async () => {
      try {
        if (!this.failure) await task();
      } catch (error) {
        this.failure = { error };
      } finally {
        this.waiting -= 1;
        for (const wake of this.wakes.splice(0)) wake();
      }
    });
  }

  /** Resolves when everything is done. @throws the failure of a task */
  async drain(): Promise<void> {
    await this.tail;
    this.rethrow();
  }

  private rethrow(): void {
    if (this.failure) throw this.failure.error;
  }
}
