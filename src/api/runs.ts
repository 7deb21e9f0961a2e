import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { DatasetVersion, Page, Pipeline } from '../model/catalogue.js';
import type { Run, RunMetrics, RunState as RunStateWord } from '../model/run.js';
import type { RunEvent } from '../model/run-log.js';
import type { RunEventService } from '../services/run-events.js';
import type { RunService } from '../services/runs.js';
import type { ApiContext } from './context.js';
import { RunState } from './enums.js';
import { JobKeyInput } from './inputs.js';
import { pageRequest } from './paging.js';
import { runNode } from './run-node.js';
import { DateTimeScalar, JsonScalar } from './scalars.js';
import { DatasetVersionType } from './types/datasets.js';
import { JobType } from './types/jobs.js';
import { type RelayConnection, toConnection } from './types/pages.js';
import { ConflictType, NotFoundType, RunResult } from './types/problems.js';
import { RunEventConnection } from './types/run-events.js';
import { RunConnection, RunMetricsType, RunType } from './types/runs.js';

type RunOutcome = { readonly run: Run } | { readonly outcome: 'notFound' | 'conflict'; readonly message: string };

@Resolver(() => RunType)
export class RunResolver {
  constructor(
    private readonly runs: RunService,
    private readonly events: RunEventService,
  ) {}

  @Query(() => RunType, { nullable: true })
  async run(@Arg('id', () => ID) id: string): Promise<Run | null> {
    const run = await this.runs.get(id);
    return run === null ? null : runNode(run);
  }

  @Query(() => RunConnection, { name: 'runs', description: 'Newest first.' })
  async list(
    @Arg('job', () => JobKeyInput, { nullable: true }) job: JobKeyInput | null,
    @Arg('state', () => [RunState], { nullable: true }) state: RunStateWord[] | null,
    @Arg('since', () => DateTimeScalar, { nullable: true, description: 'Queued at this time or later.' }) since: string | null,
    @Arg('first', () => Int, { nullable: true, defaultValue: 50 }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | null,
  ): Promise<RelayConnection<Run>> {
    const filter = { ...(job == null ? {} : { job }), ...(state == null ? {} : { state }), ...(since == null ? {} : { since }) };
    return runConnection(await this.runs.list({ ...filter, ...pageRequest(first, after, 50) }));
  }

  @Mutation(() => RunResult, { description: 'Queues a run; a worker takes it when a slot is free and no other run of the pipeline is being executed.' })
  async startRun(
    @Arg('pipeline', () => JobKeyInput) pipeline: JobKeyInput,
    @Arg('params', () => JsonScalar, { nullable: true, description: 'Values by name, for the params of its document.' }) params: unknown,
    @Arg('idempotencyKey', () => String, {
      nullable: true,
      description: 'At most 255 characters. The same key for the same pipeline gives the same run; with other params it is a Conflict.',
    })
    idempotencyKey: string | null,
  ): Promise<Run | NotFoundType | ConflictType> {
    return runResult(await this.runs.start({ pipeline, trigger: 'manual', params, idempotencyKey }));
  }

  @Mutation(() => RunResult, { description: 'A queued run ends at once, a running one within seconds. What it has committed stays committed.' })
  async cancelRun(@Arg('run', () => ID) run: string): Promise<Run | NotFoundType | ConflictType> {
    return runResult(await this.runs.cancel(run));
  }

  @Mutation(() => RunResult, {
    description:
      'Queues a new run that does one again that is FAIL or ABORT: with its params, by the latest version of its pipeline, from where that one began to read to what is there now.',
  })
  async retryRun(@Arg('run', () => ID) run: string): Promise<Run | NotFoundType | ConflictType> {
    return runResult(await this.runs.retry(run));
  }

  @FieldResolver(() => RunType, { nullable: true, description: 'The run that it was made to do again.' })
  async retryOf(@Root() run: RunType, @Ctx() { loaders }: ApiContext): Promise<Run | null> {
    return run.retryOf === null ? null : loaders.run(run.retryOf);
  }

  @FieldResolver(() => String)
  async displayName(@Root() run: RunType, @Ctx() { loaders }: ApiContext): Promise<string> {
    return run.displayName ?? (await loaders.run(run.id)).displayName;
  }

  @FieldResolver(() => JobType)
  job(@Root() run: RunType, @Ctx() { loaders }: ApiContext): Promise<Pipeline> {
    return loaders.pipeline(run.pipelineId);
  }

  @FieldResolver(() => RunMetricsType)
  metrics(@Root() run: Run): RunMetrics & Pick<RunMetricsType, 'durationMs' | 'rowsPerSecond'> {
    const durationMs = run.startedAt === null || run.endedAt === null ? null : Math.max(0, Date.parse(run.endedAt) - Date.parse(run.startedAt));
    return { ...run.metrics, durationMs, rowsPerSecond: durationMs === null || durationMs === 0 ? null : run.metrics.rowsRead / (durationMs / 1000) };
  }

  @FieldResolver(() => RunEventConnection, { description: 'What has happened to it, from the beginning. Kept for ever.' })
  async log(
    @Root() run: RunType,
    @Ctx() { loaders }: ApiContext,
    @Arg('first', () => Int, { nullable: true, defaultValue: 100 }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | null,
  ): Promise<RelayConnection<RunEvent>> {
    return toConnection(await loaders.pages.run(() => this.events.page(run.id, pageRequest(first, after, 100))));
  }

  @FieldResolver(() => [DatasetVersionType], { description: 'Versions of its inputs that were the newest when it began to read.' })
  reads(@Root() run: RunType, @Ctx() { loaders }: ApiContext): Promise<readonly DatasetVersion[]> {
    return loaders.readsOfRun.load(run.id);
  }

  @FieldResolver(() => [DatasetVersionType], { description: 'Versions that it made.' })
  writes(@Root() run: RunType, @Ctx() { loaders }: ApiContext): Promise<readonly DatasetVersion[]> {
    return loaders.writesOfRun.load(run.id);
  }
}

export function runConnection({ items, ...page }: Page<Run>): RelayConnection<Run> {
  return toConnection({ ...page, items: items.map(({ cursor, node }) => ({ cursor, node: runNode(node) })) });
}

export function runResult(result: RunOutcome): Run | NotFoundType | ConflictType {
  if ('run' in result) return runNode(result.run);
  return result.outcome === 'notFound' ? new NotFoundType(result.message) : new ConflictType(result.message);
}
