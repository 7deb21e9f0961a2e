import { PlatformError } from '../model/errors.js';
import { integer } from './decode.js';
import { nothing, type Statement, statement } from './statement.js';

/** Format of the graph that this program reads and writes. */
export const schemaVersion = 1;

type None = Record<never, never>;
type Write = <Params, Result>(statement: Statement<Params, Result>, params: Params) => Promise<Result[]>;

const createMeta = statement<{ schemaVersion: number }, number>('meta/create', ['schemaVersion'], (record) => integer(record, 'schemaVersion'));
const awaitIndexes = statement<None, null>('meta/await-indexes', [], nothing);

/** Made first, so that two programs starting at once make one Meta node. */
const first = ['meta-id', 'queue-id'].map(constraint);
const others = [
  'connection-id',
  'connection-name',
  'job-id',
  'job-key',
  'pipeline-version',
  'run-id',
  'run-claim',
  'run-state',
  'run-queued',
  'run-pipeline',
  'run-start-key',
  'run-unlogged',
  'dataset-name',
  'dataset-id',
  'dataset-order',
  'column-id',
  'column-name',
  'dataset-version-id',
  'dataset-version-order',
  'dataset-schema-hash',
  'feeds-job',
  'derives-job',
  'influences-job',
  'tag-name',
].map(constraint);

/** Every constraint and index is made if it is not there, so an interrupted start does no harm. */
export async function migrate(write: Write): Promise<void> {
  for (const made of first) await write(made, {});
  const [found = schemaVersion] = await write(createMeta, { schemaVersion });
  if (found > schemaVersion) {
    throw new PlatformError(
      'CONFIG_INVALID',
      `The graph has format ${found}, but this program knows formats up to ${schemaVersion} only: start the newer program that wrote it, or point NEO4J_URI at another graph.`,
      { context: { found, known: schemaVersion } },
    );
  }
  for (const made of others) await write(made, {});
  await write(awaitIndexes, {});
}

function constraint(name: string): Statement<None, null> {
  return statement<None, null>(`constraints/${name}`, [], nothing);
}
