import { Arg, Mutation, Query, Resolver } from 'type-graphql';
import type { Connection } from '../model/connection.js';
import type { StreamDescription } from '../model/connector.js';
import { PlatformError } from '../model/errors.js';
import type { ConnectionService } from '../services/connections.js';
import { JsonScalar } from './scalars.js';
import { ConnectionCheckType, ConnectionType, StreamInfoType } from './types/connections.js';

@Resolver(() => ConnectionType)
export class ConnectionResolver {
  constructor(private readonly connections: ConnectionService) {}

  @Query(() => [ConnectionType], { name: 'connections' })
  list(): Promise<Connection[]> {
    return this.connections.list();
  }

  @Query(() => [StreamInfoType], { description: 'What a connection can read, at most 1,000 streams, by name.' })
  async discover(@Arg('connection', () => String) connection: string): Promise<StreamInfoType[]> {
    const streams = await this.connections.discover(connection);
    return streams.map(streamInfo);
  }

  @Mutation(() => ConnectionType, { description: 'Secret fields of `config` take ${env:TRIBUTARY_SECRET_…} references only.' })
  createConnection(
    @Arg('name', () => String) name: string,
    @Arg('kind', () => String) kind: string,
    @Arg('config', () => JsonScalar) config: unknown,
  ): Promise<Connection> {
    return this.connections.create({ name, kind, config: asObject(config) });
  }

  @Mutation(() => ConnectionCheckType, { description: 'Tries a connection now.' })
  checkConnection(@Arg('name', () => String) name: string): Promise<ConnectionCheckType> {
    return this.connections.check(name);
  }

  @Mutation(() => Boolean, { description: 'false: there was none of this name. An error while a saved pipeline uses it.' })
  deleteConnection(@Arg('name', () => String) name: string): Promise<boolean> {
    return this.connections.delete(name);
  }
}

function streamInfo({ stream, dataset, columns, primaryKey, cursorCandidates }: StreamDescription): StreamInfoType {
  return {
    name: stream,
    namespace: dataset.namespace,
    columns: columns.map(({ name, type, nullable, ordinal }) => ({ name, type, nullable, ordinal })),
    primaryKey: [...primaryKey],
    cursorCandidates: [...cursorCandidates],
  };
}

function asObject(config: unknown): Record<string, unknown> {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new PlatformError(
      'BAD_USER_INPUT',
      '`config` must be an object, such as {host: "localhost", port: 5432, database: "shop", user: "shop", password: "${env:TRIBUTARY_SECRET_SHOP}"}.',
    );
  }
  return config as Record<string, unknown>;
}
