import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream, existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { replacedBy } from './given-servers.js';
import { findJdk, findMaven } from './java.js';
import { MavenProgress } from './maven-progress.js';
import { PartError, type PartLog, type PartName, partTitles } from './part-error.js';
import { lastLines } from './private-files.js';

const copyGoal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

export interface JarsRequest {
  readonly part: PartName;
  /** A pom whose runtime dependencies are wanted. */
  readonly pom: string;
  readonly cache: string;
  readonly log: PartLog;
  readonly signal: AbortSignal;
}

/** Two Maven processes must not fill one local repository at the same time. */
let queue: Promise<unknown> = Promise.resolve();

/** The folder with the jars of a pom: fetched with Maven once, then found again by the hash of the pom. */
export async function fetchJars(request: JarsRequest): Promise<string> {
  const hash = createHash('sha256').update(readFileSync(request.pom)).digest('hex').slice(0, 16);
  const folder = join(request.cache, `${request.part}-${hash}`);
  if (existsSync(join(folder, 'complete'))) return folder;
  const turn = queue.then(() => fetch(request, folder));
  queue = turn.catch(() => undefined);
  await turn;
  return folder;
}

async function fetch(request: JarsRequest, folder: string): Promise<void> {
  request.signal.throwIfAborted();
  await mkdir(request.cache, { recursive: true });
  const temporary = await mkdtemp(join(request.cache, `${request.part}-fetching-`));
  try {
    await runMaven(request, temporary);
    await writeFile(join(temporary, 'complete'), '');
    await rm(existsSync(join(folder, 'complete')) ? temporary : folder, { recursive: true, force: true });
    if (existsSync(temporary)) await rename(temporary, folder);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    // Another start may have put the same jars in place meanwhile.
    if (!existsSync(join(folder, 'complete'))) throw error;
  }
}

function runMaven({ part, pom, cache, log, signal }: JarsRequest, folder: string): Promise<void> {
  const jdk = findJdk();
  const maven = findMaven();
  if (jdk === null || maven === null) {
    throw new PartError(
      part,
      `${partTitles[part]} is fetched with Maven and runs on a JDK of version 17 or newer: ${jdk === null ? 'no such JDK' : 'no mvn'} was found.`,
    );
  }
  const logFile = join(cache, `${part}-maven.log`);
  const raw = createWriteStream(logFile, { mode: 0o600 });
  const progress = new MavenProgress((text) => log(part, text));
  log(part, 'is fetched with Maven, once; this may take a few minutes');
  return new Promise((resolve, reject) => {
    const child = spawn(maven, ['-B', '-f', pom, copyGoal, '-DincludeScope=runtime', `-DoutputDirectory=${folder}`], {
      cwd: dirname(pom),
      env: { ...process.env, JAVA_HOME: jdk.home },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      raw.write(`${line}\n`);
      progress.line(line);
    });
    child.stderr.pipe(raw, { end: false });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) progress.end();
      raw.end(() => (code === 0 ? resolve() : reject(mavenError(part, logFile, code))));
    });
  });
}

function mavenError(part: PartName, logFile: string, code: number | null): PartError {
  const problem = lastLines(logFile, 60)
    .split('\n')
    .find((line) => line.startsWith('[ERROR]'));
  const reason = (problem ?? `[ERROR] exit status ${code}`).slice('[ERROR] '.length).replaceAll(/\(?https?:\/\/\S+/g, '(address left out)');
  const advice = `Check that Maven reaches its repository (proxy, settings.xml) and start again, or set ${replacedBy[part]} to use a server that runs already.`;
  return new PartError(part, `${partTitles[part]} could not be fetched with Maven: ${reason.slice(0, 400)} ${advice} Maven's whole output: ${logFile}`);
}
