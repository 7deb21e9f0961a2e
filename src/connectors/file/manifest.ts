import type { CommittedLoad, LoadRequest } from '../../model/connector.js';
import { PlatformError } from '../../model/errors.js';
import type { CursorState } from '../../model/reading.js';
import type { FileColumn } from './describe.js';

const formatVersion = 1;
/** Of the newest loads; an older one is refused by its epoch. */
const keptLoads = 1_000;

export interface Part {
  /** Name of the file in its folder. */
  readonly name: string;
  readonly rows: number;
  readonly sizeBytes: number;
  /** Folder beside the manifest in which it waits to be put in its place; null: it is there. */
  readonly stage: string | null;
}

export interface ManifestSlot {
  readonly pipelineId: string;
  readonly input: string;
  readonly epoch: number;
  readonly version: number;
  readonly state: CursorState | null;
}

/** What an output is: its parts, the loads that made them, and how far each pipeline has come. The newest one holds. */
export interface Manifest {
  readonly format: number;
  readonly version: number;
  readonly columns: readonly FileColumn[];
  readonly parts: readonly Part[];
  /** Names of files that the newest load replaced, to be removed. */
  readonly replaced: readonly string[];
  readonly loads: Readonly<Record<string, CommittedLoad>>;
  readonly slots: readonly ManifestSlot[];
}

export const noManifest: Manifest = { format: formatVersion, version: 0, columns: [], parts: [], replaced: [], loads: {}, slots: [] };

/** @throws PlatformError DESTINATION_MISMATCH when it is no manifest of ours */
export function parseManifest(text: string, path: string): Manifest {
  try {
    const manifest = JSON.parse(text) as Manifest;
    if (manifest.format === formatVersion) return manifest;
  } catch {
    // said below
  }
  throw new PlatformError(
    'DESTINATION_MISMATCH',
    `${path} was written by a newer version of Tributary, or changed by hand. Use that version, or remove the output.`,
  );
}

/** The slots as the load leaves them. @throws PlatformError EPOCH_FENCED */
export function movedSlots(manifest: Manifest, { identity, slots }: LoadRequest): ManifestSlot[] {
  const ofLoad = (slot: ManifestSlot): boolean => slot.pipelineId === identity.pipelineId && slots.some(({ input }) => input === slot.input);
  const before = new Map(manifest.slots.filter(ofLoad).map((slot) => [slot.input, slot]));
  const moved = slots.map(({ input, expectedVersion, state }): ManifestSlot => {
    const found = before.get(input);
    if ((found?.epoch ?? 0) > identity.epoch)
      throw fenced(`Another attempt of this pipeline has taken over at the destination (epoch ${found?.epoch}, this one has ${identity.epoch})`);
    if (expectedVersion !== null && expectedVersion !== (found?.version ?? 0))
      throw fenced(`Another run has moved the state of input "${input}" on (version ${found?.version ?? 0}, this run read ${expectedVersion})`);
    return { pipelineId: identity.pipelineId, input, epoch: identity.epoch, version: (found?.version ?? 0) + 1, state: state ?? found?.state ?? null };
  });
  return [...manifest.slots.filter((slot) => !ofLoad(slot)), ...moved];
}

export function withLoad({ loads }: Manifest, loadId: string, load: CommittedLoad): Manifest['loads'] {
  return Object.fromEntries([...Object.entries(loads), [loadId, load] as const].slice(-keptLoads));
}

function fenced(found: string): PlatformError {
  return new PlatformError('EPOCH_FENCED', `${found}. Nothing was written.`);
}
