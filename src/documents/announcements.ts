import { type FeedDocument, type FeedModel, inserting } from './run-log-document.js';

type Append = Omit<FeedDocument, '_id'>;

interface Waiting {
  readonly append: Append;
  readonly resolve: (position: number) => void;
  readonly reject: (error: unknown) => void;
}

const mostAtOnce = 100;

/** Takes positions in the feed for the appends of this process: those that come while a write is under way go into the next one together. */
export class Announcements {
  private waiting: Waiting[] = [];
  private writing = false;
  /** A position that is taken; those behind it may be too. */
  private taken: number | null = null;

  /** @param findLast  asked when others have been quicker: the last position that is taken, at least the given one */
  constructor(
    private readonly entries: FeedModel,
    private readonly findLast: (from: number) => Promise<number>,
  ) {}

  add(append: Append): Promise<number> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ append, resolve, reject });
      if (!this.writing) void this.writeAll();
    });
  }

  private async writeAll(): Promise<void> {
    this.writing = true;
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, mostAtOnce);
      try {
        this.taken ??= await this.findLast(1);
        const written = await this.write(batch, this.taken + 1);
        if (written < batch.length) this.taken = await this.findLast(this.taken);
        this.waiting.unshift(...batch.slice(written));
      } catch (error) {
        for (const { reject } of batch) reject(error);
        this.taken = null;
      }
    }
    this.writing = false;
  }

  /** @returns how many of the batch have got their position: the first ones */
  private async write(batch: readonly Waiting[], first: number): Promise<number> {
    const documents = batch.map(({ append }, index) => ({ _id: first + index, ...append }));
    const written = await inserted(this.entries.insertMany(documents, inserting), batch.length);
    for (const [index, { resolve }] of batch.slice(0, written).entries()) resolve(first + index);
    this.taken = first + Math.min(written, batch.length - 1);
    return written;
  }
}

/** How many documents of an ordered insert were written before one whose `_id` is taken. */
async function inserted(insert: Promise<unknown>, all: number): Promise<number> {
  try {
    await insert;
    return all;
  } catch (error) {
    const { code, writeErrors } = error as { code?: unknown; writeErrors?: { index?: number } | readonly { index?: number }[] };
    const [first] = [writeErrors ?? []].flat();
    if (code !== 11000 || first?.index === undefined) throw error;
    return first.index;
  }
}
