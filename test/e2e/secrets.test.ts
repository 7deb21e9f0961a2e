import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MongoClient } from 'mongodb';
import neo4j from 'neo4j-driver';
import { connect, saveAndRun, secretReference } from '../support/pipelines.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { servers } from '../support/servers.js';
import { startTributary, type Tributary } from '../support/tributary.js';

const secret = 'k3Yq-never-to-be-seen-8842';

describe('a password', () => {
  let database: TestDatabase;
  let tributary: Tributary;
  const role = `secretive_${process.pid}`;

  beforeAll(async () => {
    database = await createDatabase('secrets');
    await database.query(`CREATE ROLE ${role} LOGIN PASSWORD '${secret}'`);
    await database.query(`CREATE TABLE source AS SELECT i AS id, 'x' AS amount FROM generate_series(1, 3) AS i`);
    await database.query(`GRANT ALL ON SCHEMA public TO ${role}; GRANT ALL ON source TO ${role}`);
    tributary = await startTributary({ TRIBUTARY_SECRET_TEST: secret });
    await connect(tributary, { ...database, user: role });
  });
  afterAll(async () => {
    await tributary?.stop();
    await database?.query(`DROP OWNED BY ${role}`);
    await database?.query(`DROP ROLE ${role}`);
    await database?.drop();
  });

  it('is used, and stands in no answer, log, file, document or node', async () => {
    const spec = `{version: 1, name: letters, namespace: ${database.name}, inputs: {rows: {connection: ${database.name}, stream: source}},
      steps: [{id: typed, cast: {from: rows, columns: {amount: INTEGER}, onError: reject}}],
      outputs: [{from: typed, connection: ${database.name}, stream: target, load: {mode: append}}]}`;
    expect(await saveAndRun(tributary, spec)).toMatchObject({ state: 'COMPLETE', metrics: { rowsRejected: 3 } });
    await database.query(`ALTER ROLE ${role} PASSWORD 'another'`);
    const run = await saveAndRun(tributary, spec.replace('name: letters', 'name: refused')).catch((error: Error) => error.message);
    expect(run).toMatch(/ACCESS_DENIED/);
    const answers = await tributary.send(
      '{ connections { name config } runs { edges { node { id error { message } params: metrics { rowsRead } } } } deadLetters { edges { node { row message } } } }',
    );
    expect(JSON.stringify(answers)).toContain(secretReference('TRIBUTARY_SECRET_TEST'));
    for (const [place, text] of [
      ['answers', JSON.stringify(answers)],
      ['output', tributary.output()],
      ['files', await filesIn(tributary.stateFolder)],
      ['documents', await allDocuments()],
      ['graph', await allProperties()],
    ] as const) {
      expect({ place, holds: text.includes(secret) }).toEqual({ place, holds: false });
    }
  });

  it('as a literal is refused, and not repeated in the refusal', async () => {
    const config = { host: database.host, port: database.port, database: database.name, user: role, password: secret };
    const answer = await tributary.send('mutation ($config: JSON!) { createConnection(name: "literal", kind: "postgres", config: $config) { id } }', {
      config,
    });
    expect(answer.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
    expect(JSON.stringify(answer)).not.toContain(secret);
  });

  it('is not given to a field that is no secret, nor is any other variable', async () => {
    for (const [field, reference] of [
      ['host', secretReference('TRIBUTARY_SECRET_TEST')],
      ['password', secretReference('NEO4J_PASSWORD')],
      ['password', secretReference('PATH')],
    ] as const) {
      const config = {
        host: database.host,
        port: database.port,
        database: database.name,
        user: role,
        password: secretReference('TRIBUTARY_SECRET_TEST'),
        [field]: reference,
      };
      const answer = await tributary.send('mutation ($config: JSON!) { createConnection(name: "stolen", kind: "postgres", config: $config) { id } }', {
        config,
      });
      expect(answer.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
    }
  });
});

async function filesIn(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.parentPath, entry.name), 'latin1'));
  return (await Promise.all(files)).join('\n');
}

async function allDocuments(): Promise<string> {
  const client = await MongoClient.connect(servers.mongodb.uri);
  try {
    const { databases } = await client.db('admin').admin().listDatabases();
    const collections = await Promise.all(
      databases.map(async ({ name }) =>
        client
          .db(name)
          .listCollections()
          .toArray()
          .then((found) => found.map((each) => ({ database: name, name: each.name }))),
      ),
    );
    const documents = await Promise.all(collections.flat().map(({ database, name }) => client.db(database).collection(name).find().toArray()));
    expect(documents.flat().length).toBeGreaterThan(0);
    return JSON.stringify(documents);
  } finally {
    await client.close();
  }
}

async function allProperties(): Promise<string> {
  const driver = neo4j.driver(servers.neo4j.uri, neo4j.auth.basic(servers.neo4j.user, servers.neo4j.password));
  try {
    const { records } = await driver.executeQuery('MATCH (n) RETURN properties(n) AS properties UNION ALL MATCH ()-[e]->() RETURN properties(e) AS properties');
    expect(records.length).toBeGreaterThan(0);
    return JSON.stringify(records.map((record) => record.get('properties') as unknown));
  } finally {
    await driver.close();
  }
}
