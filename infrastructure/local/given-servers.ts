import { MongoClient } from 'mongodb';
import neo4j from 'neo4j-driver';
import { Client } from 'pg';
import type { PartAddresses } from './part-context.js';
import { PartError, type PartName, partTitles } from './part-error.js';

const withinMs = 10_000;

/** Which variable of `npm start` replaces which embedded part. */
export const replacedBy: Readonly<Record<PartName, string>> = {
  neo4j: 'NEO4J_URI',
  mongodb: 'MONGODB_URI',
  postgres: 'TRIBUTARY_EXAMPLE_POSTGRES_URL',
};

/** Logs in to a server that is not ours, so that a wrong address or password is told at the start. */
export const logins: { readonly [Name in PartName]: (address: PartAddresses[Name]) => Promise<void> } = {
  neo4j: async ({ uri, user, password }) => {
    const driver = neo4j.driver(uri, neo4j.auth.basic(user, password), { connectionTimeout: withinMs, connectionAcquisitionTimeout: withinMs });
    await driver.getServerInfo().finally(() => driver.close());
  },
  mongodb: async ({ uri }) => {
    const client = new MongoClient(uri, { serverSelectionTimeoutMS: withinMs });
    await client
      .db('admin')
      .command({ ping: 1 })
      .finally(() => client.close());
  },
  postgres: async ({ url }) => {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: withinMs });
    await client.connect().finally(() => client.end());
  },
};

/** @throws PartError that shows neither address nor login */
export async function checkGiven<Name extends PartName>(part: Name, address: PartAddresses[Name]): Promise<void> {
  try {
    await logins[part](address);
  } catch (error) {
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'no answer';
    const advice = `Check the address and the login, or leave ${replacedBy[part]} out to use the embedded server.`;
    throw new PartError(part, `${partTitles[part]} at the address in ${replacedBy[part]} could not be used (${code}). ${advice}`);
  }
}
