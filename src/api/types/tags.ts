import { Field, ObjectType } from 'type-graphql';
import type { Tag } from '../../model/tag.js';
import { LineageNodeType } from './nodes.js';

@ObjectType('Tag', { description: 'A label of a dataset or column. All are set by hand: none is carried along edges.' })
export class TagType implements Tag {
  @Field(() => String, { description: 'Case counts.' })
  name!: string;

  @Field(() => Boolean, { description: 'false: set on this very node.' })
  inherited!: false;

  @Field(() => [LineageNodeType], { description: 'The path that carried it here; empty where it was set.' })
  via!: readonly never[];
}
