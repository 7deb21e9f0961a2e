import type { Connector } from '../../model/connector.js';
import { configProblems, toFileConfig } from './config.js';
import { FileSession } from './session.js';
import { loadProblem, parseStream, streamOf } from './stream-name.js';
import { assignable, readConversion, writeConversion } from './types.js';

/**
 * CSV, NDJSON and Parquet files below a folder of this machine.
 *
 * @param roots  the folders below which connections may lie, asked for at each use
 */
export function createFileConnector(roots: () => readonly string[]): Connector {
  return {
    kind: 'file',
    secretFields: [],
    configProblems,
    datasetNamespace: () => 'file',
    normalizeStream: (stream) => parseStream(stream)?.name ?? null,
    readConversion,
    isCursorType: () => false,
    columnNameProblem: (name) => (name.trim() === name && name !== '' && !/[\r\n\0]/.test(name) ? null : 'a header cannot hold it'),
    writeConversion,
    createType: (type) => type,
    assignable,
    loadProblem: (stream, mode) => loadProblem(streamOf(stream), mode),
    open: (config) => new FileSession(toFileConfig(config), roots()),
  };
}
