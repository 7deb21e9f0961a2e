import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from '../lib/project-root.js';
import type { FromRunProcess, ToRunProcess } from '../model/run-process.js';
import { childEnvironment } from './child-environment.js';

/** The program that a run's process executes. */
export const runProcessEntry: string = join(projectRoot, 'dist', 'src', 'worker', 'run-process.js');

/** For JavaScript, a quarter of a run's limit: DuckDB takes half, buffers and code the rest. */
export function heapMiBOfRun(memoryBytes: number): number {
  return Math.max(64, Math.floor(memoryBytes / 4 / 2 ** 20));
}

export interface ChildSettings {
  readonly entry: string;
  /** Bound of the JavaScript heap, in MiB. */
  readonly heapMiB: number;
  /** The only folder the process may write to; also its HOME and TMPDIR. null: it is told with its run. */
  readonly folder: string | null;
}

export interface ChildEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why it could not be started; null when it was. */
  readonly startError: string | null;
}

export function describeEnd({ exitCode, signal, startError }: ChildEnd): string {
  if (startError !== null) return `it could not be started: ${startError}`;
  return signal === null ? `exit code ${exitCode}` : `signal ${signal}`;
}

/** The last this many characters of what a process wrote to stderr are kept for the log. */
const keptOutput = 4_000;

/** A run's process and its channel. It is in a process group of its own, so that Ctrl-C reaches the server only. */
export class RunChild {
  /** Resolves when the process is gone and every message it sent has been delivered. Never rejects. */
  readonly ended: Promise<ChildEnd>;
  private readonly process: ChildProcess;
  private output = '';
  private listener: ((message: FromRunProcess) => void) | null = null;
  /** What it said while nobody listened. */
  private readonly unheard: FromRunProcess[] = [];

  constructor({ entry, heapMiB, folder }: ChildSettings, onMessage?: (message: FromRunProcess) => void) {
    this.listener = onMessage ?? null;
    this.process = fork(entry, [], {
      serialization: 'advanced',
      execArgv: [`--max-old-space-size=${heapMiB}`, '--enable-source-maps'],
      env: childEnvironment(folder),
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      detached: true,
    });
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.output = (this.output + text).slice(-keptOutput);
    });
    this.process.on('message', (message) => this.hear(message as FromRunProcess));
    this.ended = this.watchEnd();
  }

  /** Hears everything from its first message on. Once, for a process that was forked without a listener. */
  listen(onMessage: (message: FromRunProcess) => void): void {
    this.listener = onMessage;
    for (const message of this.unheard.splice(0)) onMessage(message);
  }

  get processId(): number | undefined {
    return this.process.pid;
  }

  /** The end of what it wrote to stderr. Not for callers: it may hold values. */
  get errorOutput(): string {
    return this.output;
  }

  /** A process that is gone or going gets nothing; that is no error, its end is reported by `ended`. */
  send(message: ToRunProcess): void {
    if (this.process.connected) this.process.send(message, () => undefined);
  }

  kill(): void {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGKILL');
  }

  private hear(message: FromRunProcess): void {
    if (this.listener === null) this.unheard.push(message);
    else this.listener(message);
  }

  private watchEnd(): Promise<ChildEnd> {
    const channelClosed = new Promise<void>((resolve) => this.process.once('disconnect', resolve));
    return new Promise((resolve) => {
      this.process.once('exit', (exitCode, signal) => {
        void channelClosed.then(() => resolve({ exitCode, signal, startError: null }));
      });
      this.process.once('error', (error) => {
        if (this.process.pid === undefined) resolve({ exitCode: null, signal: null, startError: error.message });
      });
    });
  }
}
