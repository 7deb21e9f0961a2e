// @ts-check
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** @typedef {{ code: number | null, signal: NodeJS.Signals | null }} CommandEnd */

/**
 * Runs a program in the foreground, with our terminal, and passes signals on to it.
 * @param {string} program
 * @param {readonly string[]} programArguments
 * @param {string} folder where it runs
 * @param {NodeJS.ProcessEnv} [environment]
 * @returns {Promise<CommandEnd>}
 */
export function run(program, programArguments, folder, environment = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...programArguments], { cwd: folder, env: environment, stdio: 'inherit' });
    const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
    const forwards = signals.map((signal) => ({ signal, forward: () => child.kill(signal) }));
    for (const { signal, forward } of forwards) process.on(signal, forward);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      for (const each of forwards) process.off(each.signal, each.forward);
      resolve({ code, signal });
    });
  });
}

/**
 * The exit status a shell would give: 128 + number of the signal that ended the program.
 * @param {CommandEnd} end
 */
export function exitStatus({ code, signal }) {
  return signal === null ? (code ?? 1) : 128 + constants.signals[signal];
}

/** @param {CommandEnd} end */
export function exitLikeChild(end) {
  process.exitCode = exitStatus(end);
}

/**
 * Prints a sentence and ends.
 * @param {string} sentence
 * @returns {never}
 */
export function giveUp(sentence) {
  process.stderr.write(`\n${sentence}\n\n`);
  process.exit(1);
}
