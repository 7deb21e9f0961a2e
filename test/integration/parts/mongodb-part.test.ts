import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { type Parts, startParts } from '../../../infrastructure/local/parts.js';
import { eventually } from '../../support/eventually.js';

describe('the embedded MongoDB', () => {
  it('loses no acknowledged write when it is killed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tributary-part-'));
    let ended = false;
    const start = (): Promise<Parts<'mongodb'>> =>
      startParts({
        stateFolder: folder,
        only: ['mongodb'],
        log: () => undefined,
        onEnd: () => {
          ended = true;
        },
      });
    const first = await start();
    const client = await MongoClient.connect(first.mongodb.uri);
    const letters = client.db('test').collection<{ n: number; seen?: boolean }>('letters');
    for (let n = 0; n < 100; n += 1) await letters.insertOne({ n });
    await letters.updateMany({ n: { $lt: 50 } }, { $set: { seen: true } });
    await letters.deleteOne({ n: 0 });
    const [killed] = JSON.parse(readFileSync(join(folder, 'processes.json'), 'utf8')) as { pid: number }[];
    process.kill(killed?.pid ?? 0, 'SIGKILL');
    await client.close();
    await eventually('the end of the killed server', async () => ended);

    const second = await start();
    const again = await MongoClient.connect(second.mongodb.uri);
    const kept = again.db('test').collection('letters');
    expect([await kept.countDocuments(), await kept.countDocuments({ seen: true })]).toEqual([99, 49]);
    await again.close();
    await second.remove();
  });
});
