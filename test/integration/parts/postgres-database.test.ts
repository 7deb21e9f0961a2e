import { describe, expect, it } from '@jest/globals';
import { createDatabase } from '../../support/postgres.js';

describe('createDatabase', () => {
  it('makes an empty database of its own and removes it', async () => {
    const database = await createDatabase('support');
    await database.query('CREATE TABLE numbers AS SELECT n FROM generate_series(1, 3) AS n');
    expect(await database.query('SELECT n FROM numbers ORDER BY n')).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    await database.drop();

    const other = await createDatabase('support');
    expect(await other.query('SELECT datname FROM pg_database WHERE datname = $1', [database.name])).toEqual([]);
    await other.drop();
  });
});
