import { describe, expect, it } from '@jest/globals';
import { chooseMongodb, type LadderRequest, type Missing, type MongodProgram } from '../../../infrastructure/local/mongodb-ladder.js';

const onPath: MongodProgram = { path: '/usr/bin/mongod', version: '8.0.4' };
const downloaded: MongodProgram = { path: '/cache/mongod-8.2.6', version: '8.2.6' };
const noneOnPath: Missing = { missing: 'there is no mongod on the PATH' };
const noneDownloaded: Missing = { missing: 'none could be downloaded, since fastdl.mongodb.org did not answer (nothing within 3 s)' };

const choose = async (
  found: { readonly path?: MongodProgram | Missing; readonly download?: MongodProgram | Missing },
  request: Partial<Pick<LadderRequest, 'recorded' | 'wanted'>> = {},
) => {
  const asked: string[] = [];
  const said: string[] = [];
  const result = await chooseMongodb({
    recorded: null,
    wanted: null,
    dataFolder: '/state/mongod',
    ...request,
    probes: {
      onPath: async () => {
        asked.push('path');
        return found.path ?? noneOnPath;
      },
      downloaded: async (version) => {
        asked.push(`download ${version ?? 'any'}`);
        return found.download ?? noneDownloaded;
      },
    },
    log: (text) => said.push(text),
  }).catch((error: Error) => error.message);
  return { result, asked, said };
};

describe("MongoDB's ladder, when the state folder has none yet", () => {
  it('takes a mongod on the PATH and asks nobody for a download', async () => {
    expect(await choose({ path: onPath, download: downloaded })).toEqual({ result: { kind: 'mongod', program: onPath }, asked: ['path'], said: [] });
  });

  it('downloads one where the PATH has none', async () => {
    expect(await choose({ download: downloaded })).toEqual({ result: { kind: 'download', program: downloaded }, asked: ['path', 'download any'], said: [] });
  });

  it('takes the emulator last, and says why the others were not to be had', async () => {
    expect(await choose({ path: { missing: '/usr/bin/mongod is mongod 4.4.29, which is older than 5.0' } })).toEqual({
      result: { kind: 'emulator' },
      asked: ['path', 'download any'],
      said: [`the emulator is used: /usr/bin/mongod is mongod 4.4.29, which is older than 5.0; ${noneDownloaded.missing}`],
    });
  });

  it('takes the kind that TRIBUTARY_MONGODB names, whatever else is there', async () => {
    expect((await choose({ path: onPath }, { wanted: 'emulator' })).asked).toEqual([]);
    expect((await choose({ path: onPath, download: downloaded }, { wanted: 'download' })).result).toEqual({ kind: 'download', program: downloaded });
  });

  it('refuses a kind that TRIBUTARY_MONGODB names and that cannot be had', async () => {
    const { result, said } = await choose({ download: downloaded }, { wanted: 'mongod' });
    expect(result).toMatch(/^TRIBUTARY_MONGODB asks for a mongod on the PATH, and there is no mongod on the PATH\. Supply it, set MONGODB_URI/);
    expect(said).toEqual([]);
  });
});

describe("MongoDB's ladder, when the state folder has a kind", () => {
  it('stays with the emulator when a mongod has come to the PATH', async () => {
    expect(await choose({ path: onPath, download: downloaded }, { recorded: { kind: 'emulator' } })).toEqual({
      result: { kind: 'emulator' },
      asked: [],
      said: [],
    });
  });

  it('stays with mongod on the PATH in its present version, and with the version that was downloaded', async () => {
    expect((await choose({ path: onPath }, { recorded: { kind: 'mongod', port: 20_001, version: '7.0.1' } })).result).toEqual({
      kind: 'mongod',
      program: onPath,
    });
    expect((await choose({ download: downloaded }, { recorded: { kind: 'download', port: 20_001, version: '8.2.6' } })).asked).toEqual(['download 8.2.6']);
  });

  it('refuses to start without the recorded one, and says what is recorded, what is missing and both ways on', async () => {
    const { result, said } = await choose({ download: downloaded }, { recorded: { kind: 'mongod', port: 20_001, version: '8.0.4' } });
    expect(result).toBe(
      'This state folder keeps its documents in mongod 8.0.4 from the PATH, as parts.json says, and there is no mongod on the PATH. ' +
        'Supply it again, or set MONGODB_URI to a server that holds them. To take them to another kind, start with this one, export them with mongodump ' +
        'from the address that the start prints, stop, move /state/mongod away, start with TRIBUTARY_MONGODB set to the new kind, and import them with mongorestore. ' +
        'To begin anew without them, only move that folder away.',
    );
    expect(said).toEqual([]);
  });

  it('refuses a change of the kind, and names the tools that read an emulator', async () => {
    const { result, asked } = await choose({ path: onPath }, { recorded: { kind: 'emulator' }, wanted: 'mongod' });
    expect(result).toMatch(/in the emulator \(mongo-java-server on H2\), as parts\.json says, and TRIBUTARY_MONGODB asks for a mongod on the PATH\./);
    expect(result).toMatch(/mongoexport \(collection by collection\).*mongoimport/);
    expect(asked).toEqual([]);
  });
});
