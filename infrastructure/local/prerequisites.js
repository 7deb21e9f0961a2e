// @ts-check
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { findJdk, findMaven, findOnPath, lowestJavaVersion } from './java.js';
import { exitStatus, giveUp, run } from './run-command.js';

const lowestNodeVersion = [20, 19];

/** Ends with a sentence when this Node.js or system cannot run Tributary. */
export function checkSystem() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [lowestMajor = 0, lowestMinor = 0] = lowestNodeVersion;
  if (major < lowestMajor || (major === lowestMajor && minor < lowestMinor)) {
    giveUp(
      `Tributary needs Node.js ${lowestNodeVersion.join('.')} or newer; this is ${process.versions.node}. Install a newer one, then run the same command again.`,
    );
  }
  if (process.platform === 'win32') giveUp('Tributary runs on Linux and macOS. On Windows, run it inside WSL.');
}

/**
 * Ends with a sentence when the JDK or Maven is missing, or installs them if the user says so.
 * @param {readonly string[]} replacements variables that each name a server which would otherwise run on Java
 */
export async function checkPrograms(replacements) {
  if (replacements.every((name) => (process.env[name] ?? '') !== '')) return;
  const missing = missingPrograms();
  if (missing.length === 0) return;
  const names = missing.map(({ title }) => title).join(' and ');
  const sentence = `${names} ${missing.length === 1 ? 'is' : 'are'} missing: the embedded Neo4j and MongoDB servers are fetched with Maven and run on Java.`;
  const instead = `Or set ${replacements.join(' and ')} to use servers that run already.`;
  const command = aptCommand(missing);
  if (command === null) {
    giveUp(
      `${sentence}\nInstall a JDK of version ${lowestJavaVersion} or 21 and Maven (macOS: brew install openjdk@21 maven), put java and mvn on the PATH or set JAVA_HOME. ${instead}`,
    );
  }
  const asRoot = process.getuid?.() === 0;
  process.stderr.write(`\n${sentence}\nSupply with:  ${asRoot ? command : `sudo sh -c '${command}'`}\n${instead}\n\n`);
  if (!asRoot || !(await mayInstall())) process.exit(1);
  const end = await run('sh', ['-c', command], '/', { ...process.env, DEBIAN_FRONTEND: 'noninteractive' });
  if (exitStatus(end) !== 0 || missingPrograms().length > 0) giveUp(`The command did not supply ${names}; its output above says why.`);
}

/** @returns {{ title: string, debianPackage: string }[]} */
function missingPrograms() {
  const jdk = { title: `A JDK of version ${lowestJavaVersion} or newer`, debianPackage: debianJdk() };
  const maven = { title: 'Maven (mvn)', debianPackage: 'maven' };
  return [...(findJdk() === null ? [jdk] : []), ...(findMaven() === null ? [maven] : [])];
}

/**
 * @param {{ debianPackage: string }[]} missing
 * @returns {string | null} null where there is no apt
 */
function aptCommand(missing) {
  if (findOnPath('apt-get', process.env) === null || !existsSync('/etc/debian_version')) return null;
  return `apt-get update && apt-get install -y --no-install-recommends ${missing.map(({ debianPackage }) => debianPackage).join(' ')}`;
}

/** Debian 13 and later have 21, no 17. */
function debianJdk() {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const debian = /^ID=debian$/m.test(release) ? Number(/^VERSION_ID="?(\d+)/m.exec(release)?.[1] ?? 0) : 0;
  return debian >= 13 ? 'openjdk-21-jdk-headless' : 'openjdk-17-jdk-headless';
}

/** A yes of the user at the terminal, or of the variable TRIBUTARY_INSTALL. */
async function mayInstall() {
  if (process.env['TRIBUTARY_INSTALL'] === 'yes') return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question('Run this command now? [y/N] ');
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
