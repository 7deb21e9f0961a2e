import { join } from 'node:path';
import type { CommittedLoad, Load, LoadRequest, Session, StreamDescription } from '../../model/connector.js';
import type { DatasetRef } from '../../model/dataset.js';
import { isPlatformError, PlatformError } from '../../model/errors.js';
import type { Reading, Slot } from '../../model/reading.js';
import { FileAccess } from './access.js';
import type { FileConfig } from './config.js';
import { describeFiles, type FileColumn, toStreamColumns } from './describe.js';
import { listFiles, type SourceFile } from './list-files.js';
import { openLoad } from './load.js';
import { FileOutput } from './output.js';
import { FileReading } from './reading.js';
import { fileKind, type StreamName, streamOf } from './stream-name.js';

const mostStreams = 1_000;

export class FileSession implements Session {
  private readonly access: FileAccess;

  constructor(
    private readonly config: FileConfig,
    roots: readonly string[],
  ) {
    this.access = new FileAccess(config.folder, roots);
  }

  async check(): Promise<void> {
    await this.access.base();
  }

  /** Files that cannot be described are left out: the pipeline that names one is told why. */
  async discover(): Promise<StreamDescription[]> {
    const files = (await listFiles(this.access, { name: '**', kind: 'pattern' })).filter(({ name }) => fileKind(name, this.config) !== null);
    if (files.length > mostStreams)
      throw new PlatformError('SOURCE_FAILED', `The folder has more than ${mostStreams} files, too many for one list. Name the stream in the pipeline.`);
    const streams: StreamDescription[] = [];
    for (const { name } of files) {
      const stream = await this.describe(name).catch((error: unknown) => {
        if (isPlatformError(error)) return null;
        throw error;
      });
      if (stream) streams.push(stream);
    }
    return streams;
  }

  async describe(stream: string): Promise<StreamDescription | null> {
    const named = streamOf(stream);
    const files = await this.files(named);
    if (files.length === 0) return null;
    const columns = (await this.writtenColumns(named, files)) ?? (await describeFiles(files, this.config));
    if (columns.length === 0) return null;
    return {
      stream: named.name,
      dataset: this.datasetOf(stream),
      columns: toStreamColumns(columns),
      primaryKey: [],
      uniqueKeys: [],
      cursorCandidates: [],
      madeAnew: named.kind === 'file',
    };
  }

  datasetOf(stream: string): DatasetRef {
    return { namespace: 'file', name: join(this.config.folder, streamOf(stream).name).replace(/\/$/, '') };
  }

  async openReading(signal: AbortSignal): Promise<Reading> {
    signal.throwIfAborted();
    return new FileReading(this.config, (stream) => this.files(streamOf(stream)), signal);
  }

  async readSlots(stream: string, pipelineId: string, inputs: readonly string[]): Promise<Slot[]> {
    const manifest = await this.output(streamOf(stream)).current();
    return inputs.map((input) => {
      const slot = manifest.slots.find((each) => each.pipelineId === pipelineId && each.input === input);
      return { input, version: slot?.version ?? 0, state: slot?.state ?? null };
    });
  }

  load(request: LoadRequest, signal: AbortSignal): Promise<Load> {
    return openLoad(this.output(streamOf(request.stream)), this.config, request, signal);
  }

  async findLoad(stream: string, loadId: string): Promise<CommittedLoad | null> {
    const manifest = await this.output(streamOf(stream)).current();
    return manifest.loads[loadId] ?? null;
  }

  async close(): Promise<void> {}

  private output(stream: StreamName): FileOutput {
    return new FileOutput(this.access, stream);
  }

  /** What has been committed there is put in its place first. */
  private async files(stream: StreamName): Promise<SourceFile[]> {
    if (stream.kind !== 'pattern') await this.output(stream).current();
    const files = await listFiles(this.access, stream);
    return stream.kind === 'folder' ? files.filter(({ name }) => fileKind(name, this.config) !== null) : files;
  }

  /** The types that we have written, while nobody else has put a file there. */
  private async writtenColumns(stream: StreamName, files: readonly SourceFile[]): Promise<readonly FileColumn[] | null> {
    if (stream.kind === 'pattern') return null;
    const manifest = await this.output(stream).current();
    const ours = new Map(manifest.parts.map(({ name, sizeBytes }) => [name, sizeBytes]));
    const baseName = (name: string): string => name.slice(name.lastIndexOf('/') + 1);
    return files.every(({ name, sizeBytes }) => ours.get(baseName(name)) === sizeBytes) && manifest.columns.length > 0 ? manifest.columns : null;
  }
}
