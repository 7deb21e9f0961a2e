import neo4j, { type Driver } from 'neo4j-driver';
import { loadId } from '../../../src/model/load-id.js';
import { eventually } from '../../support/eventually.js';
import type { Point } from './cases.js';
import type { ClosedGate, CrashShop, Gate } from './shop.js';
import type { KillableStores } from './stores.js';

export interface PlaceParts {
  readonly shop: CrashShop;
  readonly stores: KillableStores;
  start(): Promise<string>;
  /** Rows that a run has read and rejected so far. */
  progressOf(runId: string): Promise<{ readonly rowsRead: number; readonly rowsRejected: number }>;
}

/** A run that is held at one point of its way. */
export class Place {
  runId = '';
  private readonly undo: (() => Promise<unknown>)[] = [];
  private gate: Gate | null = null;
  private closed: ClosedGate | null = null;
  private waiting: readonly number[] = [];

  constructor(private readonly parts: PlaceParts) {}

  /** Another attempt of the run has come to the same point. */
  async reachedAgain(): Promise<void> {
    await this.closed?.reached(this.waiting);
  }

  /** Its gate has died with PostgreSQL. Nothing of the run may be on its way to it. */
  async closeAgain(): Promise<void> {
    if (this.gate !== null) await this.closeGate(this.gate);
    this.waiting = [];
  }

  /** The run has gone on, this attempt of it or another, to another gate. */
  async moveOn(gate: Gate): Promise<void> {
    const before = this.closed;
    await this.closeGate(gate);
    await before?.open();
    this.waiting = (await this.closed?.reached()) ?? [];
  }

  /** Lets everything go on. What has been killed meanwhile holds nothing any more. */
  async leave(): Promise<void> {
    for (const undo of this.undo.splice(0).reverse()) await undo().catch(() => undefined);
  }

  /** Starts a run; resolves when it has come to the point. */
  async reach(point: Point): Promise<void> {
    switch (point) {
      case 'before stage':
        return this.startBefore('before the first row');
      case 'mid-stage':
      case 'mid-stage, twice in a row':
        return this.startBefore('behind many rows');
      case 'before merge':
        await this.startBefore('behind many rows');
        return this.moveOn('before the merge');
      case 'before commit':
        return this.startBefore('in the commit');
      case 'after commit, before it is recorded':
        await this.startBefore('in the commit');
        await this.holdRunNode();
        return this.commit();
      case 'while dead letters are opened':
        await this.startBefore('in the commit');
        await this.stopMongodb();
        await this.commit();
        await eventually('the process of the run has ended', async () => (await this.parts.shop.sessions()).length === 0);
        return;
      case 'while letters and log are written':
        await this.startBefore('behind many rows');
        await this.stopMongodb();
        await this.closed?.open();
        await eventually('everything is read', async () => (await this.parts.progressOf(this.runId)).rowsRejected > 0);
    }
  }

  private async startBefore(gate: Gate): Promise<void> {
    await this.closeGate(gate);
    this.runId = await this.parts.start();
    this.waiting = (await this.closed?.reached()) ?? [];
  }

  private async commit(): Promise<void> {
    await this.closed?.open();
    await eventually('the load is committed', async () => (await this.parts.shop.loads(this.runId)).length === 1);
  }

  private async closeGate(gate: Gate): Promise<void> {
    const closed = await this.parts.shop.close(gate, loadId(this.runId, 0));
    this.gate = gate;
    this.closed = closed;
    this.undo.push(() => closed.open());
  }

  private async stopMongodb(): Promise<void> {
    await this.parts.stores.signal('mongodb', 'SIGSTOP');
    this.undo.push(() => this.parts.stores.signal('mongodb', 'SIGCONT'));
  }

  /** Nobody can write to the run's node. */
  private async holdRunNode(): Promise<void> {
    const { uri, user, password } = this.parts.stores.graph;
    const driver: Driver = neo4j.driver(uri, neo4j.auth.basic(user, password));
    const transaction = driver.session().beginTransaction();
    await transaction.run('MATCH (run:Run {id: $id}) SET run.heldByTest = true', { id: this.runId });
    this.undo.push(() => driver.close());
  }
}
