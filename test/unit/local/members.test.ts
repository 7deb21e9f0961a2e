import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { addMember, endedMembers, otherMembers, removeMember, runsFolderOf } from '../../../infrastructure/local/members.js';
import { identityOf, nameOf } from '../../../infrastructure/local/process-identity.js';

describe('the processes of a state folder', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tributary-members-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const otherProcess = async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
    await once(child, 'spawn');
    const identity = identityOf(child.pid ?? 0);
    if (identity === null) throw new Error('It has ended.');
    mkdirSync(join(folder, 'members'), { recursive: true });
    writeFileSync(join(folder, 'members', `${nameOf(identity)}.json`), JSON.stringify({ ...identity, role: 'worker', joined: true }));
    const end = async (): Promise<void> => {
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    };
    return { name: nameOf(identity), pid: identity.pid, end };
  };

  it('are those that run: one that was killed is none any more', async () => {
    const name = addMember(folder, { role: 'all', joined: false });
    expect(otherMembers(folder)).toEqual([]);
    const other = await otherProcess();
    expect(otherMembers(folder)).toMatchObject([{ pid: other.pid, role: 'worker', joined: true }]);
    await other.end();
    expect(otherMembers(folder)).toEqual([]);
    expect(endedMembers(folder)).toEqual([other.name]);
    removeMember(folder, other.name);
    expect(readdirSync(join(folder, 'members'))).toEqual([`${name}.json`]);
    removeMember(folder, name);
    expect(readdirSync(join(folder, 'members'))).toEqual([]);
  });

  it('have a folder for runs each: a new one removes what killed ones left, and nothing else', async () => {
    const other = await otherProcess();
    const runs = join(folder, 'runs');
    for (const path of [`${other.name}/run-1`, 'process-1-00000000/run-2', '0198c0de-1']) mkdirSync(join(runs, path), { recursive: true });
    addMember(folder, { role: 'worker', joined: true });
    expect(await runsFolderOf(folder)).toBe(runs);
    expect(readdirSync(runs)).toEqual([other.name]);
    await other.end();
    await runsFolderOf(folder);
    expect(existsSync(join(runs, other.name))).toBe(false);
  });
});
