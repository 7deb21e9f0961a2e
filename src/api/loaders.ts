import DataLoader from 'dataloader';
import { ConcurrencyLimit } from '../lib/concurrency-limit.js';
import type { Column, Dataset, DatasetVersion, Pipeline, PipelineVersion } from '../model/catalogue.js';
import { PlatformError } from '../model/errors.js';
import type { Tag } from '../model/tag.js';
import type { LineageNode, RunNode } from '../services/nodes.js';
import type { ApiServices } from './services.js';

/** Ids in one question to the graph. */
const maxBatchSize = 5_000;
const pagesAtOnce = 16;

/** What one request has loaded: each thing once, many in one question. */
export class Loaders {
  readonly columnsOfDataset: DataLoader<string, readonly Column[]>;
  readonly inputsOfJob: DataLoader<string, readonly Dataset[]>;
  readonly outputsOfJob: DataLoader<string, readonly Dataset[]>;
  readonly readsOfRun: DataLoader<string, readonly DatasetVersion[]>;
  readonly writesOfRun: DataLoader<string, readonly DatasetVersion[]>;
  readonly tagsOfNode: DataLoader<string, readonly Tag[]>;
  readonly versionsOfPipeline: DataLoader<string, readonly PipelineVersion[]>;
  /** For what cannot be asked for many at once (pages within a list): a few questions at a time. */
  readonly pages = new ConcurrencyLimit(pagesAtOnce);
  private readonly nodes: DataLoader<string, LineageNode | null>;

  constructor({ nodes, datasets, jobs, pipelines, runs, tags }: ApiServices) {
    this.nodes = batched((ids) => nodes.byIds(ids));
    this.columnsOfDataset = batched((ids) => datasets.columnsOf(ids));
    this.inputsOfJob = batched((ids) => jobs.inputsOf(ids));
    this.outputsOfJob = batched((ids) => jobs.outputsOf(ids));
    this.readsOfRun = batched((ids) => runs.readsOf(ids));
    this.writesOfRun = batched((ids) => runs.writesOf(ids));
    this.tagsOfNode = batched((ids) => tags.ofNodes(ids));
    this.versionsOfPipeline = batched((ids) => Promise.all(ids.map((id) => this.pages.run(() => pipelines.versions(id)))));
  }

  /** null: there is nothing with this id. */
  nodeOrNull(id: string): Promise<LineageNode | null> {
    return this.nodes.load(id);
  }

  /** @throws PlatformError INTERNAL when the graph refers to something that it does not hold */
  async node(id: string): Promise<LineageNode> {
    return present(await this.nodes.load(id), id);
  }

  async dataset(id: string): Promise<Dataset> {
    return ofKind('DATASET', await this.node(id));
  }

  async column(id: string): Promise<Column> {
    return ofKind('COLUMN', await this.node(id));
  }

  async pipeline(id: string): Promise<Pipeline> {
    return ofKind('JOB', await this.node(id));
  }

  async run(id: string): Promise<RunNode> {
    return ofKind('RUN', await this.node(id));
  }
}

function batched<T>(load: (ids: readonly string[]) => Promise<readonly T[]>): DataLoader<string, T> {
  return new DataLoader((ids) => load(ids), { maxBatchSize });
}

function present<T>(value: T | null, id: string): T {
  if (value === null) throw new PlatformError('INTERNAL', `The graph refers to ${id}, which it does not hold.`);
  return value;
}

function ofKind<K extends LineageNode['kind']>(kind: K, node: LineageNode): Extract<LineageNode, { kind: K }> {
  if (node.kind !== kind) throw new PlatformError('INTERNAL', `The graph holds ${node.id} as ${node.kind} where it refers to a ${kind}.`);
  return node as Extract<LineageNode, { kind: K }>;
}
