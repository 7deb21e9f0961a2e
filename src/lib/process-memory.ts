import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Resident memory of a process in bytes; null when it is not there (any more) or cannot be asked. */
export async function residentBytes(processId: number): Promise<number | null> {
  try {
    return process.platform === 'linux' ? await fromProc(processId) : await fromPs(processId);
  } catch {
    return null;
  }
}

/** How often asking makes sense: a file is read on Linux, a program is started elsewhere. In milliseconds. */
export const memorySampleMs: number = process.platform === 'linux' ? 250 : 1_000;

async function fromProc(processId: number): Promise<number | null> {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${processId}/status`, 'utf8'))?.[1];
  return kibibytes === undefined ? null : Number(kibibytes) * 1024;
}

async function fromPs(processId: number): Promise<number | null> {
  const { stdout } = await execute('ps', ['-o', 'rss=', '-p', String(processId)]);
  const kibibytes = Number(stdout.trim());
  return Number.isFinite(kibibytes) && kibibytes > 0 ? kibibytes * 1024 : null;
}
