import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { PartError, type PartName, partTitles } from './part-error.js';
import { lastLines } from './private-files.js';
import { stopProcess } from './process-identity.js';
import { type ProcessRegistry, stopGraceMs, stopSignals } from './process-registry.js';

export interface LaunchRequest {
  readonly part: PartName;
  readonly command: string;
  readonly arguments: readonly string[];
  /** Stands in the arguments; by it an orphan is recognised. */
  readonly mark: string;
  /** Receives standard output and error; begun anew at each start. */
  readonly logFile: string;
  readonly registry: ProcessRegistry;
  readonly options?: Pick<SpawnOptions, 'cwd' | 'env' | 'uid' | 'gid'>;
  /** True: standard input and output are pipes to us. */
  readonly piped?: boolean;
}

export interface SupervisedProcess {
  readonly child: ChildProcess;
  /** Resolves at the end of the process with a sentence about it; never rejects. */
  readonly ended: Promise<PartError>;
  stop(): Promise<void>;
}

/** Starts a part in its own process group (so that Ctrl-C does not reach it before us) and records it on file. */
export function launch(request: LaunchRequest): SupervisedProcess {
  const { part, registry } = request;
  const log = openSync(request.logFile, 'w', 0o600);
  const child = spawn(request.command, [...request.arguments], {
    env: plainEnvironment(),
    ...request.options,
    detached: true,
    stdio: request.piped === true ? ['pipe', 'pipe', log] : ['ignore', log, log],
  });
  closeSync(log);
  child.stdin?.on('error', ignoreClosedPipe);
  const identity = child.pid === undefined ? null : registry.add(part, child.pid, request.mark);
  const ended = new Promise<PartError>((resolve) => {
    child.once('error', (error) => resolve(new PartError(part, `${partTitles[part]} could not be started: ${error.message}.`, error)));
    child.once('exit', (code, signal) => {
      if (identity !== null) registry.remove(identity);
      resolve(new PartError(part, endSentence(part, code, signal, request.logFile)));
    });
  });
  const stop = async (): Promise<void> => {
    if (identity === null) return;
    await stopProcess(identity, stopSignals[part], stopGraceMs);
    await ended;
  };
  return { child, ended, stop };
}

/** The servers need none of our variables, some of which are secrets. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, LANG, TMPDIR } = process.env;
  return { PATH, HOME, LANG, TMPDIR };
}

function endSentence(part: PartName, code: number | null, signal: NodeJS.Signals | null, logFile: string): string {
  if (signal !== null) return `${partTitles[part]} was ended by ${signal}. Its log: ${logFile}`;
  const last = lastLines(logFile, 3).replaceAll('\n', ' | ');
  return `${partTitles[part]} ended with exit status ${code}${last === '' ? '' : `; its last lines were: ${last}`}. Its log: ${logFile}`;
}

/** The pipe breaks when the process ends, which `ended` tells. */
function ignoreClosedPipe(): void {}
