import { Field, ID, Int, ObjectType } from 'type-graphql';
import type { LineageEdge, LineageHit } from '../../model/catalogue.js';
import type { EdgeType as EdgeTypeWord, Evidence as EvidenceWord, Transformation, TransformationSubtype } from '../../model/lineage.js';
import type { LineageAnswer, Truncation as TruncationWord } from '../../model/lineage-query.js';
import { EdgeType, Evidence, Truncation } from '../enums.js';
import { DateTimeScalar } from '../scalars.js';

@ObjectType('Transformation')
export class TransformationType implements Transformation {
  @Field(() => EdgeType)
  type!: EdgeTypeWord;

  @Field(() => String, { description: 'IDENTITY, TRANSFORMATION, AGGREGATION, CONDITIONAL, WINDOW, FILTER, JOIN, GROUP_BY or SORT.' })
  subtype!: TransformationSubtype;

  @Field(() => String, { nullable: true, description: 'As it was written; null where a column is passed through.' })
  expression!: string | null;

  @Field(() => Boolean)
  masking!: boolean;

  @Field(() => String, { nullable: true })
  step!: string | null;
}

@ObjectType('LineageEdge', { description: 'At COLUMN level `to` is a Column, or a Dataset where the whole output is influenced (filter).' })
export class LineageEdgeType implements LineageEdge {
  fromId!: string;
  toId!: string;
  jobId!: string | null;
  lastRunId!: string | null;

  @Field(() => ID)
  id!: string;

  @Field(() => [TransformationType])
  transformations!: TransformationType[];

  @Field(() => Evidence)
  evidence!: EvidenceWord;

  @Field(() => DateTimeScalar)
  validFrom!: string;

  @Field(() => DateTimeScalar, { nullable: true })
  validTo!: string | null;
}

@ObjectType('LineageHit')
export class LineageHitType implements LineageHit {
  nodeId!: string;

  @Field(() => Int, { description: 'Edges from the nearest start, which has 0. The step from an influenced dataset to its columns costs nothing.' })
  depth!: number;
}

@ObjectType('LineageGraph')
export class LineageGraphType implements Omit<LineageAnswer, 'hits' | 'edges'> {
  start!: readonly string[];

  @Field(() => DateTimeScalar)
  asOf!: string;

  @Field(() => String, { description: 'Changes when the lineage or a schema changes.' })
  revision!: string;

  @Field(() => Int, { description: 'The whole closure, start not counted, even when truncated by maxNodes.' })
  totalNodes!: number;

  @Field(() => [LineageHitType])
  nodes!: readonly LineageHit[];

  @Field(() => [LineageEdgeType])
  edges!: readonly LineageEdge[];

  @Field(() => [Truncation])
  truncated!: readonly TruncationWord[];

  @Field(() => [[ID]])
  cycles!: readonly (readonly string[])[];
}
