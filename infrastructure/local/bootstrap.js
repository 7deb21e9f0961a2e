// @ts-check
// The one entry of every npm script: checks what the machine has, installs and builds what is not in step, then runs the command.
// Plain JavaScript without packages: it runs before anything is installed.
//   node infrastructure/local/bootstrap.js start [--only api|worker] | test [JEST ARGUMENTS] | test:unit [JEST ARGUMENTS] | test:crash | test:kill | bench | build
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from './build.js';
import { installPackages } from './install-packages.js';
import { checkPrograms, checkSystem } from './prerequisites.js';
import { exitLikeChild, run } from './run-command.js';
import { runCrashTests, runKillTests, runTests, runUnitTests } from './run-tests.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** @type {Record<string, { servers: readonly string[], main: (commandArguments: string[]) => Promise<void> }>} */
const commands = {
  start: {
    servers: ['NEO4J_URI', 'MONGODB_URI'],
    main: async (commandArguments) => {
      const entry = join(root, 'dist', 'src', 'start.js');
      process.argv.splice(1, process.argv.length, entry, ...commandArguments);
      await import(pathToFileURL(entry).href);
    },
  },
  test: { servers: ['TEST_NEO4J_URI', 'TEST_MONGODB_URI'], main: (commandArguments) => runTests(root, commandArguments) },
  'test:unit': { servers: [], main: (commandArguments) => runUnitTests(root, commandArguments) },
  'test:crash': { servers: [], main: () => runCrashTests(root) },
  'test:kill': { servers: [], main: () => runKillTests(root) },
  bench: {
    servers: [],
    main: async (commandArguments) => exitLikeChild(await run(process.execPath, [join('dist', 'test', 'bench', 'bench.js'), ...commandArguments], root)),
  },
  build: { servers: [], main: async () => undefined },
};

const [name = '', ...commandArguments] = process.argv.slice(2);
const command = commands[name];
if (command === undefined) {
  process.stderr.write(`There is no command ${JSON.stringify(name)}; there are: ${Object.keys(commands).join(', ')}.\n`);
  process.exit(2);
}
checkSystem();
await checkPrograms(command.servers);
await installPackages(root);
await build(root);
await command.main(commandArguments);
