// @ts-check
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitStatus, giveUp, run } from './run-command.js';

/** @typedef {{ packages: Record<string, { version?: string, optional?: boolean }> }} Lock */

/**
 * Runs `npm ci` when node_modules is missing or not what package-lock.json says.
 * @param {string} root
 */
export async function installPackages(root) {
  if (isInStep(root)) return;
  process.stdout.write('Installing packages (npm ci): at the first start, and when package-lock.json has changed.\n');
  const npm = process.env['npm_execpath'] ?? '';
  const install = ['ci', '--include=dev', '--no-audit', '--no-fund'];
  const end = await (npm.endsWith('npm-cli.js') ? run(process.execPath, [npm, ...install], root) : run('npm', install, root));
  if (exitStatus(end) !== 0) giveUp('npm ci failed; its output above says why. Nothing was started.');
}

/**
 * npm leaves a list of what it installed: every entry must be the locked one, and every locked one must be there unless it is for another platform.
 * @param {string} root
 */
function isInStep(root) {
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  const here = readLock(installed);
  const locked = readLock(join(root, 'package-lock.json'));
  const sameVersions = Object.entries(here).every(([path, { version }]) => locked[path]?.version === version);
  return sameVersions && Object.entries(locked).every(([path, { optional }]) => path === '' || optional === true || here[path] !== undefined);
}

/** @param {string} path */
function readLock(path) {
  /** @type {Lock} */
  const lock = JSON.parse(readFileSync(path, 'utf8'));
  return lock.packages;
}
