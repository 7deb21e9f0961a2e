import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import neo4j, { type Driver, Neo4jError } from 'neo4j-driver';
import { projectRoot } from '../../src/lib/project-root.js';
import { fetchJars } from './fetch-jars.js';
import { findJdk, type Jdk } from './java.js';
import type { Neo4jAddress, PartContext, StartedPart } from './part-context.js';
import { PartError } from './part-error.js';
import { savePartSettings } from './part-settings.js';
import { freePort, isPortFree } from './ports.js';
import { lastLines, makePrivateFolder } from './private-files.js';
import { untilReady } from './ready.js';
import { launch, type SupervisedProcess } from './supervised-process.js';

const user = 'neo4j';
/** What a new store asks to be changed at the first login. */
const firstPassword = 'neo4j';
const withinMs = 180_000;
const wrongPassword =
  'Neo4j refuses the password kept in parts.json of the state folder: its data were made with another one. Put the old parts.json back, or remove the neo4j folder beside it to begin with an empty graph.';

/** Neo4j Community 5.26 in a JVM of its own, on a loopback port. */
export async function startNeo4j(context: PartContext): Promise<StartedPart<Neo4jAddress>> {
  const pom = join(projectRoot, 'infrastructure/local/neo4j/pom.xml');
  const jars = await fetchJars({ part: 'neo4j', pom, cache: context.cache, log: context.log, signal: context.signal });
  const jdk = findJdk();
  if (jdk === null)
    throw new PartError('neo4j', 'Neo4j runs on a JDK of version 17 or newer; none was found. Set JAVA_HOME, or NEO4J_URI to use a running server.');
  const started = performance.now();
  const home = join(context.stateFolder, 'neo4j');
  const port = await choosePort(context);
  const address = { uri: `bolt://127.0.0.1:${port}`, user, password: context.settings.neo4j.password };
  writeConfiguration(home, port);
  const server = launchServer(context, jdk, jars, home);
  try {
    await untilReady({ part: 'neo4j', probe: () => login(address), ended: endWithLog(server, home), withinMs, signal: context.signal });
  } catch (error) {
    await server.stop();
    throw error;
  }
  context.log('neo4j', `ready in ${((performance.now() - started) / 1_000).toFixed(1)} s (Community 5.26, ${address.uri})`);
  return { address, process: server };
}

async function choosePort(context: PartContext): Promise<number> {
  if (await isPortFree(context.settings.neo4j.port)) return context.settings.neo4j.port;
  context.settings.neo4j.port = await freePort();
  savePartSettings(context.settings);
  return context.settings.neo4j.port;
}

/** `quiet_period`: without it a stop takes 10 s. `preallocate`: without it an empty store takes 516 MiB. */
function writeConfiguration(home: string, port: number): void {
  makePrivateFolder(join(home, 'conf'));
  makePrivateFolder(join(home, 'logs'));
  const lines = [
    'server.default_listen_address=127.0.0.1',
    `server.bolt.listen_address=127.0.0.1:${port}`,
    `server.bolt.advertised_address=127.0.0.1:${port}`,
    'server.http.enabled=false',
    'server.https.enabled=false',
    'server.memory.pagecache.size=64m',
    'dbms.usage_report.enabled=false',
    'dbms.security.auth_enabled=true',
    'db.tx_log.preallocate=false',
    'db.tx_log.rotation.retention_policy=256M size',
    'internal.dbms.bolt.netty_server_shutdown_quiet_period=0',
  ];
  writeFileSync(join(home, 'conf', 'neo4j.conf'), `${lines.join('\n')}\n`, { mode: 0o600 });
}

function launchServer(context: PartContext, jdk: Jdk, jars: string, home: string): SupervisedProcess {
  const packages = ['java.nio', 'java.io', 'sun.nio.ch', 'java.util.concurrent'];
  return launch({
    part: 'neo4j',
    command: jdk.java,
    arguments: [
      ...['-Xms256m', '-Xmx256m', '-XX:+UseSerialGC', '-Dfile.encoding=UTF-8', '-Djava.awt.headless=true'],
      ...packages.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
      ...['--enable-native-access=ALL-UNNAMED', '-cp', join(jars, '*'), 'org.neo4j.server.CommunityEntryPoint'],
      ...[`--home-dir=${home}`, `--config-dir=${join(home, 'conf')}`],
    ],
    mark: `--home-dir=${home}`,
    logFile: join(home, 'logs', 'console.log'),
    registry: context.registry,
  });
}

/** Neo4j says why it could not start in its own log only. */
function endWithLog(server: SupervisedProcess, home: string): Promise<PartError> {
  const log = join(home, 'logs', 'neo4j.log');
  return server.ended.then((error) => {
    const cause = lastLines(log, 40)
      .split('\n')
      .filter((line) => /ERROR|Caused by|locked|in use/.test(line))
      .at(-1);
    return cause === undefined ? error : new PartError('neo4j', `${error.message} (Neo4j's log says: ${cause.trim().slice(0, 300)})`, error);
  });
}

/** Logs in; in a new store gives the user our password first. */
async function login(address: Neo4jAddress): Promise<void> {
  const driver = openDriver(address.uri, address.password);
  try {
    await driver.verifyAuthentication({ database: 'system' }).then((accepted) => (accepted ? undefined : setFirstPassword(address)));
    await driver.verifyConnectivity();
  } finally {
    await driver.close();
  }
}

async function setFirstPassword(address: Neo4jAddress): Promise<void> {
  const driver = openDriver(address.uri, firstPassword);
  try {
    const parameters = { before: firstPassword, after: address.password };
    await driver.executeQuery('ALTER CURRENT USER SET PASSWORD FROM $before TO $after', parameters, { database: 'system' });
  } catch (error) {
    if (error instanceof Neo4jError && error.code.startsWith('Neo.ClientError.Security.')) throw new PartError('neo4j', wrongPassword, error);
    throw error;
  } finally {
    await driver.close();
  }
}

function openDriver(uri: string, password: string): Driver {
  return neo4j.driver(uri, neo4j.auth.basic(user, password), { connectionTimeout: 5_000, maxTransactionRetryTime: 0 });
}
