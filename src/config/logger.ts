import { mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type DestinationStream, type Logger, pino } from 'pino';
import { maskValues } from '../lib/mask-values.js';
import type { LogLevel } from './settings.js';

export interface ServerLog {
  readonly logger: Logger;
  readonly file: string;
  /** From now on these values appear in no line. */
  hide(values: readonly string[]): void;
}

const largestFileBytes = 10 * 1024 * 1024;

export interface LogSettings {
  readonly folder: string;
  readonly level: LogLevel;
  /** Stands in every line, since several processes may write into one file. */
  readonly process: string;
}

/** Lines of JSON: all of `level` and above in server.log of the folder, warnings and above on standard error too. */
export function openLog({ folder, level, process }: LogSettings): ServerLog {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'server.log');
  // One older file is kept.
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > largestFileBytes) renameSync(file, `${file}.1`);
  const hidden: string[] = [];
  const masked = (target: DestinationStream): DestinationStream => ({ write: (line) => target.write(maskValues(line, hidden)) });
  const streams = [
    { level, stream: masked(pino.destination({ dest: file, sync: true, mode: 0o600 })) },
    { level: 'warn' as const, stream: masked(pino.destination({ dest: 2, sync: true })) },
  ];
  const logger = pino({ level, base: { process }, timestamp: pino.stdTimeFunctions.isoTime }, pino.multistream(streams));
  return { logger, file, hide: (values) => hidden.push(...values.flatMap(forms)) };
}

/** A value as it is, and as it stands in a URL and in JSON. */
function forms(value: string): string[] {
  return [...new Set([value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)])];
}
