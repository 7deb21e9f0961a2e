import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { WakeCalls } from './wake-calls.js';
import type { WakeListeners } from './wake-listeners.js';
import type { WakeUps } from './wake-ups.js';

const aliveEveryMs = 5_000;
const longestLine = 64;
const mostConnections = 256;
const introductionWithinMs = 2_000;

/**
 * For a MongoDB that does not tell of changes: every process that listens does so on a loopback port that it has registered, and every
 * process that announces calls all of them. A line is the listener's token, every further one a position.
 */
export class SocketWakeUps implements WakeUps {
  private readonly id = randomUUID();
  private readonly token = randomBytes(24).toString('hex');
  private readonly calls: WakeCalls;
  private readonly connections = new Set<Socket>();
  private onWake: () => void = () => undefined;
  private server: Server | null = null;
  private alive: NodeJS.Timeout | undefined;

  constructor(
    private readonly listeners: WakeListeners,
    private readonly logger: Logger,
    private readonly host: string = hostname(),
  ) {
    this.calls = new WakeCalls(async () => (await listeners.alive(host)).filter(({ _id }) => _id !== this.id));
  }

  announce(position: number): void {
    this.onWake();
    this.calls.announce(position);
  }

  async listen(onWake: () => void): Promise<void> {
    const server = createServer((socket) => this.receive(socket));
    this.server = server;
    server.maxConnections = mostConnections;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    server.on('error', (error) => this.logger.warn({ err: error }, 'The listener for wake-ups failed; the log is looked at every second all the same.'));
    this.onWake = onWake;
    await this.register();
    this.alive = setInterval(() => void this.register(), aliveEveryMs);
  }

  async close(): Promise<void> {
    clearInterval(this.alive);
    this.calls.close();
    if (this.server === null) return;
    for (const socket of this.connections) socket.destroy();
    const closed = once(this.server, 'close');
    this.server.close();
    await closed;
    await this.listeners.remove(this.id).catch(() => undefined);
  }

  private async register(): Promise<void> {
    const address = this.server?.address();
    if (typeof address !== 'object' || address === null) return;
    try {
      await this.listeners.register({ _id: this.id, host: this.host, port: address.port, token: this.token });
    } catch (error) {
      this.logger.warn({ err: error }, 'This process could not be registered for wake-ups; the log is looked at every second all the same.');
    }
  }

  /** Whoever does not know the token, or sends anything but positions, is cut off. */
  private receive(socket: Socket): void {
    this.connections.add(socket);
    let introduced = false;
    let rest = '';
    const late = setTimeout(() => socket.destroy(), introductionWithinMs);
    socket.setEncoding('latin1').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      const wellFormed = lines.every((line) => {
        if (introduced) return /^\d{1,16}$/.test(line);
        introduced = line === this.token;
        return introduced;
      });
      if (!wellFormed || rest.length > longestLine) return void socket.destroy();
      if (!introduced) return;
      clearTimeout(late);
      if (lines.some((line) => line !== this.token)) this.onWake();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(late);
      this.connections.delete(socket);
    });
  }
}
