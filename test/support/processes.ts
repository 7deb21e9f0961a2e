import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly cpuSeconds: number;
}

export async function childrenOf(parent: number): Promise<Process[]> {
  return (await processes()).filter((each) => each.parent === parent);
}

export async function processes(): Promise<Process[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,ppid=,cputimes=']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([pid = 0, parent = 0, cpuSeconds = 0]) => ({ pid, parent, cpuSeconds }));
}
