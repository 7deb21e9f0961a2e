import type { Exchange } from './exchange.js';

/** All exchanges of a pass. Together their tables stay within a size: the largest ones move to files. */
export class Exchanges {
  private readonly byStep = new Map<string, Exchange[]>();
  /** Sides that are read while the others grow. */
  private readonly pinned = new Set<Exchange>();

  constructor(private readonly bufferBytes: number) {}

  add(exchange: Exchange): void {
    const { step } = exchange.settings;
    this.byStep.set(step, [...(this.byStep.get(step) ?? []), exchange]);
  }

  /** The sides of a step, in its order. */
  of(step: string): readonly Exchange[] {
    return this.byStep.get(step) ?? [];
  }

  /** Keeps it in its table. */
  pin(exchange: Exchange): void {
    this.pinned.add(exchange);
  }

  async shrink(): Promise<void> {
    const all = [...this.byStep.values()].flat();
    const movable = all.filter((exchange) => !this.pinned.has(exchange)).sort((one, other) => one.bufferedBytes - other.bufferedBytes);
    let total = all.reduce((sum, { bufferedBytes }) => sum + bufferedBytes, 0);
    while (total > this.bufferBytes) {
      const largest = movable.pop();
      if (!largest || largest.bufferedBytes === 0) return;
      total -= largest.bufferedBytes;
      await largest.flush();
    }
  }

  async close(step: string): Promise<void> {
    for (const exchange of this.of(step)) {
      await exchange.close();
      this.pinned.delete(exchange);
    }
    this.byStep.delete(step);
  }

  async closeAll(): Promise<void> {
    for (const step of [...this.byStep.keys()]) await this.close(step);
  }
}
