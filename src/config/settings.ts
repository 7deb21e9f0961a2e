import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { isLoopback } from '../lib/loopback.js';
import { PlatformError } from '../model/errors.js';
import { type GivenNeo4j, givenMongodb, givenNeo4j, givenPostgres } from './given-servers.js';

/** Everything the environment may say, checked. null: not given. */
export interface Settings {
  /** Address to listen on; any but a loopback one needs a token. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly token: string | null;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly logLevel: LogLevel;
  /** Absolute. */
  readonly stateFolder: string;
  /** Absolute: folders below which file connections may read and write. */
  readonly fileRoots: readonly string[];
  /** Whether to make and run the example shop. */
  readonly example: boolean;
  /** Runs at once; null: as many as there are cores. */
  readonly runSlots: number | null;
  readonly neo4j: GivenNeo4j | null;
  readonly mongodbUri: string | null;
  /** Which embedded MongoDB is wanted; null: the one that is there, or the first that can be had. */
  readonly mongodbKind: (typeof mongodbKinds)[number] | null;
  readonly examplePostgresUrl: string | null;
}
export type LogLevel = (typeof logLevels)[number];

const mongodbKinds = ['mongod', 'download', 'emulator'] as const;
const logLevels = ['debug', 'info', 'warn', 'error'] as const;

/** An empty variable counts as absent, so that a line of a compose file can switch one off. */
type Reader<T> = (text: string) => T | Problem;
class Problem {
  constructor(readonly expected: string) {}
}

/**
 * Reads the settings from the environment; relative paths start at `root`.
 * @throws PlatformError CONFIG_INVALID naming every variable that is wrong and what was expected; values of secrets are not shown
 */
export function readSettings(environment: NodeJS.ProcessEnv, root: string): Settings {
  const problems: string[] = [];
  const read = <T, Absent>(name: string, reader: Reader<T>, absent: Absent, secret = false): T | Absent => {
    const text = environment[name]?.trim() ?? '';
    if (text === '') return absent;
    const value = reader(text);
    if (!(value instanceof Problem)) return value;
    problems.push(`${name} is ${secret ? 'not usable' : JSON.stringify(text)}: it must be ${value.expected}.`);
    return absent;
  };
  const stateFolder = read('TRIBUTARY_STATE', (text) => (isAbsolute(text) ? text : resolve(root, text)), join(root, '.tributary'));
  const settings: Settings = {
    host: read('HOST', hostName, '127.0.0.1'),
    port: read('PORT', wholeNumber(0, 65_535), 4_000),
    token: read('TRIBUTARY_TOKEN', token, null, true),
    allowedHosts: read('TRIBUTARY_ALLOWED_HOSTS', list(hostName), []),
    allowedOrigins: read('TRIBUTARY_ALLOWED_ORIGINS', list(origin), []),
    logLevel: read('TRIBUTARY_LOG_LEVEL', oneOf(logLevels), 'info'),
    stateFolder,
    fileRoots: read('TRIBUTARY_FILE_ROOTS', absolutePaths, [join(stateFolder, 'files')]),
    example: read('TRIBUTARY_EXAMPLE', oneOf(['yes', 'no']), 'yes') === 'yes',
    runSlots: read('TRIBUTARY_RUNS_AT_ONCE', wholeNumber(1, 64), null),
    neo4j: givenNeo4j(environment, problems),
    mongodbUri: givenMongodb(environment, problems),
    mongodbKind: read('TRIBUTARY_MONGODB', oneOf(mongodbKinds), null),
    examplePostgresUrl: givenPostgres(environment, problems),
  };
  if (problems.length === 0 && settings.token === null && !isLoopback(settings.host)) {
    problems.push(
      `HOST is ${settings.host}, which other machines can reach, and TRIBUTARY_TOKEN is not set: set it to a long random text, or HOST to 127.0.0.1.`,
    );
  }
  if (problems.length === 0) return settings;
  throw new PlatformError('CONFIG_INVALID', `${problems.length === 1 ? 'A setting is' : 'Settings are'} wrong. ${problems.join(' ')}`);
}

function wholeNumber(lowest: number, highest: number): Reader<number> {
  const schema = z.coerce.number().int().min(lowest).max(highest);
  return (text) => {
    const parsed = /^\d+$/.test(text) ? schema.safeParse(text) : null;
    return parsed?.success === true ? parsed.data : new Problem(`a whole number from ${lowest} to ${highest}`);
  };
}

function oneOf<T extends string>(words: readonly T[]): Reader<T> {
  return (text) => words.find((word) => word === text) ?? new Problem(`one of ${words.join(', ')}`);
}

function list<T>(reader: Reader<T>): Reader<T[]> {
  return (text) => {
    const values = text.split(',').map((item) => reader(item.trim()));
    const problem = values.find((value) => value instanceof Problem);
    return problem instanceof Problem ? new Problem(`a list with commas, each ${problem.expected}`) : (values as T[]);
  };
}

const absolutePaths: Reader<string[]> = (text) => {
  const paths = text.split(delimiter).filter((path) => path !== '');
  return paths.length > 0 && paths.every((path) => isAbsolute(path)) ? paths : new Problem(`absolute paths of folders, with "${delimiter}" between them`);
};

const hostName: Reader<string> = (text) =>
  /^[A-Za-z0-9.:_[\]-]+$/.test(text) ? text : new Problem('a host name or an IP address, without scheme, port or path');

const token: Reader<string> = (text) => (/^\S{16,}$/.test(text) ? text : new Problem('at least 16 characters without spaces'));

const origin: Reader<string> = (text) => {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && url.origin === text.replace(/\/$/, '') ? url.origin : new Problem('an origin such as https://intelgraph.example:8443');
};
