import { setTimeout as wait } from 'node:timers/promises';
import mongoose, { type Connection } from 'mongoose';
import type { Logger } from 'pino';
import { PlatformError } from '../model/errors.js';
import { AuditStore } from './audit.js';
import { ChangeStreamWakeUps, watchLog } from './change-stream-wake-ups.js';
import { DeadLetterStore } from './dead-letters.js';
import { ImpactReportStore } from './impact-reports.js';
import { RunLogStore } from './run-log.js';
import { SocketWakeUps } from './socket-wake-ups.js';
import { WakeListeners } from './wake-listeners.js';
import type { WakeUps } from './wake-ups.js';

export interface DocumentsSettings {
  /** `mongodb://…` or `mongodb+srv://…`; may hold credentials, which appear in no message. */
  readonly uri: string;
  /** How long to go on trying before giving up, in milliseconds. */
  readonly connectTimeoutMs?: number;
  /** Impact reports to keep beside those that an audit entry names; 1,000 unless given. */
  readonly mostReports?: number;
}

/** The database handle that Agenda's backend is given. */
export type DocumentsDatabase = NonNullable<Connection['db']>;

const probeTimeoutMs = 2_000;
const operationTimeoutMs = 5_000;

/** The only door to MongoDB. */
export class Documents {
  readonly audit: AuditStore;
  readonly deadLetters: DeadLetterStore;
  readonly impactReports: ImpactReportStore;
  readonly runLog: RunLogStore;

  private constructor(
    private readonly connection: Connection,
    mostReports: number,
  ) {
    this.audit = new AuditStore(connection);
    this.deadLetters = new DeadLetterStore(connection);
    this.impactReports = new ImpactReportStore(connection, this.audit, mostReports);
    this.runLog = new RunLogStore(connection);
  }

  /**
   * Connects, trying again until `connectTimeoutMs` (default 30,000) is over, and makes the indexes.
   *
   * @throws PlatformError DOCUMENTS_UNAVAILABLE when MongoDB does not answer in time or refuses the credentials
   */
  static async open({ uri, connectTimeoutMs = 30_000, mostReports = 1_000 }: DocumentsSettings): Promise<Documents> {
    const connection = await connect(uri, performance.now() + connectTimeoutMs);
    const documents = new Documents(connection, mostReports);
    const { audit, deadLetters, impactReports, runLog } = documents;
    for (const store of [audit, deadLetters, impactReports, runLog]) await store.prepare();
    return documents;
  }

  get database(): DocumentsDatabase {
    if (this.connection.db === undefined) throw new PlatformError('DOCUMENTS_UNAVAILABLE', 'The connection to MongoDB is closed.', { retryable: true });
    return this.connection.db;
  }

  /** Resolves when MongoDB answers. @throws PlatformError DOCUMENTS_UNAVAILABLE */
  async ready(): Promise<void> {
    try {
      await this.database.admin().command({ ping: 1 }, { timeoutMS: probeTimeoutMs });
    } catch (error) {
      throw new PlatformError('DOCUMENTS_UNAVAILABLE', `MongoDB does not answer (${reason(error)}).`, { retryable: true });
    }
  }

  /** A change stream where MongoDB is a replica set. Nowhere else: an idle one takes a core of the emulator. */
  async wakeUps(logger: Logger): Promise<WakeUps> {
    if (await isReplicaSet(this.database)) return new ChangeStreamWakeUps(watchLog(this.connection), logger);
    const listeners = new WakeListeners(this.connection);
    await listeners.prepare();
    return new SocketWakeUps(listeners, logger);
  }

  async close(): Promise<void> {
    await this.connection.close();
  }
}

/** The emulator does not know `hello`. */
async function isReplicaSet(database: DocumentsDatabase): Promise<boolean> {
  const said = await database
    .admin()
    .command({ hello: 1 }, { timeoutMS: probeTimeoutMs })
    .catch(() => null);
  return typeof said?.['setName'] === 'string' || said?.['msg'] === 'isdbgrid';
}

async function connect(uri: string, deadline: number): Promise<Connection> {
  for (let pauseMs = 250; ; pauseMs = Math.min(pauseMs * 2, 2_000)) {
    const connection = mongoose.createConnection();
    try {
      // Collections come with their indexes: made twice at the same time, the second one fails on the emulator.
      await connection.openUri(uri, {
        serverSelectionTimeoutMS: probeTimeoutMs,
        socketTimeoutMS: 60_000,
        appName: 'tributary',
        autoIndex: false,
        autoCreate: false,
      });
      await connection.db?.admin().command({ ping: 1 });
      connection.set('bufferTimeoutMS', operationTimeoutMs);
      return connection;
    } catch (error) {
      await connection.close().catch(() => undefined);
      if (isHopeless(error) || performance.now() + pauseMs > deadline) throw unavailable(uri, error);
      await wait(pauseMs);
    }
  }
}

/** A refused password or a malformed address does not get better by waiting. */
function isHopeless(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ['MongoParseError', 'MongoAPIError', 'MongoInvalidArgumentError'].includes(error.name) || (error as { code?: unknown }).code === 18;
}

function unavailable(uri: string, error: unknown): PlatformError {
  const message = `MongoDB at ${hostsOf(uri)} cannot be used (${reason(error)}). Start it, or set MONGODB_URI to one that answers.`;
  return new PlatformError('DOCUMENTS_UNAVAILABLE', message, { retryable: !isHopeless(error) });
}

/** The class of the driver's error only: its text may quote the address with its credentials. */
function reason(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown error';
}

/** Host names and ports of a MongoDB address, without credentials, database and options. */
export function hostsOf(uri: string): string {
  const withoutScheme = uri.replace(/^[a-z+]*:\/\//i, '');
  const authority = withoutScheme.split(/[/?]/, 1)[0] ?? '';
  const atSign = withoutScheme.lastIndexOf('@');
  if (atSign < 0) return authority === '' ? 'the given address' : authority;
  return withoutScheme.slice(atSign + 1).split(/[/?]/, 1)[0] || 'the given address';
}
