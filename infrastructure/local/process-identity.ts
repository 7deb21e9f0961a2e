import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';

/** A process that cannot be mistaken for a later one with the same number. */
export const processIdentitySchema = z.object({
  pid: z.number().int().positive(),
  /** When it started, in the system's own words. */
  start: z.string(),
  /** Which boot of the machine that was. */
  boot: z.string(),
});
export type ProcessIdentity = z.infer<typeof processIdentitySchema>;

/** null: no such process, or it has ended and only waits to be collected. */
export function identityOf(pid: number): ProcessIdentity | null {
  const start = existsSync('/proc/self/stat') ? startFromProc(pid) : psField(pid, 'lstart');
  return start === null ? null : { pid, start, boot: bootId() };
}

/** No other process ever has it, on whatever machine. */
export function nameOf({ pid, start, boot }: ProcessIdentity): string {
  return `process-${pid}-${createHash('sha256').update(`${start} ${boot}`).digest('hex').slice(0, 16)}`;
}

export function isRunning(identity: ProcessIdentity): boolean {
  const now = identityOf(identity.pid);
  return now !== null && now.start === identity.start && now.boot === identity.boot;
}

/** The command line of a process; empty when there is none. */
export function commandLineOf(pid: number): string {
  if (!existsSync('/proc/self/stat')) return psField(pid, 'command') ?? '';
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** Sends `signal`, waits for the end for at most `graceMs` milliseconds, then kills. */
export async function stopProcess(identity: ProcessIdentity, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  sendSignal(identity, signal);
  if (await ended(identity, graceMs)) return;
  sendSignal(identity, 'SIGKILL');
  await ended(identity, 2_000);
}

function sendSignal(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isRunning(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function ended(identity: ProcessIdentity, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (isRunning(identity)) {
    if (performance.now() > deadline) return false;
    await wait(20);
  }
  return true;
}

function startFromProc(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name may hold anything, so fields are counted behind its closing bracket: state is the first, start time the 20th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

function psField(pid: number, field: string): string | null {
  try {
    const text = execFileSync('ps', ['-o', `${field}=`, '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return text === '' ? null : text;
  } catch {
    return null;
  }
}

function bootId(): string {
  const file = '/proc/sys/kernel/random/boot_id';
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
}
