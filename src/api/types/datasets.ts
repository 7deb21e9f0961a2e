import { Field, Int, ObjectType } from 'type-graphql';
import type { Column, Dataset, DatasetVersion } from '../../model/catalogue.js';
import { DateTimeScalar } from '../scalars.js';
import { LineageNodeType, NodeType } from './nodes.js';
import { connectionType } from './pages.js';

@ObjectType('Dataset', { description: 'A table, collection, topic or file set, named as OpenLineage names it.', implements: [LineageNodeType, NodeType] })
export class DatasetType extends LineageNodeType implements Dataset {
  override kind!: 'DATASET';

  @Field(() => String, { description: 'Where it is stored, e.g. postgres://localhost:5432.' })
  namespace!: string;

  @Field(() => String, { description: 'What it is called there, e.g. shop.public.orders.' })
  name!: string;

  @Field(() => String, { nullable: true })
  description!: string | null;

  @Field(() => [String])
  owners!: string[];
}

@ObjectType('Column', { implements: [LineageNodeType, NodeType] })
export class ColumnType extends LineageNodeType implements Column {
  override kind!: 'COLUMN';
  datasetId!: string;

  @Field(() => String)
  name!: string;

  @Field(() => String, { nullable: true, description: "The store's own word, e.g. PostgreSQL's numeric(12,2)." })
  type!: string | null;

  @Field(() => Boolean, { nullable: true })
  nullable!: boolean | null;

  @Field(() => Int, { description: '1 for the first column.' })
  ordinal!: number;

  @Field(() => String, { nullable: true })
  description!: string | null;
}

@ObjectType('ColumnVersion', { description: 'A column as it was in one version of its dataset.' })
export class ColumnVersionType {
  columnId!: string;

  @Field(() => String)
  name!: string;

  @Field(() => String, { nullable: true })
  type!: string | null;

  @Field(() => Boolean, { nullable: true })
  nullable!: boolean | null;

  @Field(() => Int)
  ordinal!: number;
}

@ObjectType('DatasetVersion', { implements: NodeType })
export class DatasetVersionType extends NodeType implements DatasetVersion {
  datasetId!: string;
  producedByRunId!: string | null;

  @Field(() => DateTimeScalar)
  createdAt!: string;

  @Field(() => [ColumnVersionType])
  columns!: ColumnVersionType[];

  @Field(() => Number, { nullable: true, description: 'Rows written by the run that made this version.' })
  rowCount!: number | null;
}

export const DatasetConnection = connectionType<Dataset>('Dataset', () => DatasetType);
export const DatasetVersionConnection = connectionType<DatasetVersion>('DatasetVersion', () => DatasetVersionType);
