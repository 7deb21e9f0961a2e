import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { projectRoot } from '../../src/lib/project-root.js';

const entry = join(projectRoot, 'dist', 'test', 'support', 'live-process.js');

export interface ApiFigures {
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** Streams that wait in the tail, and those that have not ended. */
  readonly waiting: number;
  readonly open: number;
}

export interface ApiProcess {
  readonly url: string;
  figures(): Promise<ApiFigures>;
  stop(): Promise<void>;
}

/** An API in a process of its own, with nothing but subscriptions. */
export async function startApiProcess(mongodbUri: string): Promise<ApiProcess> {
  const child = fork(entry, ['api', mongodbUri], { execArgv: ['--expose-gc'] });
  const { url } = await answer<{ url: string }>(child);
  return {
    url,
    figures: () => {
      child.send('figures');
      return answer<ApiFigures>(child);
    },
    stop: async () => {
      if (child.exitCode !== null) return;
      const ended = once(child, 'exit');
      child.send('stop');
      await ended;
    },
  };
}

/** Appends `events` events to each of `runs` runs, in a process of its own. @returns how long it took, in milliseconds */
export async function publishInProcess(mongodbUri: string, runs: number, events: number, bytes = 0): Promise<number> {
  const child = fork(entry, ['publish', mongodbUri, String(runs), String(events), String(bytes)]);
  const ended = once(child, 'exit');
  const { publishedInMs } = await answer<{ publishedInMs: number }>(child);
  await ended;
  return publishedInMs;
}

async function answer<T>(child: ChildProcess): Promise<T> {
  const ended = new AbortController();
  const onExit = (code: number | null): void => ended.abort(new Error(`The process ended with status ${code}.`));
  child.once('exit', onExit);
  const [message] = (await once(child, 'message', { signal: ended.signal })) as [T];
  child.off('exit', onExit);
  return message;
}
