import { delimiter } from 'node:path';
import type { Connector } from '../model/connector.js';
import { createFileConnector } from './file/connector.js';
import { postgresConnector } from './postgres/connector.js';

/** Set by the server for itself and its run processes, which have no other settings. */
const fileRoots = (): string[] => (process.env['TRIBUTARY_FILE_ROOTS'] ?? '').split(delimiter).filter((root) => root !== '');
const fileConnector = createFileConnector(fileRoots);

/** Every outside system that this platform can talk to, by kind. */
export const connectors: Readonly<Record<string, Connector>> = { [postgresConnector.kind]: postgresConnector, [fileConnector.kind]: fileConnector };
