import { Field, Int, InterfaceType, ObjectType } from 'type-graphql';
import type { Pipeline, PipelineVersion } from '../../model/catalogue.js';
import { DateTimeScalar, JsonScalar } from '../scalars.js';
import { LineageNodeType, NodeType, typeNameOf } from './nodes.js';
import { connectionType } from './pages.js';

@InterfaceType('Job', { description: 'Anything that has runs.', implements: [LineageNodeType, NodeType], resolveType: typeNameOf })
export abstract class JobType extends LineageNodeType {
  @Field(() => String)
  namespace!: string;

  @Field(() => String)
  name!: string;

  @Field(() => String, { nullable: true })
  description!: string | null;

  @Field(() => [String])
  owners!: string[];
}

@ObjectType('Pipeline', { description: 'A job that this platform executes.', implements: [JobType, LineageNodeType, NodeType] })
export class PipelineType extends JobType implements Pipeline {
  override kind!: 'JOB';

  @Field(() => JsonScalar, { description: 'The document as it was saved, defaults not filled in.' })
  spec!: unknown;

  @Field(() => Int, { description: 'Raised by every save that changes the document; 1 for the first.' })
  version!: number;
}

@ObjectType('PipelineVersion')
export class PipelineVersionType implements PipelineVersion {
  @Field(() => Int)
  version!: number;

  @Field(() => JsonScalar)
  spec!: unknown;

  @Field(() => DateTimeScalar)
  createdAt!: string;

  @Field(() => String, { nullable: true })
  createdBy!: string | null;
}

export const JobConnection = connectionType<Pipeline>('Job', () => JobType);
export const PipelineConnection = connectionType<Pipeline>('Pipeline', () => PipelineType);
