import type { PartLog } from './part-error.js';
import type { MongodbKind, PartSettings } from './part-settings.js';
import type { ProcessRegistry } from './process-registry.js';
import type { SupervisedProcess } from './supervised-process.js';

/** What every embedded part needs to start. */
export interface PartContext {
  readonly stateFolder: string;
  readonly cache: string;
  readonly settings: PartSettings;
  readonly registry: ProcessRegistry;
  /** null: the first that can be had, and from then on that one. */
  readonly mongodbKind: MongodbKind | null;
  readonly log: PartLog;
  /** Aborted when another part could not be started. */
  readonly signal: AbortSignal;
}

export interface StartedPart<Address> {
  readonly address: Address;
  /** null: not ours, its address was given. */
  readonly process: SupervisedProcess | null;
}

export interface Neo4jAddress {
  readonly uri: string;
  readonly user: string;
  readonly password: string;
}
export interface MongodbAddress {
  readonly uri: string;
}
export interface PostgresAddress {
  /** Of a superuser or of one who may create databases. */
  readonly url: string;
}

export interface PartAddresses {
  readonly neo4j: Neo4jAddress;
  readonly mongodb: MongodbAddress;
  readonly postgres: PostgresAddress;
}
