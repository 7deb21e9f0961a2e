import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { recordedMongodb } from '../../../infrastructure/local/mongodb.js';
import { loadPartSettings, savePartSettings } from '../../../infrastructure/local/part-settings.js';

describe('the kind of MongoDB that a state folder has', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tributary-record-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is none in a new folder', async () => {
    expect(recordedMongodb(folder, await loadPartSettings(folder, false))).toBeNull();
  });

  it('is the emulator where one has stored data, also when an older version recorded nothing', async () => {
    mkdirSync(join(folder, 'mongodb'));
    writeFileSync(join(folder, 'mongodb', 'data.mv'), '');
    expect(recordedMongodb(folder, await loadPartSettings(folder, false))).toEqual({ kind: 'emulator' });
  });

  it('is the recorded one, with its port, as long as its data are there', async () => {
    const record = { kind: 'mongod', port: 20_001, version: '8.0.4' } as const;
    savePartSettings({ ...(await loadPartSettings(folder, false)), mongodb: record });
    mkdirSync(join(folder, 'mongod'));
    expect(recordedMongodb(folder, await loadPartSettings(folder, false))).toEqual(record);
    rmSync(join(folder, 'mongod'), { recursive: true });
    expect(recordedMongodb(folder, await loadPartSettings(folder, false))).toBeNull();
  });
});
