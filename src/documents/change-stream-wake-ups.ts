import type { Connection } from 'mongoose';
import type { Logger } from 'pino';
import type { WakeUps } from './wake-ups.js';

/** As much of a change stream as is used here. */
interface Changes {
  on(event: 'change' | 'error' | 'close', listener: (value: unknown) => void): unknown;
  close(): Promise<void>;
}

const again = { firstMs: 100, mostMs: 5_000 };

/** For a MongoDB that is a replica set: it tells by itself when a log has changed, so that nobody has to announce anything. */
export class ChangeStreamWakeUps implements WakeUps {
  private onWake: () => void = () => undefined;
  private changes: Changes | null = null;
  private retry: NodeJS.Timeout | undefined;
  private pauseMs = again.firstMs;
  private closed = false;

  /** @param watch  opens a stream of the log's changes */
  constructor(
    private readonly watch: () => Changes,
    private readonly logger: Logger,
  ) {}

  /** The process itself need not wait for MongoDB to tell it. */
  announce(): void {
    this.onWake();
  }

  async listen(onWake: () => void): Promise<void> {
    this.onWake = onWake;
    this.open();
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.retry);
    await this.changes?.close().catch(() => undefined);
  }

  private open(): void {
    const changes = this.watch();
    this.changes = changes;
    changes.on('change', () => {
      this.pauseMs = again.firstMs;
      this.onWake();
    });
    changes.on('error', (error) => this.reopen(changes, error));
    changes.on('close', () => this.reopen(changes, null));
  }

  private reopen(changes: Changes, error: unknown): void {
    if (this.closed || this.changes !== changes) return;
    this.changes = null;
    if (error !== null)
      this.logger.warn({ reason: error instanceof Error ? error.name : 'unknown' }, 'The change stream of the run log has ended; it is opened again.');
    void changes.close().catch(() => undefined);
    this.retry = setTimeout(() => this.open(), this.pauseMs);
    this.pauseMs = Math.min(this.pauseMs * 2, again.mostMs);
  }
}

/** Only that something has changed, not what. */
export function watchLog(connection: Connection): () => Changes {
  return () => connection.collection('runLog').watch([{ $project: { _id: 1, operationType: 1 } }]);
}
