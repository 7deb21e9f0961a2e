import { Field, ObjectType } from 'type-graphql';
import type { Connection } from '../../model/connection.js';
import { DateTimeScalar, JsonScalar } from '../scalars.js';
import { NodeType } from './nodes.js';
import { RunErrorType } from './runs.js';

@ObjectType('Connection', { description: 'An outside system, by name.', implements: NodeType })
export class ConnectionType extends NodeType implements Connection {
  @Field(() => String)
  name!: string;

  @Field(() => String, { description: 'postgres.' })
  kind!: string;

  @Field(() => JsonScalar, { description: 'Secrets are shown as their ${env:TRIBUTARY_SECRET_…} references, never as values.' })
  config!: Record<string, unknown>;

  @Field(() => String, { description: 'Namespace of its datasets, fixed when it was made.' })
  datasetNamespace!: string;

  @Field(() => DateTimeScalar)
  createdAt!: string;
}

@ObjectType('ConnectionCheck')
export class ConnectionCheckType {
  @Field(() => Boolean)
  ok!: boolean;

  @Field(() => Number)
  latencyMs!: number;

  @Field(() => RunErrorType, { nullable: true })
  error!: RunErrorType | null;
}

@ObjectType('StreamInfo', { description: 'One table that a connection can read or write.' })
export class StreamInfoType {
  @Field(() => String, { description: 'As it is written in a pipeline document.' })
  name!: string;

  @Field(() => String, { description: 'Namespace of the dataset it is.' })
  namespace!: string;

  @Field(() => JsonScalar, { description: 'In table order: [{name, type, nullable, ordinal}].' })
  columns!: unknown;

  @Field(() => [String])
  primaryKey!: string[];

  @Field(() => [String])
  cursorCandidates!: string[];
}
