/** Tasks of one key run one after another, in the order in which they came; those of different keys side by side. */
export class Turns {
  private readonly last = new Map<string, Promise<unknown>>();

  async of<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.last.get(key);
    const turn = before === undefined ? task() : before.then(task, task);
    this.last.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.last.get(key) === turn) this.last.delete(key);
    }
  }
}
