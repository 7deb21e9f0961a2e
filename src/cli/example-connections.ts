import { z } from 'zod';
import { ApiError, type GraphqlClient } from './graphql-client.js';

const configSchema = z.record(z.string(), z.unknown());
const connectionsSchema = z.object({ connections: z.array(z.object({ name: z.string(), config: configSchema, datasetNamespace: z.string() })) });
const createdSchema = z.object({ createConnection: z.object({ datasetNamespace: z.string() }) });

/** Creates the connection unless it is there. @returns the namespace of its datasets */
export async function ensureConnection(client: GraphqlClient, name: string, config: Readonly<Record<string, unknown>>): Promise<string> {
  const { connections } = await client.ask('{ connections { name config datasetNamespace } }', {}, connectionsSchema);
  const found = connections.find((connection) => connection.name === name);
  if (found === undefined) {
    const { createConnection } = await client.ask(
      'mutation ($name: String!, $config: JSON!) { createConnection(name: $name, kind: "postgres", config: $config) { datasetNamespace } }',
      { name, config },
      createdSchema,
    );
    return createConnection.datasetNamespace;
  }
  const different = Object.keys(config).filter((field) => found.config[field] !== config[field]);
  if (different.length === 0) return found.datasetNamespace;
  throw new ApiError(
    'CONFLICT',
    `There is a connection "${name}" with another ${different.join(' and ')} than the example's. Set TRIBUTARY_EXAMPLE=no to start without the example.`,
  );
}
