import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';
import { runEngine } from './run-engine.js';

describe('functions of the databases that name their tables without a schema', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createDatabase('searchpath');
    await database.query('CREATE TABLE rates (currency text, rate numeric(6,2)); CREATE TABLE audit (id integer)');
    await database.query(`INSERT INTO rates VALUES ('EUR', 1.25)`);
    await database.query(
      `CREATE FUNCTION rate_of(wanted text) RETURNS numeric LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT rate FROM rates WHERE currency = wanted); END'`,
    );
    await database.query(`CREATE VIEW priced AS SELECT 1 AS id, rate_of('EUR')::numeric(6,2) AS price`);
    await database.query(`CREATE TABLE target (id integer PRIMARY KEY, price numeric(6,2))`);
    await database.query(`CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO audit VALUES (NEW.id); RETURN NEW; END'`);
    await database.query('CREATE TRIGGER noted BEFORE INSERT ON target FOR EACH ROW EXECUTE FUNCTION note()');
  });
  afterAll(() => database?.drop());

  it('work in a view that is read and in a trigger of the table that is loaded', async () => {
    await runEngine({
      document: {
        inputs: { rows: { connection: 'database', stream: 'priced' } },
        outputs: [{ from: 'rows', connection: 'database', stream: 'target', load: { mode: 'upsert', key: ['id'] } }],
      },
      connections: { database },
    });
    expect(await database.query('SELECT target.id, price, audit.id AS audited FROM target JOIN audit USING (id)')).toEqual([
      { id: 1, price: '1.25', audited: 1 },
    ]);
  });
});
