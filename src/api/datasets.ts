import { Arg, Ctx, FieldResolver, Int, Query, Resolver, Root } from 'type-graphql';
import type { Column, Dataset, DatasetVersion, Pipeline } from '../model/catalogue.js';
import type { Tag } from '../model/tag.js';
import type { DatasetService } from '../services/datasets.js';
import type { RunNode } from '../services/nodes.js';
import type { ApiContext } from './context.js';
import { ColumnKeyInput, DatasetKeyInput } from './inputs.js';
import { pageRequest } from './paging.js';
import { ColumnType, ColumnVersionType, DatasetConnection, DatasetType, DatasetVersionConnection, DatasetVersionType } from './types/datasets.js';
import { JobConnection } from './types/jobs.js';
import { type RelayConnection, toConnection } from './types/pages.js';
import { RunType } from './types/runs.js';
import { TagType } from './types/tags.js';

@Resolver(() => DatasetType)
export class DatasetResolver {
  constructor(private readonly datasets: DatasetService) {}

  @Query(() => DatasetType, { nullable: true })
  dataset(@Arg('key', () => DatasetKeyInput) key: DatasetKeyInput): Promise<Dataset | null> {
    return this.datasets.get(key);
  }

  @Query(() => DatasetConnection, { name: 'datasets', description: 'By namespace and name.' })
  async list(
    @Arg('text', () => String, { nullable: true, description: 'Part of the name, whatever the case.' }) text: string | null,
    @Arg('namespace', () => String, { nullable: true }) namespace: string | null,
    @Arg('tag', () => String, { nullable: true, description: 'Datasets that have this tag themselves, whatever their columns have.' }) tag: string | null,
    @Arg('includeDeleted', () => Boolean, { nullable: true, defaultValue: false }) includeDeleted: boolean | null,
    @Arg('first', () => Int, { nullable: true, defaultValue: 50 }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | null,
  ): Promise<RelayConnection<Dataset>> {
    const query = {
      text: text ?? null,
      namespace: namespace ?? null,
      tag: tag ?? null,
      includeDeleted: includeDeleted ?? false,
      ...pageRequest(first, after, 50),
    };
    return toConnection(await this.datasets.list(query));
  }

  @Query(() => ColumnType, { nullable: true })
  column(@Arg('key', () => ColumnKeyInput) key: ColumnKeyInput): Promise<Column | null> {
    return this.datasets.column(key);
  }

  @FieldResolver(() => [ColumnType], { description: 'In table order.' })
  columns(@Root() dataset: DatasetType, @Ctx() { loaders }: ApiContext): Promise<readonly Column[]> {
    return loaders.columnsOfDataset.load(dataset.id);
  }

  @FieldResolver(() => [TagType], { description: 'By name, at most 100.' })
  tags(@Root() { id }: DatasetType, @Ctx() { loaders }: ApiContext): Promise<readonly Tag[]> {
    return loaders.tagsOfNode.load(id);
  }

  @FieldResolver(() => DatasetVersionConnection, { description: 'Newest first: one per complete run and output.' })
  async versions(
    @Root() dataset: DatasetType,
    @Ctx() { loaders }: ApiContext,
    @Arg('first', () => Int, { nullable: true, defaultValue: 20 }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | null,
  ): Promise<RelayConnection<DatasetVersion>> {
    const page = pageRequest(first, after, 20);
    return toConnection(await loaders.pages.run(() => this.datasets.versionsOf(dataset.id, page)));
  }

  @FieldResolver(() => JobConnection, { description: 'Jobs that write it.' })
  async producers(
    @Root() dataset: DatasetType,
    @Ctx() { loaders }: ApiContext,
    @Arg('first', () => Int, { nullable: true, defaultValue: 50 }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | null,
  ): Promise<RelayConnection<Pipeline>> {
    const page = pageRequest(first, after, 50);
    return toConnection(await loaders.pages.run(() => this.datasets.producersOf(dataset.id, page)));
  }

  @FieldResolver(() => JobConnection, { description: 'Jobs that read it.' })
  async consumers(
    @Root() dataset: DatasetType,
    @Ctx() { loaders }: ApiContext,
    @Arg('first', () => Int, { nullable: true, defaultValue: 50 }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | null,
  ): Promise<RelayConnection<Pipeline>> {
    const page = pageRequest(first, after, 50);
    return toConnection(await loaders.pages.run(() => this.datasets.consumersOf(dataset.id, page)));
  }
}

@Resolver(() => ColumnType)
export class ColumnResolver {
  @FieldResolver(() => DatasetType)
  dataset(@Root() column: ColumnType, @Ctx() { loaders }: ApiContext): Promise<Dataset> {
    return loaders.dataset(column.datasetId);
  }

  @FieldResolver(() => [TagType], { description: 'By name, at most 100.' })
  tags(@Root() { id }: ColumnType, @Ctx() { loaders }: ApiContext): Promise<readonly Tag[]> {
    return loaders.tagsOfNode.load(id);
  }
}

@Resolver(() => ColumnVersionType)
export class ColumnVersionResolver {
  @FieldResolver(() => ColumnType)
  column(@Root() version: ColumnVersionType, @Ctx() { loaders }: ApiContext): Promise<Column> {
    return loaders.column(version.columnId);
  }
}

@Resolver(() => DatasetVersionType)
export class DatasetVersionResolver {
  @FieldResolver(() => DatasetType)
  dataset(@Root() version: DatasetVersionType, @Ctx() { loaders }: ApiContext): Promise<Dataset> {
    return loaders.dataset(version.datasetId);
  }

  @FieldResolver(() => RunType, { nullable: true })
  async producedBy(@Root() { producedByRunId }: DatasetVersionType, @Ctx() { loaders }: ApiContext): Promise<RunNode | null> {
    return producedByRunId === null ? null : loaders.run(producedByRunId);
  }
}
