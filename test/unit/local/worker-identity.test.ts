import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { identityOf } from '../../../infrastructure/local/process-identity.js';
import { takeWorkerIdentity } from '../../../infrastructure/local/worker-identity.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tributary-identity-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the name of a worker', () => {
  it('is another one at every start, and those of living siblings are not said to have ended', () => {
    const [first, second] = [takeWorkerIdentity(folder), takeWorkerIdentity(folder)];
    expect(first.id).not.toBe(second.id);
    expect(second.ended).toEqual([]);
  });

  it('is said to have ended when its process has, until it is forgotten', async () => {
    takeWorkerIdentity(folder);
    const sibling = spawn('sleep', ['60']);
    const identity = identityOf(sibling.pid ?? 0);
    writeFileSync(join(folder, 'workers', 'sibling.json'), JSON.stringify(identity));
    expect(takeWorkerIdentity(folder).ended).toEqual([]);
    sibling.kill('SIGKILL');
    await once(sibling, 'exit');
    const next = takeWorkerIdentity(folder);
    expect(next.ended).toEqual(['sibling']);
    next.forgetEnded();
    expect(takeWorkerIdentity(folder).ended).toEqual([]);
  });

  it('of another boot has ended, and one that cannot be read is left alone', () => {
    takeWorkerIdentity(folder);
    writeFileSync(join(folder, 'workers', 'earlier.json'), JSON.stringify({ ...identityOf(process.pid), boot: 'another' }));
    writeFileSync(join(folder, 'workers', 'broken.json'), '{');
    expect(takeWorkerIdentity(folder).ended).toEqual(['earlier']);
  });
});
