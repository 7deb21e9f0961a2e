import { Field, ID, InputType } from 'type-graphql';
import type { EdgeType as EdgeTypeWord, Evidence as EvidenceWord } from '../model/lineage.js';
import { EdgeType, Evidence } from './enums.js';

@InputType('DatasetKey', { description: 'A dataset as OpenLineage names it.' })
export class DatasetKeyInput {
  @Field(() => String)
  namespace!: string;

  @Field(() => String)
  name!: string;
}

@InputType('ColumnKey')
export class ColumnKeyInput {
  @Field(() => String)
  namespace!: string;

  @Field(() => String)
  dataset!: string;

  @Field(() => String, { description: 'Nested fields as a dotted path.' })
  name!: string;
}

@InputType('JobKey')
export class JobKeyInput {
  @Field(() => String)
  namespace!: string;

  @Field(() => String)
  name!: string;
}

@InputType('NodeRef', { description: 'Exactly one of the fields.' })
export class NodeRefInput {
  @Field(() => ID, { nullable: true })
  id?: string | null;

  @Field(() => DatasetKeyInput, { nullable: true })
  dataset?: DatasetKeyInput | null;

  @Field(() => ColumnKeyInput, { nullable: true })
  column?: ColumnKeyInput | null;

  @Field(() => JobKeyInput, { nullable: true })
  job?: JobKeyInput | null;

  @Field(() => ID, { nullable: true })
  run?: string | null;
}

@InputType('LineageFilter', { description: 'Filters prune the walk: nothing behind an excluded edge or node is reached through it.' })
export class LineageFilterInput {
  @Field(() => [EdgeType], { nullable: true, description: 'null: both.' })
  edgeTypes?: EdgeTypeWord[] | null;

  @Field(() => [Evidence], { nullable: true, description: 'null: all but DECLARED.' })
  evidence?: EvidenceWord[] | null;

  @Field(() => [String], { nullable: true, description: 'Dataset namespaces; null: all.' })
  namespaces?: string[] | null;
}
