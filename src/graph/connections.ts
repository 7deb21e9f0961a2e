import type { Connection } from '../model/connection.js';
import { type Fields, fields, json, text, texts, time } from './decode.js';
import { nothing, statement } from './statement.js';
import type { Locking } from './transaction.js';

interface NewConnection {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  /** JSON */
  readonly config: string;
  readonly datasetNamespace: string;
}

function connection(record: Fields): Connection {
  const map = fields(record, 'connection');
  return {
    id: text(map, 'id'),
    name: text(map, 'name'),
    kind: text(map, 'kind'),
    config: json(map, 'config'),
    datasetNamespace: text(map, 'datasetNamespace'),
    createdAt: time(map, 'createdAt'),
  };
}

export const createConnection = statement<NewConnection, Connection>('connections/create', ['id', 'name', 'kind', 'config', 'datasetNamespace'], connection);
export const listConnections = statement<{ limit: number }, Connection>('connections/list', ['limit'], connection);
export const findConnections = statement<{ names: readonly string[] }, Connection>('connections/find', ['names'], connection);
/** Result: pipelines that use it, as `namespace/name`. */
export const lockConnection = statement<{ name: string } & Locking, string[]>('connections/lock', ['name', 'lock'], (record) => texts(record, 'users'));
export const deleteConnection = statement<{ name: string }, null>('connections/delete', ['name'], nothing);
