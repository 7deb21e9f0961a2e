import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { withDuckDb } from '../step-bench.js';

describe('the sandbox of a run, even with a statement of one’s own', () => {
  it.each([
    [`SELECT * FROM read_text('/etc/passwd')`],
    [`SELECT * FROM read_csv('/etc/passwd')`],
    [`SELECT * FROM '/etc/passwd'`],
    [`SELECT * FROM read_blob('/proc/self/environ')`],
    [`SELECT * FROM glob('/*')`],
    [`SELECT * FROM glob('/etc/*')`],
    [`SELECT * FROM read_text('http://127.0.0.1:1/x')`],
    [`ATTACH '/tmp/tributary-outside.db'`],
    [`COPY (SELECT 1) TO '/tmp/tributary-outside.csv'`],
    [`EXPORT DATABASE '/tmp/tributary-outside'`],
    [`INSTALL httpfs`],
    [`LOAD httpfs`],
    [`LOAD '/tmp/x.duckdb_extension'`],
    [`SET enable_external_access = true`],
    [`SET memory_limit = '100GB'`],
    [`SET allowed_directories = ['/']`],
    [`SET lock_configuration = false`],
    [`RESET lock_configuration`],
    [`PRAGMA memory_limit = '100GB'`],
    [`SELECT getenv('HOME')`],
    [`SELECT * FROM duckdb_secrets()`],
    [`CREATE SECRET s (TYPE S3, KEY_ID 'x')`],
  ])('refuses %s', async (statement) => {
    await withDuckDb(async (connection) => {
      await expect(connection.run(statement)).rejects.toThrow(
        /(Permission|Invalid Input|Catalog|Binder|Not implemented|IO|HTTP|Invalid Configuration|Missing Extension|Extension|Parser) Error/i,
      );
    });
  });

  it('reads and writes inside its own folder, and nowhere by way of ..', async () => {
    await withDuckDb(async (connection, folder) => {
      await writeFile(join(folder, 'in.csv'), '1\n2\n');
      await connection.run(`COPY (SELECT * FROM read_csv('${folder}/in.csv', header = false)) TO '${folder}/out.csv'`);
      await expect(connection.run(`SELECT * FROM read_text('${folder}/../../etc/passwd')`)).rejects.toThrow(/Permission Error/);
      await expect(connection.run(`COPY (SELECT 1) TO '${folder}/../outside.csv'`)).rejects.toThrow(/Permission Error/);
      await expect(connection.run(`SELECT * FROM read_text('${folder}-beside/x')`)).rejects.toThrow(/Permission Error/);
    });
  });
});
