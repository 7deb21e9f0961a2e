import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createSilentServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { findOnPath } from '../../../infrastructure/local/java.js';
import type { MongodbKind } from '../../../infrastructure/local/part-settings.js';
import { type Parts, startParts } from '../../../infrastructure/local/parts.js';
import { projectRoot } from '../../../src/lib/project-root.js';
import { eventually } from '../../support/eventually.js';

const real = findOnPath('mongod', process.env);
const program = real === null ? 'a double' : `the real ${real}`;
if (real === null)
  process.stderr.write('mongod: there is no real one on the PATH, so that the tests of its start ran against a double and a real one was NOT tried.\n');

const folder = mkdtempSync(join(tmpdir(), 'tributary-mongod-'));
const state = join(folder, 'state');
const path = process.env['PATH'] ?? '';
let said: string[] = [];
let ended = false;

/** Starts the double as mongod would be started: same process, same arguments. */
function doubleScript(): string {
  return `#!/bin/sh\nexec '${process.execPath}' '${join(projectRoot, 'test', 'support', 'mongod-double.mjs')}' "$@"\n`;
}

function start(mongodbKind?: MongodbKind, stateFolder = state): Promise<Parts<'mongodb'>> {
  said = [];
  ended = false;
  return startParts({ stateFolder, only: ['mongodb'], mongodbKind, log: (_, text) => said.push(text), onEnd: () => (ended = true) });
}

const settings = (of = state) => JSON.parse(readFileSync(join(of, 'parts.json'), 'utf8')) as { mongodb?: { kind: string; port: number; version: string } };
const events = (): string[] =>
  readFileSync(join(state, 'mongod', 'data', 'events.log'), 'utf8')
    .trim()
    .split('\n');

beforeAll(() => {
  const programs = join(folder, 'bin');
  mkdirSync(programs);
  if (real === null) writeFileSync(join(programs, 'mongod'), doubleScript(), { mode: 0o755 });
  process.env['PATH'] = `${programs}:${path}`;
});
afterAll(() => {
  process.env['PATH'] = path;
  rmSync(folder, { recursive: true, force: true });
});

