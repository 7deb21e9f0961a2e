import { availableParallelism } from 'node:os';
import neo4j, { type Driver, type ManagedTransaction, type Session } from 'neo4j-driver';
import { ConcurrencyLimit } from '../lib/concurrency-limit.js';
import { toGraphError } from './errors.js';
import { migrate } from './migrations.js';
import { toParameters } from './parameters.js';
import type { Statement } from './statement.js';
import type { GraphTransaction } from './transaction.js';

export interface GraphSettings {
  /** `bolt://…` or `neo4j://…` */
  readonly uri: string;
  readonly user: string;
  readonly password: string;
  readonly database?: string;
}

export interface ReadOptions {
  /** After this long the server ends the transaction with GRAPH_TIMEOUT; milliseconds. */
  readonly timeoutMs?: number;
  /** True for questions that may touch much of the graph: as many at once as there are cores, the others wait. */
  readonly large?: boolean;
}

const readTimeoutMs = 15_000;
const writeTimeoutMs = 60_000;

/** The only door to Neo4j. Every method rejects with GRAPH_UNAVAILABLE or GRAPH_TIMEOUT when the server is at fault. */
export class Graph {
  readonly #driver: Driver;
  readonly #settings: GraphSettings;
  /** Every session sees what the ones before it wrote, on a cluster too. */
  readonly #bookmarks = neo4j.bookmarkManager();
  readonly #large = new ConcurrencyLimit(availableParallelism());

  constructor(settings: GraphSettings) {
    this.#settings = settings;
    this.#driver = neo4j.driver(settings.uri, neo4j.auth.basic(settings.user, settings.password), {
      disableLosslessIntegers: true,
      connectionAcquisitionTimeout: 10_000,
      connectionTimeout: 5_000,
      maxTransactionRetryTime: 15_000,
    });
  }

  read<Params, Result>(statement: Statement<Params, Result>, params: Params, options: ReadOptions = {}): Promise<Result[]> {
    return this.readTransaction((transaction) => transaction.run(statement, params), options);
  }

  write<Params, Result>(statement: Statement<Params, Result>, params: Params): Promise<Result[]> {
    return this.transaction((transaction) => transaction.run(statement, params));
  }

  /** Several reads in one transaction. `work` may be called again, so it must have no other effects. */
  readTransaction<T>(work: (transaction: GraphTransaction) => Promise<T>, { timeoutMs = readTimeoutMs, large = false }: ReadOptions = {}): Promise<T> {
    const read = (): Promise<T> =>
      this.#inSession(neo4j.session.READ, (session) => session.executeRead((managed) => work(bind(managed)), { timeout: timeoutMs }));
    return large ? this.#large.run(read) : read();
  }

  /**
   * One write transaction. `work` may be called again after a deadlock or a lost connection, the first time's commit
   * result then being unknown: it must have no other effects, and recognise its own earlier success where that matters.
   */
  transaction<T>(work: (transaction: GraphTransaction) => Promise<T>): Promise<T> {
    return this.#inSession(neo4j.session.WRITE, (session) => session.executeWrite((managed) => work(bind(managed)), { timeout: writeTimeoutMs }));
  }

  /** Resolves when the server answers and lets us in. */
  async ready(): Promise<void> {
    try {
      await this.#driver.verifyConnectivity(this.#database());
    } catch (error) {
      throw toGraphError(error, this.#settings.uri);
    }
  }

  /**
   * Brings the graph to the format of this program. Safe at every start and from several processes at once.
   *
   * @throws PlatformError CONFIG_INVALID when a newer program has written the graph
   */
  async migrate(): Promise<void> {
    await migrate((statement, params) => this.write(statement, params));
  }

  async close(): Promise<void> {
    await this.#driver.close();
  }

  async #inSession<T>(defaultAccessMode: 'READ' | 'WRITE', work: (session: Session) => Promise<T>): Promise<T> {
    const session = this.#driver.session({ ...this.#database(), defaultAccessMode, bookmarkManager: this.#bookmarks, fetchSize: -1 });
    try {
      return await work(session);
    } catch (error) {
      throw toGraphError(error, this.#settings.uri);
    } finally {
      await session.close();
    }
  }

  #database(): { database?: string } {
    return this.#settings.database === undefined ? {} : { database: this.#settings.database };
  }
}

function bind(managed: ManagedTransaction): GraphTransaction {
  return {
    async run(statement, params) {
      const { records } = await managed.run(statement.text, toParameters(params));
      return records.map(statement.decode);
    },
  };
}
