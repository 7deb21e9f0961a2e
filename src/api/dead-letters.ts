import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { DeadLetter, DeadLetterStatus as DeadLetterStatusWord } from '../model/dead-letter.js';
import type { Run } from '../model/run.js';
import type { DeadLetterService } from '../services/dead-letters.js';
import type { RunNode } from '../services/nodes.js';
import type { PipelineService } from '../services/pipelines.js';
import type { ReplayService } from '../services/replay-letters.js';
import type { ApiContext } from './context.js';
import { DeadLetterStatus } from './enums.js';
import { JobKeyInput } from './inputs.js';
import { pageRequest } from './paging.js';
import { runResult } from './runs.js';
import { DeadLetterConnection, DeadLetterType } from './types/dead-letters.js';
import { type RelayConnection, toConnection } from './types/pages.js';
import { type ConflictType, type NotFoundType, RunResult } from './types/problems.js';
import { RunType } from './types/runs.js';

const nobody = { items: [], hasNextPage: false, hasPreviousPage: false, totalCount: 0 };

@Resolver(() => DeadLetterType)
export class DeadLetterResolver {
  constructor(
    private readonly letters: DeadLetterService,
    private readonly pipelines: PipelineService,
    private readonly replays: ReplayService,
  ) {}

  @Query(() => DeadLetterConnection, { name: 'deadLetters', description: 'Newest first.' })
  async list(
    @Arg('pipeline', () => JobKeyInput, { nullable: true }) pipeline: JobKeyInput | null,
    @Arg('run', () => ID, { nullable: true }) run: string | null,
    @Arg('status', () => DeadLetterStatus, { nullable: true }) status: DeadLetterStatusWord | null,
    @Arg('first', () => Int, { nullable: true, defaultValue: 50 }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | null,
  ): Promise<RelayConnection<DeadLetter>> {
    const page = pageRequest(first, after, 50);
    const found = pipeline == null ? undefined : await this.pipelines.get(pipeline);
    if (found === null) return toConnection(nobody);
    return toConnection(await this.letters.list({ pipelineId: found?.id, runId: run ?? undefined, status: status ?? undefined, ...page }));
  }

  @Mutation(() => RunResult, {
    description: 'Takes open dead letters again, from the step that refused them, with the pipeline as it is now. Without ids: all of the pipeline.',
  })
  async replayDeadLetters(
    @Arg('pipeline', () => JobKeyInput) pipeline: JobKeyInput,
    @Arg('ids', () => [ID], { nullable: true, description: 'At most 1,000.' }) ids: string[] | null,
  ): Promise<Run | NotFoundType | ConflictType> {
    return runResult(await this.replays.replay({ pipeline, ids: ids ?? null }));
  }

  @Mutation(() => Int, { description: 'Says of open dead letters that nobody needs them. The answer is how many were open.' })
  discardDeadLetters(@Arg('ids', () => [ID], { description: 'At most 1,000.' }) ids: string[]): Promise<number> {
    return this.letters.discard(ids);
  }

  @FieldResolver(() => RunType)
  run(@Root() letter: DeadLetterType, @Ctx() { loaders }: ApiContext): Promise<RunNode> {
    return loaders.run(letter.runId);
  }
}
