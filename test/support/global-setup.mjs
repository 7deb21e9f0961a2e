// @ts-check
import { removeTestServersOnSignals, startTestServers } from './embedded-parts.mjs';

/** Once per test run: the workers inherit the variables. */
export default async function setUp() {
  removeTestServersOnSignals();
  Object.assign(process.env, await startTestServers());
}
