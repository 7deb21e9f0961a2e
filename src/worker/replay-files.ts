import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReplayedLetter } from '../model/dead-letter.js';
import { PlatformError } from '../model/errors.js';
import type { PipelineSpec } from '../model/pipeline-spec.js';
import type { ReplayPart } from '../model/run-process.js';
import { type Segment, segmentBytes } from '../model/segment.js';

interface OpenSegment {
  readonly path: string;
  rows: number;
  sizeBytes: number;
  widestRowBytes: number;
  lines: string[];
  waitingBytes: number;
}

interface OpenPart {
  readonly letter: ReplayedLetter;
  readonly output: number;
  readonly columns: readonly string[];
  readonly segments: OpenSegment[];
}

const writeBytes = 2 ** 20;

/**
 * Writes the dead letters that a run was given into its folder, one file after the other for each step, output and set of columns.
 *
 * @throws PlatformError REPLAY_REFUSED when there are none, or one cannot be taken again
 */
export async function writeReplayFiles(letters: AsyncIterable<ReplayedLetter>, spec: PipelineSpec, folder: string, signal: AbortSignal): Promise<ReplayPart[]> {
  const largest = segmentBytes(spec.limits.memoryBytes);
  const parts = new Map<string, OpenPart>();
  let files = 0;
  let position = 0;
  for await (const letter of letters) {
    signal.throwIfAborted();
    position += 1;
    const row = rowOf(letter);
    const part = partOf(parts, letter, Object.keys(row), spec);
    let segment = part.segments.at(-1);
    if (!segment || segment.sizeBytes >= largest) {
      files += 1;
      segment = { path: join(folder, `letters-${files}.csv`), rows: 0, sizeBytes: 0, widestRowBytes: 0, lines: [], waitingBytes: 0 };
      part.segments.push(segment);
    }
    add(segment, `${[position, ...part.columns.map((column) => field(row[column]))].join(',')}\n`);
    if (segment.waitingBytes >= writeBytes || segment.sizeBytes >= largest) await flush(segment);
  }
  if (position === 0)
    throw new PlatformError('REPLAY_REFUSED', 'This run was given no dead letters, or they were released meanwhile. Call replayDeadLetters again.');
  for (const { segments } of parts.values()) for (const segment of segments) await flush(segment);
  return [...parts.values()].map(({ letter: { stage, step }, output, columns, segments }) => ({
    stage,
    step,
    output,
    segments: segments.map(({ path, rows, sizeBytes, widestRowBytes }): Segment => ({ path, columns, rows, sizeBytes, widestRowBytes })),
  }));
}

function partOf(parts: Map<string, OpenPart>, letter: ReplayedLetter, names: readonly string[], { outputs }: PipelineSpec): OpenPart {
  const { stage, step, output } = letter;
  const columns = [...names].sort();
  const key = JSON.stringify([stage, step, output.connection, output.stream, columns]);
  const known = parts.get(key);
  if (known) return known;
  const index = outputs.findIndex(({ connection, stream }) => connection === output.connection && stream === output.stream);
  if (index < 0) {
    throw new PlatformError('REPLAY_REFUSED', `Dead letter ${letter.id} was on its way to ${output.stream}, which the pipeline does not write any more.`);
  }
  const part: OpenPart = { letter, output: index, columns, segments: [] };
  parts.set(key, part);
  return part;
}

function rowOf({ id, row }: ReplayedLetter): Readonly<Record<string, unknown>> {
  if (row !== null) return row;
  throw new PlatformError('REPLAY_REFUSED', `The row of dead letter ${id} was too large to be kept, so that it cannot be taken again. Discard it.`);
}

function add(segment: OpenSegment, line: string): void {
  const bytes = Buffer.byteLength(line);
  segment.lines.push(line);
  segment.rows += 1;
  segment.sizeBytes += bytes;
  segment.waitingBytes += bytes;
  segment.widestRowBytes = Math.max(segment.widestRowBytes, bytes);
}

async function flush(segment: OpenSegment): Promise<void> {
  if (segment.lines.length === 0) return;
  const text = segment.lines.join('');
  segment.lines = [];
  segment.waitingBytes = 0;
  await appendFile(segment.path, text, { mode: 0o600 });
}

/** Quoted even when empty: an unquoted empty field is NULL. */
function field(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return `"${text.replaceAll('"', '""')}"`;
}
