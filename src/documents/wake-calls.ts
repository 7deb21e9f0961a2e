import { connect, type Socket } from 'node:net';
import type { WakeListener } from './wake-listeners.js';

type Callee = Pick<WakeListener, '_id' | 'port' | 'token'>;

/** How long the list of listeners is believed, in milliseconds. */
const listForMs = 1_000;
/** A listener that takes nothing is told nothing more. */
const mostWaitingBytes = 16_384;

/** Calls every listener of other processes. What cannot be said is dropped: they look by themselves. */
export class WakeCalls {
  private readonly sockets = new Map<string, Socket>();
  private callees: readonly Callee[] = [];
  private listedAtMs = Number.NEGATIVE_INFINITY;
  private latest = 0;
  private told = 0;
  private telling = false;
  private closed = false;

  /** @param list  the listeners there are now */
  constructor(private readonly list: () => Promise<readonly Callee[]>) {}

  announce(position: number): void {
    this.latest = Math.max(this.latest, position);
    if (!this.telling && !this.closed) void this.tell();
  }

  close(): void {
    this.closed = true;
    for (const socket of this.sockets.values()) socket.destroy();
    this.sockets.clear();
  }

  private async tell(): Promise<void> {
    this.telling = true;
    while (this.told < this.latest && !this.closed) {
      const position = this.latest;
      const refreshed = this.refresh();
      // Once there is a list, nobody waits for a newer one.
      if (this.callees.length === 0) await refreshed;
      for (const callee of this.callees) if (!this.closed) this.say(callee, position);
      this.told = position;
    }
    this.telling = false;
  }

  private async refresh(): Promise<void> {
    if (performance.now() - this.listedAtMs < listForMs) return;
    this.listedAtMs = performance.now();
    try {
      this.callees = await this.list();
    } catch {
      // MongoDB is away: those known are still told.
      return;
    }
    const ids = new Set(this.callees.map(({ _id }) => _id));
    for (const [id, socket] of this.sockets) if (!ids.has(id)) socket.destroy();
  }

  private say(callee: Callee, position: number): void {
    const socket = this.sockets.get(callee._id) ?? this.open(callee);
    if (socket.writableLength < mostWaitingBytes) socket.write(`${position}\n`);
  }

  private open({ _id, port, token }: Callee): Socket {
    const socket = connect({ host: '127.0.0.1', port });
    this.sockets.set(_id, socket);
    socket.setNoDelay(true).unref();
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      if (this.sockets.get(_id) === socket) this.sockets.delete(_id);
    });
    socket.write(`${token}\n`);
    return socket;
  }
}
