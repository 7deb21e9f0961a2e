/** What has to be closed again, in the reverse order of opening. */
export class ClosingStack {
  private readonly steps: { readonly name: string; readonly close: () => Promise<void> | void }[] = [];

  constructor(private readonly onError: (name: string, error: unknown) => void) {}

  add(name: string, close: () => Promise<void> | void): void {
    this.steps.push({ name, close });
  }

  /** Every step runs, also behind one that failed. Safe to call twice. */
  async close(): Promise<void> {
    for (let step = this.steps.pop(); step !== undefined; step = this.steps.pop()) {
      try {
        await step.close();
      } catch (error) {
        this.onError(step.name, error);
      }
    }
  }
}
