import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isRunning } from '../../../infrastructure/local/process-identity.js';
import { ProcessRegistry } from '../../../infrastructure/local/process-registry.js';

describe('ProcessRegistry', () => {
  let folder = '';
  let child: ChildProcess;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tributary-registry-'));
    child = spawn(process.execPath, ['-e', 'process.stdout.write("up"); setInterval(() => undefined, 1000)', '--', `--home-dir=${folder}`]);
    if (child.stdout !== null) await once(child.stdout, 'data');
  });
  afterEach(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  it('finds and stops what a killed start left running', async () => {
    const identity = new ProcessRegistry(folder).add('neo4j', child.pid ?? 0, `--home-dir=${folder}`);
    if (identity === null) throw new Error('The process was running.');
    expect(await new ProcessRegistry(folder).stopOrphans()).toEqual(['neo4j']);
    expect(isRunning(identity)).toBe(false);
    expect(await new ProcessRegistry(folder).stopOrphans()).toEqual([]);
  });

  it('leaves alone a process that got the number of ours, and one that is not ours', async () => {
    const identity = new ProcessRegistry(folder).add('postgres', child.pid ?? 0, '/another/folder');
    if (identity === null) throw new Error('The process was running.');
    expect(await new ProcessRegistry(folder).stopOrphans()).toEqual([]);
    writeFileSync(join(folder, 'processes.json'), JSON.stringify([{ ...identity, start: '1', part: 'neo4j', mark: folder }]));
    expect(await new ProcessRegistry(folder).stopOrphans()).toEqual([]);
    expect(isRunning(identity)).toBe(true);
    expect(JSON.parse(readFileSync(join(folder, 'processes.json'), 'utf8'))).toEqual([]);
  });

  it('keeps what a later start has entered when the end of an earlier process is told late', () => {
    const mark = `--home-dir=${folder}`;
    const earlier = new ProcessRegistry(folder);
    const later = new ProcessRegistry(folder);
    later.add('mongodb', child.pid ?? 0, mark);
    earlier.remove({ pid: 1, start: '1', boot: '' });
    expect(JSON.parse(readFileSync(join(folder, 'processes.json'), 'utf8'))).toMatchObject([{ part: 'mongodb', pid: child.pid }]);
  });
});
