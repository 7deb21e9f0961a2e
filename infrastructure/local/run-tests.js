// @ts-check
import { join } from 'node:path';
import { exitStatus, run } from './run-command.js';

const jest = join('node_modules', 'jest', 'bin', 'jest.js');

/** Where jest writes what passed and failed, for .ci/run. */
export const resultsFile = join('dist', 'test-results.json');

/**
 * Format, lint and all tests; with arguments only jest, with them. Every step runs, also behind one that failed.
 * @param {string} root
 * @param {string[]} jestArguments
 */
export async function runTests(root, jestArguments) {
  const checks = [
    [join('node_modules', '@biomejs', 'biome', 'bin', 'biome'), 'ci', '--colors=off'],
    [join('node_modules', 'eslint', 'bin', 'eslint.js'), '--max-warnings=0', '.'],
  ];
  const tests = [jest, '--json', `--outputFile=${resultsFile}`, ...jestArguments];
  const statuses = [];
  for (const step of jestArguments.length > 0 ? [tests] : [...checks, tests]) statuses.push(await runNode(root, step));
  process.exitCode = statuses.find((status) => status !== 0) ?? 0;
}

/**
 * @param {string} root
 * @param {string[]} jestArguments
 */
export async function runUnitTests(root, jestArguments) {
  process.exitCode = await runNode(root, [jest, '--selectProjects', 'unit', '--', ...jestArguments]);
}

/**
 * Every case of the crash matrix, or those that CRASH_CASES names.
 * @param {string} root
 */
export async function runCrashTests(root) {
  process.env['CRASH_CASES'] ??= 'all';
  process.exitCode = await runServerTest(root, 'crash-matrix');
}

/**
 * A hundred random kills, or as many as CRASH_KILLS says.
 * @param {string} root
 */
export async function runKillTests(root) {
  process.env['CRASH_KILLS'] ??= '100';
  process.exitCode = await runServerTest(root, 'crash-loop');
}

/**
 * @param {string} root
 * @param {string} name
 */
function runServerTest(root, name) {
  return runNode(root, [jest, '--selectProjects', 'servers', '--', join('test', 'e2e', `${name}.test.ts`)]);
}

/**
 * @param {string} root
 * @param {string[]} script
 */
async function runNode(root, script) {
  const environment = {
    ...process.env,
    NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --experimental-vm-modules --no-warnings=ExperimentalWarning`.trim(),
  };
  return exitStatus(await run(process.execPath, script, root, environment));
}