describe(`mongod on the PATH (${program})`, () => {
  it('is started as the primary of a replica set of its own, which is recorded', async () => {
    const parts = await start();
    const { mongodb } = settings();
    expect(mongodb).toEqual({ kind: 'mongod', port: expect.any(Number), version: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
    expect(said.at(-1)).toMatch(
      new RegExp(`^ready in [\\d.]+ s \\(mongod ${mongodb?.version}, replica set, from PATH, mongodb://127\\.0\\.0\\.1:${mongodb?.port}\\)$`),
    );
    expect(parts.mongodb.uri).toBe(`mongodb://127.0.0.1:${mongodb?.port}/?replicaSet=tributary`);
    const client = await MongoClient.connect(parts.mongodb.uri);
    expect(await client.db('admin').command({ hello: 1 })).toMatchObject({ setName: 'tributary', isWritablePrimary: true });
    await client.close();
    await parts.stop();
    if (real === null) expect(events()).toEqual(['initiated', 'stopped by SIGTERM']);
  });

  it('keeps its port and its set, and what a killed start left running is stopped first', async () => {
    const before = settings().mongodb;
    await start();
    const [left] = JSON.parse(readFileSync(join(state, 'processes.json'), 'utf8')) as { pid: number }[];
    const again = await start();
    expect(said).toContain('left running by an earlier start: stopped');
    expect(() => process.kill(left?.pid ?? 0, 0)).toThrow('ESRCH');
    expect(settings().mongodb).toEqual(before);
    if (real === null) expect(events()).toEqual(['initiated', 'stopped by SIGTERM', 'stopped by SIGTERM']);
    const [running] = JSON.parse(readFileSync(join(state, 'processes.json'), 'utf8')) as { pid: number }[];
    process.kill(running?.pid ?? 0, 'SIGKILL');
    await eventually('its end is told', async () => ended);
    await again.stop();
  });

  it('is not replaced by another kind: the start is refused when it is gone, or another one is asked for', async () => {
    await expect(start('emulator')).rejects.toThrow(
      /keeps its documents in mongod .* from the PATH, as parts\.json says, and TRIBUTARY_MONGODB asks for the emulator/,
    );
    process.env['PATH'] = '/nowhere';
    await expect(start()).rejects.toThrow('and there is no mongod on the PATH. Supply it again');
    process.env['PATH'] = `${join(folder, 'bin')}:${path}`;
  });
});

describe('what else a mongod may do', () => {
  const programs = join(folder, 'others');
  const use = (script: string | null): void => {
    rmSync(programs, { recursive: true, force: true });
    mkdirSync(programs, { recursive: true });
    writeFileSync(join(programs, 'mongod'), script ?? '', { mode: script === null ? 0o644 : 0o755 });
    process.env['PATH'] = `${programs}:${path}`;
  };

  it('ends at once: the start says so, and leaves the choice free', async () => {
    use('#!/bin/sh\nif [ "$1" = --version ]; then echo "db version v8.0.4"; exit 0; fi\necho "no space left"; exit 100\n');
    const other = join(folder, 'ending');
    await expect(start(undefined, other)).rejects.toThrow(
      /ended with exit status 100; its last lines were: no space left.*TRIBUTARY_MONGODB=emulator uses the emulator instead/s,
    );
    expect(settings(other).mongodb).toBeUndefined();
    expect(existsSync(join(other, 'mongod'))).toBe(false);
  });

  it.each([
    ['is too old', '#!/bin/sh\necho "db version v4.4.29"\n', 'is mongod 4.4.29, which is older than 5.0'],
    ['cannot run on this processor', '#!/bin/sh\nkill -ILL $$\n', 'cannot be run on this machine (SIGILL)'],
    ['must not be executed', null, 'cannot be run on this machine (EACCES)'],
    ['is another program', '#!/bin/sh\necho hello\n', 'does not say which version of mongod it is'],
  ])('%s: it is not taken', async (_, script, reason) => {
    use(script);
    await expect(start('mongod', join(folder, 'refusing'))).rejects.toThrow(reason);
  });
});

describe('a mongod that is downloaded', () => {
  let mirror: Server;
  const served: string[] = [];
  const variables = ['MONGOMS_DOWNLOAD_MIRROR', 'MONGOMS_USE_HTTP', 'MONGOMS_VERSION', 'TRIBUTARY_CACHE', 'HOME'];
  const before = variables.map((name) => process.env[name]);

  beforeAll(async () => {
    // The library takes nothing smaller than 1 MiB for mongod.
    mkdirSync(join(folder, 'archive', 'bin'), { recursive: true });
    writeFileSync(join(folder, 'archive', 'bin', 'mongod'), `${doubleScript()}${'#'.repeat(2 ** 20)}\n`, { mode: 0o755 });
    execFileSync('tar', ['-czf', join(folder, 'mongod.tgz'), '-C', join(folder, 'archive'), 'bin']);
    const archive = readFileSync(join(folder, 'mongod.tgz'));
    mirror = createServer((request, response) => {
      served.push(request.url ?? '');
      const body = request.url?.endsWith('.md5') ? Buffer.from(createHash('md5').update(archive).digest('hex')) : archive;
      response.writeHead(200, { 'content-length': body.length }).end(body);
    }).listen(0, '127.0.0.1');
    await once(mirror, 'listening');
    const { port } = mirror.address() as { port: number };
    Object.assign(process.env, {
      MONGOMS_DOWNLOAD_MIRROR: `http://127.0.0.1:${port}`,
      MONGOMS_USE_HTTP: 'true',
      MONGOMS_VERSION: '8.0.4',
      TRIBUTARY_CACHE: join(folder, 'cache'),
      HOME: folder,
    });
  });
  afterAll(() => {
    for (const [index, name] of variables.entries()) {
      if (before[index] === undefined) delete process.env[name];
      else process.env[name] = before[index];
    }
    mirror?.close();
  });

  it('is fetched once into the cache folder, its sum is compared, and it is started as one on the PATH is', async () => {
    const parts = await start('download', join(folder, 'downloaded'));
    expect(said.at(0)).toBe('mongod is downloaded from 127.0.0.1, once; this may take a few minutes');
    expect(said.at(-1)).toMatch(/^ready in [\d.]+ s \(mongod 8\.0\.4, replica set, downloaded, mongodb:/);
    expect(served.map((url) => url.replace(/^.*\//, ''))).toEqual([expect.stringMatching(/8\.0\.4\.tgz$/), expect.stringMatching(/8\.0\.4\.tgz\.md5$/)]);
    await parts.stop();
    mirror.close();
    const again = await start(undefined, join(folder, 'downloaded'));
    expect(served).toHaveLength(2);
    expect(settings(join(folder, 'downloaded')).mongodb).toMatchObject({ kind: 'download', version: '8.0.4' });
    await again.remove();
  });

  it.each([
    ['refuses', 'ECONNREFUSED'],
    ['accepts and says nothing', 'nothing within 3 s'],
  ])('is not waited for when its host %s', async (_, reason) => {
    const silent = createSilentServer();
    if (reason === 'ECONNREFUSED') silent.close();
    else await once(silent.listen(0, '127.0.0.1'), 'listening');
    const port = reason === 'ECONNREFUSED' ? 1 : (silent.address() as { port: number }).port;
    Object.assign(process.env, { TRIBUTARY_CACHE: join(folder, 'other-cache'), MONGOMS_DOWNLOAD_MIRROR: `https://127.0.0.1:${port}` });
    const started = performance.now();
    await expect(start('download', join(folder, 'unreached'))).rejects.toThrow(`none could be downloaded, since 127.0.0.1 did not answer (${reason})`);
    expect(performance.now() - started).toBeLessThan(8_000);
    silent.close();
  });

  it('is refused when what came is not what its sum says', async () => {
    const broken = createServer((request, response) => {
      const body = request.url?.endsWith('.md5') ? 'd41d8cd98f00b204e9800998ecf8427e' : 'not an archive';
      response.writeHead(200, { 'content-length': body.length }).end(body);
    }).listen(0, '127.0.0.1');
    await once(broken, 'listening');
    Object.assign(process.env, {
      TRIBUTARY_CACHE: join(folder, 'broken-cache'),
      MONGOMS_DOWNLOAD_MIRROR: `http://127.0.0.1:${(broken.address() as { port: number }).port}`,
    });
    await expect(start('download', join(folder, 'broken'))).rejects.toThrow(/none could be downloaded from 127\.0\.0\.1 \(.*MD5/);
    broken.close();
  });
});
