import type { Connector } from '../model/connector.js';
import { postgresConnector } from './postgres/connector.js';

/** Every outside system that this platform can talk to, by kind. */
export const connectors: Readonly<Record<string, Connector>> = { [postgresConnector.kind]: postgresConnector };
