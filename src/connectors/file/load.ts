import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { CommittedLoad, Load, LoadCounts, LoadRequest, RefusedRow } from '../../model/connector.js';
import { PlatformError } from '../../model/errors.js';
import type { Segment } from '../../model/segment.js';
import type { FileConfig } from './config.js';
import { toFileError } from './errors.js';
import { type Manifest, movedSlots, noManifest, type Part, withLoad } from './manifest.js';
import { type FileOutput, syncFile, syncFolder } from './output.js';
import { PartWriter } from './part-writer.js';
import { kindOf, loadProblem } from './stream-name.js';

const extensions: Readonly<Record<string, string>> = { gzip: '.gz', zstd: '.zst', none: '' };

/** Opens a load: rows are collected in a file of a stage folder, which nobody sees before the commit. */
export async function openLoad(output: FileOutput, config: FileConfig, request: LoadRequest, signal: AbortSignal): Promise<Load> {
  signal.throwIfAborted();
  const problem = problemOf(output, config, request);
  if (problem !== null) throw new PlatformError('DESTINATION_MISMATCH', `${request.stream} cannot be written: ${problem}.`);
  const kind = kindOf(output.stream.name, config);
  await output.cleanUp();
  const stage = await output.openStage();
  const hash = createHash('sha256').update(request.identity.loadId).digest('hex').slice(0, 20);
  const path = join(stage, output.partName(hash, `${kind.format}${extensions[kind.compression]}`));
  return new FileLoad(
    output,
    request,
    stage,
    path,
    new PartWriter({ path, stage, kind, columns: request.columns, csv: config.csv, stream: output.stream.name }),
  );
}

function problemOf({ stream }: FileOutput, config: FileConfig, { mode }: LoadRequest): string | null {
  const problem = loadProblem(stream, mode);
  if (problem !== null || kindOf(stream.name, config).format !== 'csv') return problem;
  if (config.csv.quote === '') return 'values could not be told apart without a quote; set "quote" in the connection\'s "csv"';
  return /^utf-?8$/i.test(config.csv.encoding) ? null : 'CSV is written in UTF-8 only; use another connection for it';
}

class FileLoad implements Load {
  constructor(
    private readonly output: FileOutput,
    private readonly request: LoadRequest,
    private readonly stageFolder: string,
    private readonly path: string,
    private readonly writer: PartWriter,
  ) {}

  async stage(segment: Segment, signal: AbortSignal): Promise<void> {
    try {
      await this.writer.add(segment, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw toFileError(error, 'load', this.request.stream);
    }
  }

  async stageErased(): Promise<void> {
    throw new PlatformError('DESTINATION_MISMATCH', `${this.request.stream}: rows of a file cannot be deleted by key.`);
  }

  async *refused(): AsyncGenerator<readonly RefusedRow[]> {
    // No key, no order: every row is written.
  }

  async commit(signal: AbortSignal): Promise<CommittedLoad> {
    try {
      const sizeBytes = await this.writer.finish(signal);
      await syncFile(this.path);
      await syncFolder(this.stageFolder);
      return await this.publish({ name: basename(this.path), rows: this.writer.rows, sizeBytes, stage: basename(this.stageFolder) }, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw toFileError(error, 'load', this.request.stream);
    } finally {
      await this.abort();
    }
  }

  async abort(): Promise<void> {
    await this.writer.close();
    await rm(this.stageFolder, { recursive: true, force: true });
  }

  /** Another load of this output may commit meanwhile: then what it left is what this one builds on. */
  private async publish(part: Part, signal: AbortSignal): Promise<CommittedLoad> {
    const { loadId, attempt } = this.request.identity;
    for (;;) {
      signal.throwIfAborted();
      const before = await this.output.current();
      const done = before.loads[loadId];
      if (done) return done;
      const load = { counts: await this.counts(before), attempt, committedAt: new Date().toISOString() };
      if (await this.output.publish(this.next(before, part, load), loadId)) return load;
    }
  }

  private next(before: Manifest, part: Part, load: CommittedLoad): Manifest {
    const { identity, columns, mode } = this.request;
    const placed = mode === 'append' ? before.parts.map((each) => ({ ...each, stage: null })) : [];
    const names = new Set(before.columns.map(({ name }) => name));
    return {
      format: noManifest.format,
      version: before.version + 1,
      columns: mode === 'append' ? [...before.columns, ...columns.filter(({ name }) => !names.has(name))] : columns,
      parts: mode === 'append' && part.rows === 0 ? placed : [...placed, part],
      replaced: mode === 'append' ? [] : before.parts.map(({ name }) => name).filter((name) => name !== part.name),
      loads: withLoad(before, identity.loadId, load),
      slots: movedSlots(before, this.request),
    };
  }

  private async counts(before: Manifest): Promise<LoadCounts> {
    const { rows: staged } = this.writer;
    const counts = { staged, inserted: staged, updated: 0, deleted: 0, unchanged: 0, stale: 0, rejected: 0 };
    const { mode, minRatio, stream } = this.request;
    if (mode === 'append') return counts;
    await this.assertOurs(before);
    const there = before.parts.reduce((total, { rows }) => total + rows, 0);
    if (staged < there * minRatio)
      throw new PlatformError(
        'OVERWRITE_SHRINKS',
        `${stream} has ${there} rows and would have ${staged} afterwards, less than minRatio ${minRatio} allows. Check the sources, or lower minRatio. Nothing was written.`,
      );
    return { ...counts, deleted: there };
  }

  /** What others have put there is not removed, and would stand among the rows. */
  private async assertOurs(before: Manifest): Promise<void> {
    const names = new Set(before.parts.map(({ name }) => name));
    const others = this.output.stream.kind === 'folder' ? (await this.output.visibleNames()).filter((name) => !names.has(name)) : [];
    if (others.length > 0)
      throw new PlatformError(
        'DESTINATION_MISMATCH',
        `${this.request.stream} has files that no load has written (${others[0]}). Remove them, or name another folder.`,
      );
    if (
      this.output.stream.kind === 'file' &&
      before.version === 0 &&
      this.request.minRatio > 0 &&
      (await this.output.visibleNames()).includes(basename(this.path))
    )
      throw new PlatformError(
        'DESTINATION_MISMATCH',
        `${this.request.stream} was not written by a load, so that its rows cannot be compared with minRatio. Run once without minRatio, or remove the file.`,
      );
  }
}
