import { createConnection, deleteConnection, findConnections, listConnections, lockConnection } from '../graph/connections.js';
import type { Graph } from '../graph/graph.js';
import { lockMark, newId } from '../graph/ids.js';
import type { Connection } from '../model/connection.js';
import type { Connector, Session, StreamDescription } from '../model/connector.js';
import { type ErrorRecord, isPlatformError, PlatformError, toErrorRecord } from '../model/errors.js';
import type { ResolvedConnection } from '../model/run-process.js';
import { secretProblems, withSecrets } from './connection-secrets.js';
import { longestList, wholeList } from './pages.js';

export interface ConnectionServiceParts {
  readonly graph: Graph;
  /** By kind. */
  readonly connectors: Readonly<Record<string, Connector>>;
  /** The value of a variable whose name begins TRIBUTARY_SECRET_. */
  readonly secret: (name: string) => string | undefined;
}

export interface ConnectionCheck {
  readonly ok: boolean;
  readonly latencyMs: number;
  readonly error: ErrorRecord | null;
}

const nameForm = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/;

/** Outside systems by name. */
export class ConnectionService {
  constructor(private readonly parts: ConnectionServiceParts) {}

  /** @throws PlatformError BAD_USER_INPUT with every problem of the config; CONFLICT when the name is taken */
  async create({ name, kind, config }: Pick<Connection, 'name' | 'kind' | 'config'>): Promise<Connection> {
    const connector = this.#connectorOf(kind);
    const problems = [
      ...(nameForm.test(name) ? [] : ['The name must have 1 to 100 letters, digits, `_`, `-` or `.`, and not begin with `-` or `.`.']),
      ...secretProblems(config, connector.secretFields),
      ...connector.configProblems(config),
    ];
    if (problems.length > 0) throw new PlatformError('BAD_USER_INPUT', problems.join(' '));
    const id = newId('conn');
    const datasetNamespace = connector.datasetNamespace(config);
    const [made] = await this.parts.graph.write(createConnection, { id, name, kind, config: JSON.stringify(config), datasetNamespace });
    if (made?.id !== id) throw new PlatformError('CONFLICT', `There is a connection ${name} already; choose another name or delete that one first.`);
    return made;
  }

  /** Connects once and says how that went. @throws PlatformError NOT_FOUND */
  async check(name: string): Promise<ConnectionCheck> {
    const connection = await this.#find(name);
    const startedAt = performance.now();
    const error = await this.#failureOf(connection);
    return { ok: error === null, latencyMs: performance.now() - startedAt, error };
  }

  /**
   * @returns false when there was none
   * @throws PlatformError CONFLICT while a saved pipeline uses it
   */
  delete(name: string): Promise<boolean> {
    return this.parts.graph.transaction(async (transaction) => {
      const [users] = await transaction.run(lockConnection, { name, lock: lockMark() });
      if (users === undefined) return false;
      if (users.length > 0) {
        throw new PlatformError('CONFLICT', `Connection ${name} is used by ${users.join(', ')}; delete or change what uses it first.`, {
          context: { connection: name },
        });
      }
      await transaction.run(deleteConnection, { name });
      return true;
    });
  }

  /** By name. */
  async list(): Promise<Connection[]> {
    return wholeList(await this.parts.graph.read(listConnections, { limit: longestList + 1 }), 'connections');
  }

  /** Connections of these names; a name that is not there has none. */
  async find(names: readonly string[]): Promise<Map<string, Connection>> {
    const found = await this.parts.graph.read(findConnections, { names });
    return new Map(found.map((connection) => [connection.name, connection]));
  }

  /** What can be read from a connection. @throws PlatformError NOT_FOUND, SECRET_MISSING, CONNECTION_FAILED, ACCESS_DENIED */
  async discover(name: string): Promise<StreamDescription[]> {
    const session = await this.open(name);
    try {
      return await session.discover();
    } finally {
      await session.close();
    }
  }

  /** The caller closes the session. @throws PlatformError NOT_FOUND, SECRET_MISSING */
  async open(name: string): Promise<Session> {
    return this.openFound(await this.#find(name));
  }

  /** The caller closes the session. @throws PlatformError SECRET_MISSING */
  openFound(connection: Connection): Session {
    const connector = this.#connectorOf(connection.kind);
    return connector.open(withSecrets(connection, connector, this.parts.secret), connection.datasetNamespace);
  }

  /** Connections with their secrets in place: for a run's process only. @throws PlatformError NOT_FOUND, SECRET_MISSING */
  async resolve(names: readonly string[]): Promise<Record<string, ResolvedConnection>> {
    const found = await this.find(names);
    return Object.fromEntries(
      names.map((name) => {
        const connection = found.get(name);
        if (connection === undefined) throw noConnection(name);
        const { kind, datasetNamespace } = connection;
        return [name, { name, kind, datasetNamespace, config: withSecrets(connection, this.#connectorOf(kind), this.parts.secret) }];
      }),
    );
  }

  async #find(name: string): Promise<Connection> {
    const connection = (await this.find([name])).get(name);
    if (connection === undefined) throw noConnection(name);
    return connection;
  }

  async #failureOf(connection: Connection): Promise<ErrorRecord | null> {
    let session: Session | null = null;
    try {
      session = this.openFound(connection);
      await session.check();
      return null;
    } catch (error) {
      if (!isPlatformError(error)) throw error;
      return toErrorRecord(error);
    } finally {
      await session?.close();
    }
  }

  #connectorOf(kind: string): Connector {
    const { connectors } = this.parts;
    const connector = Object.hasOwn(connectors, kind) ? connectors[kind] : undefined;
    if (connector === undefined)
      throw new PlatformError('BAD_USER_INPUT', `There is no connector of kind ${kind}; there are: ${Object.keys(connectors).join(', ')}.`);
    return connector;
  }
}

function noConnection(name: string): PlatformError {
  return new PlatformError('NOT_FOUND', `There is no connection ${name}; make it first, or use one that is listed.`, { context: { connection: name } });
}
