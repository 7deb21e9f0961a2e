import type { CommittedLoad, Load, LoadIdentity, LoadRequest, Session, StreamDescription } from '../../model/connector.js';
import type { DatasetRef } from '../../model/dataset.js';
import type { Reading, Slot } from '../../model/reading.js';
import { findLoad } from './bookkeeping.js';
import { describeTables, listTables } from './catalogue.js';
import { withClient } from './client.js';
import type { PostgresConfig } from './config.js';
import { formatTableName, type TableName, tableOf } from './identifiers.js';
import { openLoad } from './load.js';
import { endEarlierLoads } from './load-session.js';
import { openReading } from './reading.js';
import { readSlots } from './slots.js';

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

  openReading(signal: AbortSignal): Promise<Reading> {
    return openReading(this.config, signal);
  }

  readSlots(stream: string, pipelineId: string, inputs: readonly string[]): Promise<Slot[]> {
    const { schema } = tableOf(stream);
    return withClient(this.config, 'load', (client) => readSlots(client, schema, { pipelineId, output: this.datasetOf(stream).name, inputs }));
  }

  load(request: LoadRequest, signal: AbortSignal): Promise<Load> {
    return openLoad(this.config, tableOf(request.stream), request, signal);
  }

  endEarlier({ loadId, epoch }: Pick<LoadIdentity, 'loadId' | 'epoch'>): Promise<void> {
    return withClient(this.config, 'load', (client) => endEarlierLoads(client, loadId, epoch));
  }

  findLoad(stream: string, loadId: string): Promise<CommittedLoad | null> {
    return withClient(this.config, 'load', (client) => findLoad(client, tableOf(stream).schema, loadId));
  }

  async close(): Promise<void> {}

  private dataset(table: TableName): DatasetRef {
    return { namespace: this.datasetNamespace, name: `${this.config.database}.${formatTableName(table)}` };
  }
}
