import { Arg, Ctx, FieldResolver, ID, Resolver, Root, Subscription } from 'type-graphql';
import type { RunMetrics } from '../model/run.js';
import type { RunEvent } from '../model/run-log.js';
import type { RunNode } from '../services/nodes.js';
import { eventCursor, type RunEventRequest } from '../services/run-events.js';
import type { ApiContext } from './context.js';
import { JobKeyInput, NodeRefInput } from './inputs.js';
import { RunEventType } from './types/run-events.js';
import { RunMetricsType, RunType } from './types/runs.js';

const description =
  'Of one run: from its beginning to its end. Of one job, of the jobs downstream of nodes (at dataset level, saved pipelines included, as the graph changes) or of all: from now on. At least once, in `seq` order per run; `after` resumes behind the event whose cursor it is, on any server.';

interface SubscriptionCall {
  readonly args: RunEventRequest;
  readonly context: ApiContext;
}

@Resolver(() => RunEventType)
export class RunEventResolver {
  @Subscription(() => RunEventType, {
    description,
    subscribe: async ({ args, context }: SubscriptionCall) => context.runEvents.subscribe(args),
  })
  runUpdated(
    @Root() event: RunEvent,
    @Arg('run', () => ID, { nullable: true }) _run: string | null,
    @Arg('job', () => JobKeyInput, { nullable: true }) _job: JobKeyInput | null,
    @Arg('downstreamOf', () => [NodeRefInput], { nullable: true }) _downstreamOf: NodeRefInput[] | null,
    @Arg('after', () => String, { nullable: true }) _after: string | null,
  ): RunEvent {
    return event;
  }

  @FieldResolver(() => String, { description: 'For `after`.' })
  cursor(@Root() event: RunEvent): string {
    return eventCursor(event);
  }

  @FieldResolver(() => RunType, { description: 'As it is now, which may be further than this event.' })
  run(@Root() { runId }: RunEvent, @Ctx() { loaders }: ApiContext): Promise<RunNode> {
    return loaders.run(runId);
  }

  @FieldResolver(() => RunMetricsType, { description: 'Until then.' })
  metrics(@Root() { metrics, durationMs, rowsPerSecond }: RunEvent): RunMetrics & Pick<RunMetricsType, 'durationMs' | 'rowsPerSecond'> {
    return { ...metrics, durationMs, rowsPerSecond };
  }

  @FieldResolver(() => Number, {
    nullable: true,
    description: 'Of progress: seconds until everything is read; null where nobody knows how many rows there will be.',
  })
  estimatedSecondsLeft(@Root() { secondsLeft }: RunEvent): number | null {
    return secondsLeft;
  }
}
