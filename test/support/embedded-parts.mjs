// @ts-check
import { existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const built = join(root, 'dist', 'infrastructure', 'local');
const parent = join(tmpdir(), `tributary-test-${process.getuid?.() ?? 'user'}`);

/** @type {() => Promise<void>} */
let removeServers = async () => undefined;

/**
 * Starts the servers that tests need, from the build, and returns the variables by which tests find them.
 * A server named by TEST_NEO4J_URI, TEST_MONGODB_URI or TEST_POSTGRES_URL is used as it is.
 * @returns {Promise<Record<string, string>>}
 */
export async function startTestServers() {
  if (!existsSync(join(built, 'parts.js'))) {
    throw new Error('The tests start their servers from the build, which is missing: run `npm run build` first, or `npm test`, which does.');
  }
  const { startParts } = await load('parts');
  const { takeStateFolder } = await load('state-lock');
  const { removeAbandonedState } = await load('abandoned-state');
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  await removeAbandonedState(parent);
  const stateFolder = mkdtempSync(join(parent, 'run-'));
  takeStateFolder(stateFolder);
  const parts = await startParts({
    stateFolder,
    only: ['neo4j', 'mongodb', 'postgres'],
    given: givenServers(),
    mongodbKind: mongodbKind(process.env['TEST_MONGODB_KIND']),
    log: (part, text) => process.stderr.write(`${part}: ${text}\n`),
    onEnd: (error) => process.stderr.write(`${error.message}\n`),
  });
  removeServers = parts.remove;
  return {
    TEST_NEO4J_URI: parts.neo4j.uri,
    TEST_NEO4J_USER: parts.neo4j.user,
    TEST_NEO4J_PASSWORD: parts.neo4j.password,
    TEST_MONGODB_URI: parts.mongodb.uri,
    TEST_POSTGRES_URL: parts.postgres.url,
  };
}

/** Stops what was started and removes its data. */
export async function removeTestServers() {
  await removeServers();
}

/** Removes the servers when the user interrupts the run. */
export function removeTestServersOnSignals() {
  let stopping = false;
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      removeTestServers().then(
        () => process.exit(1),
        () => process.exit(1),
      );
    });
  }
}

/**
 * Only the TEST_… variables name servers for tests: what a developer has set for `npm start` must not be emptied by a test.
 * @returns {Partial<import('../../infrastructure/local/part-context.js').PartAddresses>}
 */
function givenServers() {
  const { TEST_NEO4J_URI, TEST_NEO4J_USER, TEST_NEO4J_PASSWORD, TEST_MONGODB_URI, TEST_POSTGRES_URL } = process.env;
  return {
    ...(TEST_NEO4J_URI ? { neo4j: { uri: TEST_NEO4J_URI, user: TEST_NEO4J_USER ?? 'neo4j', password: TEST_NEO4J_PASSWORD ?? '' } } : {}),
    ...(TEST_MONGODB_URI ? { mongodb: { uri: TEST_MONGODB_URI } } : {}),
    ...(TEST_POSTGRES_URL ? { postgres: { url: TEST_POSTGRES_URL } } : {}),
  };
}

/**
 * The embedded MongoDB to test with: the first that can be had, unless TEST_MONGODB_KIND names one.
 * @param {string | undefined} name
 */
function mongodbKind(name) {
  return /** @type {const} */ (['mongod', 'download', 'emulator']).find((kind) => kind === name);
}

/**
 * @template {'parts' | 'state-lock' | 'abandoned-state'} Name
 * @param {Name} name
 * @returns {Promise<{ parts: typeof import('../../infrastructure/local/parts.js'), 'state-lock': typeof import('../../infrastructure/local/state-lock.js'), 'abandoned-state': typeof import('../../infrastructure/local/abandoned-state.js') }[Name]>}
 */
function load(name) {
  return import(pathToFileURL(join(built, `${name}.js`)).href);
}
