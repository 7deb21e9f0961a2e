import { existsSync, mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import type { PartError } from '../../../infrastructure/local/part-error.js';
import { type Parts, startParts } from '../../../infrastructure/local/parts.js';
import { eventually } from '../../support/eventually.js';

const start = (stateFolder: string, onEnd?: (error: PartError) => void): Promise<Parts<'postgres'>> =>
  startParts({ stateFolder, only: ['postgres'], log: () => undefined, ...(onEnd === undefined ? {} : { onEnd }) });

const ask = async (url: string, sql: string): Promise<unknown[]> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
};

describe('the embedded PostgreSQL', () => {
  it('keeps address, password and data over a stop, and leaves nothing behind when removed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tributary-part-'));
    const first = await start(folder);
    await ask(first.postgres.url, 'CREATE TABLE kept AS SELECT 1 AS one');
    await first.stop();
    const second = await start(folder);
    expect(second.postgres.url).toBe(first.postgres.url);
    expect(await ask(second.postgres.url, 'SELECT one FROM kept')).toEqual([{ one: 1 }]);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'parts.json')).mode & 0o777).toBe(0o600);
    await second.remove();
    expect(existsSync(folder)).toBe(false);
  });

  it('tells when the server ends by itself', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tributary-part-'));
    const ends: PartError[] = [];
    const parts = await start(folder, (error) => ends.push(error));
    const { postgres } = JSON.parse(readFileSync(join(folder, 'parts.json'), 'utf8')) as { postgres: { folder: string } };
    const [pid] = readFileSync(join(postgres.folder, 'data', 'postmaster.pid'), 'utf8').split('\n');
    process.kill(Number(pid), 'SIGKILL');
    await eventually('the end of PostgreSQL', async () => ends.length > 0);
    expect(ends.map(({ part, message }) => [part, message.slice(0, 32)])).toEqual([['postgres', 'PostgreSQL was ended by SIGKILL.']]);
    await parts.remove();
  });
});
