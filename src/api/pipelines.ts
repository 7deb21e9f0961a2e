import { Arg, Ctx, FieldResolver, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Pipeline, PipelineVersion } from '../model/catalogue.js';
import { PlatformError } from '../model/errors.js';
import type { PipelineService } from '../services/pipelines.js';
import type { ApiContext } from './context.js';
import { JobKeyInput } from './inputs.js';
import { pageRequest } from './paging.js';
import { JsonScalar } from './scalars.js';
import { PipelineConnection, PipelineType, PipelineVersionType } from './types/jobs.js';
import { type RelayConnection, toConnection } from './types/pages.js';
import { ConflictType, InvalidSpecType, PipelineResult } from './types/problems.js';

@Resolver(() => PipelineType)
export class PipelineResolver {
  constructor(private readonly pipelines: PipelineService) {}

  @Query(() => PipelineType, { nullable: true })
  pipeline(@Arg('key', () => JobKeyInput) key: JobKeyInput): Promise<Pipeline | null> {
    return this.pipelines.get(key);
  }

  @Query(() => PipelineConnection, { name: 'pipelines', description: 'By namespace and name.' })
  async list(
    @Arg('text', () => String, { nullable: true, description: 'Part of the name, whatever the case.' }) text: string | null,
    @Arg('first', () => Int, { nullable: true, defaultValue: 50 }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | null,
  ): Promise<RelayConnection<Pipeline>> {
    return toConnection(await this.pipelines.list({ text: text ?? null, ...pageRequest(first, after, 50) }));
  }

  @Mutation(() => PipelineResult, { description: '`spec` is an object, or a string of YAML or JSON. `expectedVersion` 0: must not exist yet.' })
  async savePipeline(
    @Arg('spec', () => JsonScalar) spec: unknown,
    @Arg('expectedVersion', () => Int, { nullable: true }) expectedVersion: number | null,
  ): Promise<Pipeline | InvalidSpecType | ConflictType> {
    const result = await this.pipelines.save({ spec, expectedVersion: versionOf(expectedVersion) });
    if (result.outcome === 'invalid') return new InvalidSpecType(result.issues);
    return result.outcome === 'conflict' ? new ConflictType(result.message) : result.pipeline;
  }

  @Mutation(() => Boolean, { description: 'Its history stays; its edges are closed. false: there was none.' })
  deletePipeline(@Arg('key', () => JobKeyInput) key: JobKeyInput): Promise<boolean> {
    return this.pipelines.delete(key);
  }

  @FieldResolver(() => [PipelineVersionType], { description: 'Newest first.' })
  versions(@Root() pipeline: PipelineType, @Ctx() { loaders }: ApiContext): Promise<readonly PipelineVersion[]> {
    return loaders.versionsOfPipeline.load(pipeline.id);
  }
}

function versionOf(expected: number | null | undefined): number | null {
  if (expected == null) return null;
  if (expected < 0) throw new PlatformError('BAD_USER_INPUT', `\`expectedVersion\` must be 0 (must not exist yet) or a version from 1, and is ${expected}.`);
  return expected;
}
