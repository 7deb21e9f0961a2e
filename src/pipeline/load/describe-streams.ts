import type { Session, StreamDescription } from '../../model/connector.js';
import { PlatformError } from '../../model/errors.js';
import type { PipelineSpec } from '../../model/pipeline-spec.js';
import type { CompileRequest } from '../../model/run-process.js';

/** The schemas found now, to bind a document to. @throws PlatformError STREAM_NOT_FOUND for an input that is not there */
export async function describeStreams(
  spec: PipelineSpec,
  sessions: ReadonlyMap<string, Session>,
  kindOf: (connection: string) => string,
): Promise<Omit<CompileRequest, 'spec'>> {
  const inputs = await Promise.all(
    Object.entries(spec.inputs).map(async ([alias, { connection, stream }]): Promise<[string, StreamDescription]> => {
      const found = await sessionOf(sessions, connection).describe(stream);
      if (!found)
        throw new PlatformError(
          'STREAM_NOT_FOUND',
          `Input "${alias}": there is no table or view ${stream} in connection "${connection}". Check the name, and that its user may see it.`,
        );
      return [alias, found];
    }),
  );
  const outputs = await Promise.all(
    spec.outputs.map(async ({ connection, stream }) => {
      const session = sessionOf(sessions, connection);
      return { kind: kindOf(connection), dataset: session.datasetOf(stream), existing: await session.describe(stream) };
    }),
  );
  const inputKinds = Object.fromEntries(Object.entries(spec.inputs).map(([alias, { connection }]) => [alias, kindOf(connection)]));
  return { inputs: Object.fromEntries(inputs), inputKinds, outputs };
}

function sessionOf(sessions: ReadonlyMap<string, Session>, connection: string): Session {
  const session = sessions.get(connection);
  if (!session) throw new PlatformError('INTERNAL', `Connection "${connection}" was not handed over.`);
  return session;
}
