import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Pipeline, PipelineVersion } from '../model/catalogue.js';
import { PlatformError } from '../model/errors.js';
import type { PipelineService, SavedPipelines } from '../services/pipelines.js';
import type { ApiContext } from './context.js';
import { JobKeyInput } from './inputs.js';
import { pageRequest } from './paging.js';
import { JsonScalar } from './scalars.js';
import { GateBlockedType, PipelineResult, PipelinesResult, SavedPipelinesType } from './types/impact-problems.js';
import { PipelineConnection, PipelineType, PipelineVersionType } from './types/jobs.js';
import { type RelayConnection, toConnection } from './types/pages.js';
import { ConflictType, InvalidSpecType } from './types/problems.js';

const acknowledgeText = 'Id of an impact report of the very same documents, against the same saved versions, with the same findings.';

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

  @Mutation(() => PipelineResult, {
    description:
      '`spec` is an object, or a string of YAML or JSON. `expectedVersion` 0: must not exist yet. A change that breaks a downstream reader, or turns NULL what one reads, is refused with GateBlocked until `acknowledge` names a report with the same findings.',
  })
  async savePipeline(
    @Arg('spec', () => JsonScalar) spec: unknown,
    @Arg('acknowledge', () => ID, { nullable: true, description: acknowledgeText }) acknowledge: string | null,
    @Arg('expectedVersion', () => Int, { nullable: true }) expectedVersion: number | null,
  ): Promise<Pipeline | Refusal> {
    const result = await this.pipelines.save({ spec, acknowledge, expectedVersion: versionOf(expectedVersion) });
    return result.outcome === 'saved' ? result.pipeline : refusalOf(result);
  }

  @Mutation(() => PipelinesResult, {
    description:
      'Several at once (expectedVersions as long as specs), judged on the end state and saved in one transaction: for changes that only work together. At most 100.',
  })
  async savePipelines(
    @Arg('specs', () => [JsonScalar]) specs: unknown[],
    @Arg('acknowledge', () => ID, { nullable: true, description: acknowledgeText }) acknowledge: string | null,
    @Arg('expectedVersions', () => [Int], { nullable: 'itemsAndList' }) expectedVersions: (number | null)[] | null,
  ): Promise<SavedPipelinesType | Refusal> {
    const result = await this.pipelines.saveAll({ specs, acknowledge, expectedVersions: expectedVersions?.map(versionOf) });
    return result.outcome === 'saved' ? new SavedPipelinesType(result.pipelines) : refusalOf(result);
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

type Refusal = InvalidSpecType | GateBlockedType | ConflictType;

function refusalOf(result: Exclude<SavedPipelines, { outcome: 'saved' }>): Refusal {
  if (result.outcome === 'invalid') return new InvalidSpecType(result.issues);
  return result.outcome === 'conflict' ? new ConflictType(result.message) : new GateBlockedType(result.message, result.report);
}

function versionOf(expected: number | null | undefined): number | null {
  if (expected == null) return null;
  if (expected < 0) throw new PlatformError('BAD_USER_INPUT', `\`expectedVersion\` must be 0 (must not exist yet) or a version from 1, and is ${expected}.`);
  return expected;
}
