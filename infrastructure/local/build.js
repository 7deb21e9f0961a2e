// @ts-check
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { exitStatus, giveUp, run } from './run-command.js';

const sourceFolders = ['src', 'infrastructure/local', 'test'];
const sourceName = /\.(ts|js|mjs)$/;

/**
 * Type-checks and compiles to dist/ unless dist/ comes from these very sources. Ends with a sentence on a type error.
 * @param {string} root
 */
export async function build(root) {
  const stamp = join(root, 'dist', 'sources.sha256');
  const hash = hashOfSources(root);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  process.stdout.write('Building.\n');
  rmSync(stamp, { force: true });
  removeOrphans(root, join(root, 'dist'));
  const end = await run(process.execPath, [join('node_modules', 'ts7', 'bin', 'tsc'), '-p', '.'], root);
  if (exitStatus(end) !== 0) giveUp('The build failed with the errors above. Nothing was started.');
  writeFileSync(stamp, hash);
}

/** @param {string} root */
function hashOfSources(root) {
  const hash = createHash('sha256');
  const sources = sourceFolders.flatMap((folder) => filesIn(join(root, folder)).filter((path) => sourceName.test(path)));
  for (const path of [...sources, join(root, 'tsconfig.json'), join(root, 'package-lock.json')]) {
    hash.update(relative(root, path)).update('\0').update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex');
}

/**
 * Removes compiled files whose source is gone, so that nothing imports or tests them.
 * @param {string} root
 * @param {string} folder
 */
function removeOrphans(root, folder) {
  for (const path of filesIn(folder).filter((each) => /\.m?js$/.test(each))) {
    const source = join(root, relative(folder, path));
    if (existsSync(source) || existsSync(source.replace(/\.js$/, '.ts'))) continue;
    rmSync(path);
    rmSync(`${path}.map`, { force: true });
  }
}

/**
 * @param {string} folder
 * @returns {string[]}
 */
function filesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
