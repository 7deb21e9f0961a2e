import { Field, ObjectType } from 'type-graphql';
import type { DeadLetter, DeadLetterStage, DeadLetterStatus as DeadLetterStatusWord, OutputPlace } from '../../model/dead-letter.js';
import { DeadLetterStatus } from '../enums.js';
import { DateTimeScalar, JsonScalar } from '../scalars.js';
import { NodeType } from './nodes.js';
import { connectionType } from './pages.js';

@ObjectType('DeadLetter', { description: 'A row that a run refused, with the reason.', implements: NodeType })
export class DeadLetterType extends NodeType implements DeadLetter {
  loadId!: string;
  runId!: string;
  pipelineId!: string;
  attempt!: number;
  output!: OutputPlace;

  @Field(() => String)
  step!: string;

  @Field(() => String, { description: 'transform or load.' })
  stage!: DeadLetterStage;

  @Field(() => String)
  code!: string;

  @Field(() => String)
  message!: string;

  @Field(() => JsonScalar, { nullable: true, description: 'Column to text; null when the row is too large to be kept.' })
  row!: Record<string, unknown> | null;

  @Field(() => DeadLetterStatus)
  status!: DeadLetterStatusWord;

  @Field(() => DateTimeScalar)
  createdAt!: string;
}

export const DeadLetterConnection = connectionType<DeadLetter>('DeadLetter', () => DeadLetterType);
