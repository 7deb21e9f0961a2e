const downloaded = /^(?:\[INFO\] )?Downloaded from \S+: \S+\/\S+ \(([\d.]+) (B|kB|MB) at/;
const megabytesPer = { B: 1e-6, kB: 1e-3, MB: 1 } as const;

/** Reads Maven's output and tells how far it is, at most every `everyMs` milliseconds. Says nothing of where files come from. */
export class MavenProgress {
  private files = 0;
  private megabytes = 0;
  private toldAt = performance.now();

  constructor(
    private readonly tell: (text: string) => void,
    private readonly everyMs = 2_000,
  ) {}

  line(line: string): void {
    const match = downloaded.exec(line);
    if (match === null) return;
    this.files += 1;
    this.megabytes += Number(match[1]) * megabytesPer[match[2] as keyof typeof megabytesPer];
    if (performance.now() - this.toldAt < this.everyMs) return;
    this.toldAt = performance.now();
    this.tell(`fetching: ${this.files} files, ${this.megabytes.toFixed(0)} MB so far`);
  }

  end(): void {
    if (this.files > 0) this.tell(`fetched: ${this.files} files, ${this.megabytes.toFixed(0)} MB`);
  }
}
