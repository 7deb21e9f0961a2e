import type { Connector } from '../../model/connector.js';
import { assignable } from './assignable.js';
import { configProblems, datasetNamespace, secretFields, toPostgresConfig } from './config.js';
import { cursorType } from './cursor-type.js';
import { formatTableName, isIdentifier, parseTableName } from './identifiers.js';
import { keepsText } from './keeps-text.js';
import { PostgresSession } from './session.js';
import { createType, readConversion, writeConversion } from './types.js';

/** PostgreSQL 13 and newer, read by `COPY … TO STDOUT` and written by `COPY … FROM STDIN`. */
export const postgresConnector: Connector = {
  kind: 'postgres',
  secretFields,
  configProblems,
  datasetNamespace,
  normalizeStream(stream) {
    const table = parseTableName(stream);
    return table && formatTableName(table);
  },
  readConversion,
  isCursorType: (storeType) => cursorType(storeType) !== null,
  columnNameProblem: (name) => (isIdentifier(name) ? null : 'PostgreSQL keeps at most 63 bytes of a name'),
  writeConversion,
  createType,
  assignable,
  keepsText,
  open: (config, namespace) => new PostgresSession(toPostgresConfig(config), namespace),
};
