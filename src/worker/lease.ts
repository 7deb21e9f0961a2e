import type { Logger } from 'pino';

export interface LeaseSettings {
  /** Between two renewals, in milliseconds; each also asks whether the run is to be cancelled. */
  readonly renewEveryMs: number;
  /** A lease that was last renewed this long ago, by our own clock, counts as lost, in milliseconds. */
  readonly giveUpAfterMs: number;
}

/** Shorter than the lease in the graph (60 s), so that we stop before somebody else may start. */
export const leaseSettings: LeaseSettings = { renewEveryMs: 1_000, giveUpAfterMs: 50_000 };

export interface LeaseEvents {
  renew(): Promise<'held' | 'cancel' | 'lost'>;
  onCancel(): void;
  onLost(): void;
}

/** Keeps the lease of one run while it is being executed. */
export class Lease {
  private renewal: NodeJS.Timeout | undefined;
  private readonly watch: NodeJS.Timeout;
  private closed = false;

  /** @param heldSinceMs  `performance.now()` at the moment before the run was claimed */
  constructor(
    private readonly events: LeaseEvents,
    private heldSinceMs: number,
    private readonly settings: LeaseSettings,
    private readonly logger: Logger,
  ) {
    this.watch = setInterval(() => this.checkAge(), Math.min(1_000, settings.renewEveryMs));
    this.schedule();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.renewal);
    clearInterval(this.watch);
  }

  private schedule(): void {
    this.renewal = setTimeout(() => void this.renewOnce(), this.settings.renewEveryMs);
  }

  private async renewOnce(): Promise<void> {
    const askedAtMs = performance.now();
    try {
      const answer = await this.events.renew();
      if (this.closed) return;
      if (answer === 'lost') return this.lose();
      this.heldSinceMs = askedAtMs;
      if (answer === 'cancel') this.events.onCancel();
    } catch (error) {
      this.logger.warn({ err: error }, 'A lease could not be renewed; trying again.');
    }
    if (!this.closed) this.schedule();
  }

  private checkAge(): void {
    if (performance.now() - this.heldSinceMs > this.settings.giveUpAfterMs) this.lose();
  }

  private lose(): void {
    this.close();
    this.events.onLost();
  }
}
