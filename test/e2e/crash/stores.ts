import { mkdtemp, readFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startParts } from '../../../infrastructure/local/parts.js';
import { eventually } from '../../support/eventually.js';
import { sent } from './signals.js';

export type StoreName = 'neo4j' | 'mongodb' | 'postgres';
type StartedParts = Awaited<ReturnType<typeof startParts<StoreName>>>;

/** Neo4j, MongoDB and PostgreSQL of one test's own, each in a folder of its own, to be killed, stopped in their tracks, and started again. */
export class KillableStores {
  private readonly folders = new Map<StoreName, string>();
  private readonly parts = new Map<StoreName, StartedParts>();
  private readonly processes = new Map<StoreName, number>();
  private readonly door = new Door();

  static async start(): Promise<KillableStores> {
    const stores = new KillableStores();
    await stores.door.open();
    for (const name of ['neo4j', 'mongodb', 'postgres'] as const) stores.folders.set(name, await mkdtemp(join(tmpdir(), `tributary-crash-${name}-`)));
    await Promise.all([...stores.folders.keys()].map((name) => stores.restart(name)));
    return stores;
  }

  /** Variables by which a server finds them. */
  get variables(): Record<string, string> {
    const { neo4j } = this.of('neo4j');
    const mongodb = `mongodb://127.0.0.1:${this.door.port}`;
    return {
      NEO4J_URI: neo4j.uri,
      NEO4J_USER: neo4j.user,
      NEO4J_PASSWORD: neo4j.password,
      MONGODB_URI: mongodb,
      TRIBUTARY_EXAMPLE_POSTGRES_URL: this.postgresUrl,
    };
  }

  get postgresUrl(): string {
    return this.of('postgres').postgres.url;
  }

  get graph(): { readonly uri: string; readonly user: string; readonly password: string } {
    return this.of('neo4j').neo4j;
  }

  /** One that has been killed gets nothing more until it is started again. @returns whether there was one to get it */
  async signal(name: StoreName, signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<boolean> {
    const pid = this.processes.get(name);
    if (pid === undefined || !sent(pid, signal)) return false;
    if (signal !== 'SIGKILL') return true;
    this.processes.delete(name);
    await eventually(`${name} is gone`, async () => !sent(pid, 0));
    return true;
  }

  /** Starts it again over its data, when it has been killed. */
  async restart(name: StoreName): Promise<void> {
    if (this.processes.has(name)) return;
    const stateFolder = this.folders.get(name) ?? '';
    // What PostgreSQL's children hold of a killed one's memory is let go of in their own time.
    const started = await eventually(
      `${name} starts`,
      () => startParts<StoreName>({ stateFolder, only: [name], log: () => undefined }).catch(() => null),
      60_000,
    );
    this.parts.set(name, started);
    this.processes.set(name, await this.pidOf(name));
    if (name === 'mongodb') this.door.target = Number(new URL(started.mongodb.uri).port);
  }

  async remove(): Promise<void> {
    await Promise.all([...this.parts.values()].map((parts) => parts.remove()));
    await this.door.close();
  }

  private of(name: StoreName): StartedParts {
    const parts = this.parts.get(name);
    if (!parts) throw new Error(`${name} was never started.`);
    return parts;
  }

  private async pidOf(name: StoreName): Promise<number> {
    const file = join(this.folders.get(name) ?? '', 'processes.json');
    const entries = JSON.parse(await readFile(file, 'utf8')) as { part: string; pid: number }[];
    const found = entries.find(({ part }) => part === name);
    if (!found) throw new Error(`${name} is not running.`);
    return found.pid;
  }
}

/** One address for the emulator, which listens on another port after each start. */
class Door {
  target = 0;
  private readonly sockets = new Set<Socket>();
  private readonly server: Server = createServer((client) => this.pass(client));

  get port(): number {
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  open(): Promise<void> {
    return new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private pass(client: Socket): void {
    const server = connect(this.target, '127.0.0.1');
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        this.sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }
}
