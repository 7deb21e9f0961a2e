import type { LoadMode } from './shop.js';

export const points = [
  'before stage',
  'mid-stage',
  'before merge',
  'before commit',
  'after commit, before it is recorded',
  'while dead letters are opened',
  'while letters and log are written',
  'mid-stage, twice in a row',
] as const;
export type Point = (typeof points)[number];

export const victims = ['run process', 'server', 'mongodb', 'neo4j', 'postgres'] as const;
export type Victim = (typeof victims)[number];

const modes: readonly LoadMode[] = ['append', 'upsert', 'overwrite'];

export interface CrashCase {
  readonly number: number;
  readonly point: Point;
  readonly victim: Victim;
  readonly mode: LoadMode;
}

const allCases: readonly CrashCase[] = points
  .flatMap((point) => victims.flatMap((victim) => modes.map((mode) => ({ point, victim, mode }))))
  .map((each, index) => ({ number: index + 1, ...each }));

/**
 * The cases that are wanted: CRASH_CASES is `all`, or numbers with commas, which repeat a failure. Otherwise a few: every point once,
 * and of victims and modes what CRASH_SEED turns up.
 */
export function wantedCases({ CRASH_CASES: wanted = '', CRASH_SEED: seed = '1' }: NodeJS.ProcessEnv): CrashCase[] {
  if (wanted === 'all') return [...allCases];
  if (wanted !== '') {
    const numbers = new Set(wanted.split(',').map(Number));
    return allCases.filter(({ number }) => numbers.has(number));
  }
  return points.flatMap((point, index) => {
    const ofPoint = allCases.filter((each) => each.point === point);
    return ofPoint[(Number(seed) * 7 + index * 4) % ofPoint.length] ?? [];
  });
}

/**
 * How many attempts a run has at least when the kills have hit it: the end of its process, of its server and of PostgreSQL ends an
 * attempt that has not come to its commit. Behind that, and without the other stores, the attempt may go on.
 */
export function leastAttempts({ point, victim }: CrashCase): number {
  if (victim === 'mongodb' || victim === 'neo4j') return 1;
  if (point === 'mid-stage, twice in a row') return 3;
  return ['before stage', 'mid-stage', 'before merge', 'while letters and log are written'].includes(point) ? 2 : 1;
}
