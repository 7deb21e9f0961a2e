// @ts-check
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Finds the JDK and Maven that the embedded servers need. Plain JavaScript, because the start command asks before anything is built.
 *
 * @typedef {{ home: string, java: string, javac: string, version: number }} Jdk
 */

export const lowestJavaVersion = 17;

/**
 * The first JDK (17 or newer, with its compiler) of `TRIBUTARY_JAVA_HOME`, `JAVA_HOME` and the search path.
 * @param {NodeJS.ProcessEnv} [environment]
 * @returns {Jdk | null}
 */
export function findJdk(environment = process.env) {
  const homes = [environment['TRIBUTARY_JAVA_HOME'], environment['JAVA_HOME']].filter((home) => home !== undefined && home !== '');
  const candidates = [...homes.map((home) => join(String(home), 'bin', 'java')), findOnPath('java', environment)];
  for (const candidate of candidates) {
    const jdk = candidate === null ? null : probe(candidate);
    if (jdk !== null && jdk.version >= lowestJavaVersion && existsSync(jdk.javac)) return jdk;
  }
  return null;
}

/**
 * @param {NodeJS.ProcessEnv} [environment]
 * @returns {string | null}
 */
export function findMaven(environment = process.env) {
  return findOnPath('mvn', environment);
}

/**
 * @param {string} program
 * @param {NodeJS.ProcessEnv} environment
 * @returns {string | null}
 */
export function findOnPath(program, environment) {
  for (const folder of (environment['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, program);
    if (folder !== '' && existsSync(path)) return path;
  }
  return null;
}

/**
 * @param {string} java
 * @returns {Jdk | null}
 */
function probe(java) {
  const { stderr, status } = spawnSync(java, ['-XshowSettings:properties', '-version'], { encoding: 'utf8' });
  if (status !== 0) return null;
  const version = /java\.specification\.version = (\d+)/.exec(stderr)?.[1];
  const home = /java\.home = (.+)/.exec(stderr)?.[1]?.trim();
  if (version === undefined || home === undefined) return null;
  return { home, java: join(home, 'bin', 'java'), javac: join(home, 'bin', 'javac'), version: Number(version) };
}
