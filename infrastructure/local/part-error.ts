export type PartName = 'neo4j' | 'mongodb' | 'postgres';

/** A part that could not be had. `message` says what is missing and the ways to supply it; it holds no secret. */
export class PartError extends Error {
  readonly part: PartName;

  constructor(part: PartName, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'PartError';
    this.part = part;
  }
}

/** Progress of one part, one line each. */
export type PartLog = (part: PartName, text: string) => void;

export const partTitles: Readonly<Record<PartName, string>> = { neo4j: 'Neo4j', mongodb: 'MongoDB', postgres: 'PostgreSQL' };
