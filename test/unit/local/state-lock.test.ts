import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { identityOf } from '../../../infrastructure/local/process-identity.js';
import { ownerOf, removeStaleLock, takeStateFolder } from '../../../infrastructure/local/state-lock.js';

describe('takeStateFolder', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tributary-lock-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('gives the folder to one process, and tells others who has it and where it serves', () => {
    const first = takeStateFolder(folder);
    if (!('lock' in first)) throw new Error('The folder was free.');
    expect(takeStateFolder(folder, 'worker')).toEqual({ owner: { ...identityOf(process.pid), url: null, role: 'all', shared: null, stopping: false } });
    first.lock.publish({ url: 'http://localhost:4000' });
    first.lock.publish({ stopping: true });
    expect(takeStateFolder(folder)).toMatchObject({ owner: { pid: process.pid, url: 'http://localhost:4000', stopping: true } });
    first.lock.release();
    expect(ownerOf(folder)).toBeNull();
    expect('lock' in takeStateFolder(folder)).toBe(true);
  });

  it('takes over from a process that is gone, and from one whose number another process has now', () => {
    const self = identityOf(process.pid);
    for (const dead of [
      { pid: 4_194_303, start: '1', boot: self?.boot },
      { ...self, start: '1' },
      { ...self, boot: 'another' },
    ]) {
      writeFileSync(join(folder, 'lock.json'), JSON.stringify({ ...dead, url: 'http://localhost:4000' }));
      const taken = takeStateFolder(folder);
      if (!('lock' in taken)) throw new Error('The owner was dead.');
      taken.lock.release();
    }
  });

  it('takes over a file that holds no owner', () => {
    writeFileSync(join(folder, 'lock.json'), '{"pid":');
    expect('lock' in takeStateFolder(folder)).toBe(true);
  });

  it('puts back the lock that another start took after the dead owner was read', () => {
    const taken = takeStateFolder(folder);
    removeStaleLock(folder);
    expect('lock' in taken).toBe(true);
    expect(ownerOf(folder)).toMatchObject({ pid: process.pid });
    expect(readdirSync(folder)).toEqual(['lock.json']);
  });

  it('does not release or overwrite the lock of another process', () => {
    const taken = takeStateFolder(folder);
    if (!('lock' in taken)) throw new Error('The folder was free.');
    const other = JSON.stringify({ ...identityOf(process.ppid), url: 'http://localhost:4001' });
    writeFileSync(join(folder, 'lock.json'), other);
    expect(() => taken.lock.publish({ url: 'http://localhost:4000' })).toThrow(`taken by process ${process.ppid}`);
    taken.lock.release();
    expect(readFileSync(join(folder, 'lock.json'), 'utf8')).toBe(other);
  });
});
