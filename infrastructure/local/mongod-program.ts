import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findOnPath } from './java.js';
import type { Missing, MongodProgram } from './mongodb-ladder.js';
import { plainEnvironment } from './supervised-process.js';

/** The lowest whose stop on SIGTERM can be told not to wait, and that the driver speaks to. */
const lowestMajor = 5;

export async function mongodOnPath(environment: NodeJS.ProcessEnv): Promise<MongodProgram | Missing> {
  const path = findOnPath('mongod', environment);
  return path === null ? { missing: 'there is no mongod on the PATH' } : await programAt(path);
}

/** Asks the program for its version, which also tells whether this machine can run it at all (libraries, processor). */
export async function programAt(path: string): Promise<MongodProgram | Missing> {
  try {
    const { stdout } = await promisify(execFile)(path, ['--version'], { env: plainEnvironment(), timeout: 10_000 });
    const version = /^db version v(\d+\.\d+\.\d+)/m.exec(stdout)?.[1];
    if (version === undefined) return { missing: `${path} does not say which version of mongod it is` };
    if (Number(version.split('.')[0]) < lowestMajor) return { missing: `${path} is mongod ${version}, which is older than ${lowestMajor}.0` };
    return { path, version };
  } catch (error) {
    return { missing: `${path} cannot be run on this machine (${endOf(error)})` };
  }
}

function endOf(error: unknown): string {
  const { code, signal, stderr } = error as { code?: string | number | null; signal?: string | null; stderr?: string };
  const said = stderr?.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
  if (said !== '') return said;
  return signal ?? (typeof code === 'string' ? code : `exit status ${code}`);
}
