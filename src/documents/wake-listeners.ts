import { type Connection, Schema } from 'mongoose';
import { guarded as guardedAs } from './guarded.js';

/** A process that listens for wake-ups on a loopback port. */
export interface WakeListener {
  _id: string;
  /** Name of the machine: loopback reaches no other. */
  host: string;
  port: number;
  /** What a connection must send first. */
  token: string;
  seenAt: Date;
}

const schema = new Schema<WakeListener>(
  {
    _id: { type: String, required: true },
    host: { type: String, required: true },
    port: { type: Number, required: true },
    token: { type: String, required: true },
    seenAt: { type: Date, required: true },
  },
  { versionKey: false, collection: 'wakeListeners', strict: 'throw' },
);

/** So long after its last sign of life a listener counts as gone, in milliseconds. */
const goneAfterMs = 30_000;

/** Who listens, kept in a small collection. */
export class WakeListeners {
  private readonly listeners: ReturnType<typeof listenerModel>;

  constructor(connection: Connection) {
    this.listeners = listenerModel(connection);
  }

  async prepare(): Promise<void> {
    await guarded(() => this.listeners.createCollection());
  }

  /** To be repeated every few seconds: that is the sign of life. */
  async register({ _id, host, port, token }: Omit<WakeListener, 'seenAt'>): Promise<void> {
    await guarded(() => this.listeners.updateOne({ _id }, { $set: { host, port, token, seenAt: new Date() } }, { upsert: true }));
  }

  async remove(id: string): Promise<void> {
    await guarded(() => this.listeners.deleteOne({ _id: id }));
  }

  /** Those on a machine that are alive; what is gone is removed. */
  async alive(host: string): Promise<WakeListener[]> {
    const since = new Date(Date.now() - goneAfterMs);
    const found = await guarded(() => this.listeners.find({ host }).lean<WakeListener[]>());
    const gone = found.filter(({ seenAt }) => seenAt < since).map(({ _id }) => _id);
    if (gone.length > 0) await guarded(() => this.listeners.deleteMany({ _id: { $in: gone }, seenAt: { $lt: since } }));
    return found.filter(({ _id }) => !gone.includes(_id));
  }
}

function listenerModel(connection: Connection) {
  return connection.model('WakeListener', schema);
}

function guarded<T>(operation: () => Promise<T>): Promise<T> {
  return guardedAs('wake-up listeners', operation);
}
