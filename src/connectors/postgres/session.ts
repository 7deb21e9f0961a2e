import type { CommittedLoad, Load, LoadRequest, ReadRequest, Session, StreamDescription } from '../../model/connector.js';
import type { DatasetRef } from '../../model/dataset.js';
import { PlatformError } from '../../model/errors.js';
import type { Segment } from '../../model/segment.js';
import { findLoad } from './bookkeeping.js';
import { describeTables, listTables } from './catalogue.js';
import { withClient } from './client.js';
import type { PostgresConfig } from './config.js';
import { formatTableName, parseTableName, type TableName } from './identifiers.js';
import { openLoad } from './load.js';
import { readTable } from './read.js';

/** Every call takes connections of its own and gives them back, so that a session has nothing to hold. */
export class PostgresSession implements Session {
  constructor(
    private readonly config: PostgresConfig,
    private readonly datasetNamespace: string,
  ) {}

  check(): Promise<void> {
    return withClient(this.config, 'connect', async (client) => {
      await client.query('SELECT 1');
    });
  }

  discover(): Promise<StreamDescription[]> {
    return withClient(this.config, 'read', async (client) => describeTables(client, await listTables(client), (table) => this.dataset(table)));
  }

  async describe(stream: string): Promise<StreamDescription | null> {
    const table = tableOf(stream);
    const found = await withClient(this.config, 'read', (client) => describeTables(client, [table], () => this.dataset(table)));
    return found[0] ?? null;
  }

  datasetOf(stream: string): DatasetRef {
    return this.dataset(tableOf(stream));
  }

  read(request: ReadRequest, signal: AbortSignal): AsyncIterable<Segment> {
    return readTable(this.config, tableOf(request.stream), request, signal);
  }

  load(request: LoadRequest, signal: AbortSignal): Promise<Load> {
    return openLoad(this.config, tableOf(request.stream), request, signal);
  }

  findLoad(stream: string, loadId: string): Promise<CommittedLoad | null> {
    return withClient(this.config, 'load', (client) => findLoad(client, tableOf(stream).schema, loadId));
  }

  async close(): Promise<void> {}

  private dataset(table: TableName): DatasetRef {
    return { namespace: this.datasetNamespace, name: `${this.config.database}.${formatTableName(table)}` };
  }
}

function tableOf(stream: string): TableName {
  const table = parseTableName(stream);
  if (!table) throw new PlatformError('BAD_USER_INPUT', `"${stream}" is not the name of a PostgreSQL table: write schema.table.`);
  return table;
}
