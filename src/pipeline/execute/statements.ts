import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';

/** An interrupt that comes before DuckDB has begun with the statement is lost, so that it is said again. */
const interruptEveryMs = 20;

/** DuckDB's refusal of a statement; what is wrong with which value is not known yet. */
export class StatementError extends Error {
  constructor(override readonly cause: Error) {
    super(cause.message);
  }
}

/** Statements of one pass, one at a time; an abort of the signal interrupts the one under way. */
export class Statements {
  constructor(
    private readonly connection: DuckDBConnection,
    readonly signal: AbortSignal,
  ) {}

  /** @returns rows that the statement made; 0 for one that makes none. @throws the signal's reason when it aborts */
  async run(sql: string): Promise<number> {
    return Number((await this.rows(sql))[0]?.[0] ?? 0);
  }

  /** For small results. */
  rows(sql: string): Promise<unknown[][]> {
    return this.interruptible(async () => (await this.connection.runAndReadAll(sql)).getRows());
  }

  /** For results of any size. */
  async stream(sql: string): Promise<{ fetchChunk(): Promise<DuckDBDataChunk | null> }> {
    const result = await this.interruptible(() => this.connection.stream(sql));
    return { fetchChunk: () => this.interruptible(() => result.fetchChunk()) };
  }

  /** What clears up runs behind an abort, too. */
  async clear(sql: string): Promise<void> {
    await this.connection.run(sql);
  }

  private async interruptible<T>(work: () => Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    let repeated: NodeJS.Timeout | undefined;
    const interrupt = () => {
      this.connection.interrupt();
      repeated = setInterval(() => this.connection.interrupt(), interruptEveryMs);
    };
    this.signal.addEventListener('abort', interrupt, { once: true });
    try {
      return await work();
    } catch (error) {
      if (this.signal.aborted) throw this.signal.reason;
      throw new StatementError(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.signal.removeEventListener('abort', interrupt);
      clearInterval(repeated);
    }
  }
}
