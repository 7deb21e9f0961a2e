import { PartError } from './part-error.js';
import type { MongodbKind, MongodbRecord } from './part-settings.js';

/** A real MongoDB server that can be started. */
export interface MongodProgram {
  readonly path: string;
  /** e.g. `8.0.4` */
  readonly version: string;
}

/** There is none; `missing` says why and goes on behind "and". */
export interface Missing {
  readonly missing: string;
}

export interface MongodbProbes {
  onPath(): Promise<MongodProgram | Missing>;
  /** @param version  the one wanted; null: any */
  downloaded(version: string | null): Promise<MongodProgram | Missing>;
}

export interface LadderRequest {
  /** What the state folder has; null: nothing yet. */
  readonly recorded: MongodbRecord | null;
  /** What TRIBUTARY_MONGODB says. */
  readonly wanted: MongodbKind | null;
  /** Where the documents of the recorded kind lie: removed, the choice is free again. */
  readonly dataFolder: string | null;
  readonly probes: MongodbProbes;
  readonly log: (text: string) => void;
}

export type MongodbChoice = { readonly kind: 'emulator' } | { readonly kind: 'mongod' | 'download'; readonly program: MongodProgram };

/**
 * The recorded kind, else the wanted one, else the first that can be had: mongod on the PATH, a downloaded one, the emulator.
 *
 * @throws PartError when the recorded or wanted kind cannot be had, or the two differ: a store is never left behind silently
 */
export async function chooseMongodb({ recorded, wanted, dataFolder, probes, log }: LadderRequest): Promise<MongodbChoice> {
  if (recorded !== null) {
    if (wanted !== null && wanted !== recorded.kind) throw new PartError('mongodb', changeRefused(recorded, wanted, dataFolder ?? ''));
    return await chooseRecorded(recorded, probes, dataFolder ?? '');
  }
  if (wanted === 'emulator') return { kind: 'emulator' };
  const reasons: string[] = [];
  for (const kind of wanted === null ? (['mongod', 'download'] as const) : [wanted]) {
    const found = await (kind === 'mongod' ? probes.onPath() : probes.downloaded(null));
    if (!('missing' in found)) return { kind, program: found };
    reasons.push(found.missing);
  }
  if (wanted !== null) {
    const ways = 'Supply it, set MONGODB_URI to a server that runs already, or leave TRIBUTARY_MONGODB out to use what can be had.';
    throw new PartError('mongodb', `TRIBUTARY_MONGODB asks for ${titleOf[wanted]}, and ${reasons.join('; ')}. ${ways}`);
  }
  log(`the emulator is used: ${reasons.join('; ')}`);
  return { kind: 'emulator' };
}

async function chooseRecorded(recorded: MongodbRecord, probes: MongodbProbes, dataFolder: string): Promise<MongodbChoice> {
  if (recorded.kind === 'emulator') return { kind: 'emulator' };
  const found = await (recorded.kind === 'mongod' ? probes.onPath() : probes.downloaded(recorded.version));
  if (!('missing' in found)) return { kind: recorded.kind, program: found };
  throw new PartError(
    'mongodb',
    `This state folder keeps its documents in ${describe(recorded)}, as parts.json says, and ${found.missing}. Supply it again, or set MONGODB_URI to a server that holds them. ${wayToChange(recorded.kind, dataFolder)}`,
  );
}

function changeRefused(recorded: MongodbRecord, wanted: MongodbKind, dataFolder: string): string {
  return `This state folder keeps its documents in ${describe(recorded)}, as parts.json says, and TRIBUTARY_MONGODB asks for ${titleOf[wanted]}. Leave the variable out to go on with them. ${wayToChange(recorded.kind, dataFolder)}`;
}

function wayToChange(kind: MongodbKind, dataFolder: string): string {
  const tools = kind === 'emulator' ? ['mongoexport (collection by collection)', 'mongoimport'] : ['mongodump', 'mongorestore'];
  return `To take them to another kind, start with this one, export them with ${tools[0]} from the address that the start prints, stop, move ${dataFolder} away, start with TRIBUTARY_MONGODB set to the new kind, and import them with ${tools[1]}. To begin anew without them, only move that folder away.`;
}

const titleOf: Readonly<Record<MongodbKind, string>> = { mongod: 'a mongod on the PATH', download: 'a downloaded mongod', emulator: 'the emulator' };

function describe(record: MongodbRecord): string {
  if (record.kind === 'emulator') return 'the emulator (mongo-java-server on H2)';
  return record.kind === 'mongod' ? `mongod ${record.version} from the PATH` : `mongod ${record.version}, downloaded`;
}
