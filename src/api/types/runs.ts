import { Field, Int, ObjectType } from 'type-graphql';
import type { ErrorCode, ErrorRecord } from '../../model/errors.js';
import type { Run, RunMetrics, RunParams, RunState as RunStateWord, StepMetrics } from '../../model/run.js';
import { RunState } from '../enums.js';
import { DateTimeScalar, JsonScalar } from '../scalars.js';
import { LineageNodeType, NodeType } from './nodes.js';
import { connectionType } from './pages.js';

@ObjectType('RunMetrics')
export class RunMetricsType implements RunMetrics {
  @Field(() => Number)
  rowsRead!: number;

  @Field(() => Number, { description: 'Rows inserted, updated or deleted at the destinations.' })
  rowsWritten!: number;

  @Field(() => Number)
  rowsRejected!: number;

  @Field(() => Number)
  bytesRead!: number;

  @Field(() => Number)
  bytesWritten!: number;

  @Field(() => Number, { nullable: true, description: 'From the start to the end, of an event until then; null while a run has not ended.' })
  durationMs!: number | null;

  @Field(() => Number, {
    nullable: true,
    description: 'Rows read per second of the whole run, of progress in the last seconds; null while a run has not ended.',
  })
  rowsPerSecond!: number | null;
}

@ObjectType('StepMetrics', { description: 'rowsIn = rowsOut + rowsRejected + rows that a filter dropped.' })
export class StepMetricsType implements StepMetrics {
  @Field(() => String)
  step!: string;

  @Field(() => Number)
  rowsIn!: number;

  @Field(() => Number)
  rowsOut!: number;

  @Field(() => Number)
  rowsRejected!: number;

  @Field(() => Number)
  durationMs!: number;
}

@ObjectType('RunError')
export class RunErrorType implements ErrorRecord {
  @Field(() => String, { description: 'Stable: match on this, never on the message.' })
  code!: ErrorCode;

  @Field(() => String)
  message!: string;

  @Field(() => Boolean, { description: 'The same may succeed later without anyone changing anything.' })
  retryable!: boolean;

  @Field(() => String, { nullable: true })
  step!: string | null;
}

@ObjectType('Run', { description: 'One execution of a job; its id is the OpenLineage runId.', implements: [LineageNodeType, NodeType] })
export class RunType extends LineageNodeType implements Omit<Run, 'metrics'> {
  override kind!: 'RUN';
  pipelineId!: string;
  pipelineVersion!: number;
  epoch!: number;
  retryOf!: string | null;

  @Field(() => RunState)
  state!: RunStateWord;

  @Field(() => String, { description: 'What started it, e.g. manual or replay.' })
  trigger!: string;

  @Field(() => Int, { description: 'From 1; 0 while no worker has taken it. Counts also attempts whose worker was lost or stopped.' })
  attempt!: number;

  @Field(() => JsonScalar, { nullable: true, description: 'The values it was started with, by name; null when none were given.' })
  params!: RunParams | null;

  @Field(() => DateTimeScalar)
  queuedAt!: string;

  @Field(() => DateTimeScalar, { nullable: true })
  startedAt!: string | null;

  @Field(() => DateTimeScalar, { nullable: true })
  endedAt!: string | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'The attempt before has failed and the next one begins then or later; null: it need not wait.' })
  notBefore!: string | null;

  @Field(() => [StepMetricsType])
  steps!: StepMetricsType[];

  @Field(() => RunErrorType, { nullable: true, description: 'Why it ended so; of a run that is queued again, why its last attempt failed.' })
  error!: RunErrorType | null;
}

export const RunConnection = connectionType<Run>('Run', () => RunType);
