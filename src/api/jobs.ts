import { Arg, Ctx, FieldResolver, Int, Query, Resolver, Root } from 'type-graphql';
import type { Dataset, Pipeline } from '../model/catalogue.js';
import type { Run, RunState as RunStateWord } from '../model/run.js';
import type { JobService } from '../services/jobs.js';
import type { RunService } from '../services/runs.js';
import type { ApiContext } from './context.js';
import { RunState } from './enums.js';
import { pageRequest } from './paging.js';
import { runConnection } from './runs.js';
import { DatasetType } from './types/datasets.js';
import { JobConnection, JobType } from './types/jobs.js';
import { type RelayConnection, toConnection } from './types/pages.js';
import { RunConnection } from './types/runs.js';

@Resolver(() => JobType)
export class JobResolver {
  constructor(
    private readonly jobs: JobService,
    private readonly runsOfJobs: RunService,
  ) {}

  @Query(() => JobConnection, { name: 'jobs', description: 'By namespace and name.' })
  async list(
    @Arg('text', () => String, { nullable: true, description: 'Part of the name, whatever the case.' }) text: string | null,
    @Arg('namespace', () => String, { nullable: true }) namespace: string | null,
    @Arg('first', () => Int, { nullable: true, defaultValue: 50 }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | null,
  ): Promise<RelayConnection<Pipeline>> {
    return toConnection(await this.jobs.list({ text: text ?? null, namespace: namespace ?? null, ...pageRequest(first, after, 50) }));
  }

  @FieldResolver(() => [DatasetType])
  inputs(@Root() job: JobType, @Ctx() { loaders }: ApiContext): Promise<readonly Dataset[]> {
    return loaders.inputsOfJob.load(job.id);
  }

  @FieldResolver(() => [DatasetType])
  outputs(@Root() job: JobType, @Ctx() { loaders }: ApiContext): Promise<readonly Dataset[]> {
    return loaders.outputsOfJob.load(job.id);
  }

  @FieldResolver(() => RunConnection, { description: 'Newest first.' })
  async runs(
    @Root() job: JobType,
    @Ctx() { loaders }: ApiContext,
    @Arg('state', () => [RunState], { nullable: true }) state: RunStateWord[] | null,
    @Arg('first', () => Int, { nullable: true, defaultValue: 20 }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | null,
  ): Promise<RelayConnection<Run>> {
    const states = state == null ? {} : { state };
    const query = { pipelineId: job.id, ...states, ...pageRequest(first, after, 20) };
    return runConnection(await loaders.pages.run(() => this.runsOfJobs.list(query)));
  }
}
