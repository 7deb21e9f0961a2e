import type { CompiledOutput } from '../../model/compiled-pipeline.js';
import type { CommittedLoad, Load, LoadIdentity, Session, SlotUpdate } from '../../model/connector.js';
import { PlatformError } from '../../model/errors.js';
import type { Slot } from '../../model/reading.js';
import type { Segment } from '../../model/segment.js';
import { type StoreRejected, storeLoadRejects } from '../rejected-rows.js';

/** One output of a run on its way to its table. */
export class OutputLoad {
  /** Set when the rows stand in the table, by this attempt or by an earlier one. */
  committed: CommittedLoad | null = null;
  bytesStaged = 0;
  rowsRefused = 0;
  private load: Load | null = null;

  constructor(
    readonly compiled: CompiledOutput,
    readonly identity: LoadIdentity,
    private readonly session: Session,
    private readonly signal: AbortSignal,
  ) {}

  async findCommitted(): Promise<void> {
    if (this.identity.attempt > 1) await this.session.endEarlier?.(this.identity);
    this.committed = await this.session.findLoad(this.compiled.stream, this.identity.loadId);
  }

  /** How far its inputs have been read for it. */
  readSlots(): Promise<Slot[]> {
    return this.session.readSlots(this.compiled.stream, this.identity.pipelineId, this.compiled.inputs);
  }

  /** @param slots  what the commit makes of the slots of its inputs */
  async open(slots: readonly SlotUpdate[]): Promise<void> {
    const { stream, dataset, columns, load } = this.compiled;
    const request = { identity: this.identity, stream, dataset, slots, columns: columns.map(({ name, type }) => ({ name, type })), ...load };
    this.load = await this.session.load(request, this.signal);
  }

  /** Whether its segments of rows have no `_pos`. Known once it is open. */
  get unnumbered(): boolean {
    return this.opened.unnumbered ?? false;
  }

  async stage(segment: Segment): Promise<void> {
    await this.opened.stage(segment, this.signal);
    this.bytesStaged += segment.sizeBytes;
  }

  /** Keys of rows that were read and do not stand in the result any more. */
  async stageErased(segment: Segment): Promise<void> {
    await this.opened.stageErased(segment, this.signal);
    this.bytesStaged += segment.sizeBytes;
  }

  /** @returns how many rows the destination refuses */
  async storeRefused(store: StoreRejected): Promise<number> {
    this.rowsRefused = await storeLoadRejects(this.opened, this.identity.loadId, this.compiled.stream, store, this.signal);
    return this.rowsRefused;
  }

  async commit(): Promise<void> {
    if (this.committed) return;
    this.committed = await this.opened.commit(this.signal);
  }

  async abort(): Promise<void> {
    await this.load?.abort();
  }

  private get opened(): Load {
    if (!this.load) throw new PlatformError('INTERNAL', `The load of ${this.compiled.stream} was not opened.`);
    return this.load;
  }
}
