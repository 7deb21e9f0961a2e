// @ts-check
// Keeps one set of test servers running and prints the variables that make every later jest run use it:
//   node test/support/dev-servers.mjs [FILE]      writes the variables to FILE too; Ctrl-C stops and removes the servers
import { writeFileSync } from 'node:fs';
import { removeTestServersOnSignals, startTestServers } from './embedded-parts.mjs';

removeTestServersOnSignals();
const variables = await startTestServers();
const lines = Object.entries(variables).map(([name, value]) => `export ${name}='${value}'\n`);
process.stdout.write(lines.join(''));
const file = process.argv[2];
if (file !== undefined) writeFileSync(file, lines.join(''), { mode: 0o600 });
setInterval(() => undefined, 60_000);
