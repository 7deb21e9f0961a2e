import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe } from '@jest/globals';
import { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { projectRoot } from '../../src/lib/project-root.js';
import type { TestDatabase } from './postgres.js';

const folder = join(projectRoot, '..', 'shared', 'data');

/** Real data that stands beside the repository and is not part of it. Where it is absent the tests are skipped, and say so. */
export function describeWithSharedData(title: string, files: readonly string[], body: () => void): void {
  const missing = files.filter((file) => !existsSync(join(folder, file)));
  if (missing.length === 0) {
    describe(title, body);
    return;
  }
  process.stderr.write(`SKIPPED: "${title}" needs ../shared/data/{${missing.join(', ')}}, which is not here.\n`);
  describe.skip(`${title} (skipped: ../shared/data/${missing[0]} is not here)`, body);
}

/** Makes a table and fills it with a CSV file that has a header; an empty field is NULL. */
export async function loadCsv(database: TestDatabase, file: string, table: string, columns: string): Promise<void> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    await client.query(`CREATE TABLE ${table} (${columns})`);
    const text = (await readFile(join(folder, file), 'utf8')).replaceAll('\r', ''); // line ends are mixed in some of the files
    await pipeline(Readable.from([text]), client.query(copyFrom(`COPY ${table} FROM STDIN (FORMAT csv, HEADER true)`)));
  } finally {
    await client.end();
  }
}
