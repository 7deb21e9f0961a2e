import { Field, Int, ObjectType } from 'type-graphql';
import type { RunMetrics, RunState as RunStateWord } from '../../model/run.js';
import type { RunEvent, RunStage } from '../../model/run-log.js';
import { RunState } from '../enums.js';
import { DateTimeScalar } from '../scalars.js';
import { connectionType } from './pages.js';

@ObjectType('RunEvent', { description: "One entry of a run's durable log. `seq` starts at 1 and has no gaps within a run." })
export class RunEventType implements RunEvent {
  runId!: string;
  pipelineId!: string;
  position!: number;
  metrics!: RunMetrics;
  durationMs!: number | null;
  rowsPerSecond!: number | null;
  secondsLeft!: number | null;

  @Field(() => Int)
  seq!: number;

  @Field(() => DateTimeScalar)
  at!: string;

  @Field(() => RunState, { description: 'That the run was in from then on.' })
  state!: RunStateWord;

  @Field(() => String, { description: 'state: it has changed. progress: how far an attempt has come, at most every 250 ms.' })
  kind!: 'state' | 'progress';

  @Field(() => Int)
  attempt!: number;

  @Field(() => String, { nullable: true })
  message!: string | null;

  @Field(() => String, { nullable: true, description: 'Of progress: binding, reading, transforming or committing.' })
  stage!: RunStage | null;

  @Field(() => String, { nullable: true, description: 'Of progress: the step that is being computed over several rows.' })
  step!: string | null;
}

export const RunEventConnection = connectionType<RunEvent>('RunEvent', () => RunEventType);
