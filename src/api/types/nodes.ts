import { Field, ID, InterfaceType } from 'type-graphql';
import type { NodeKind as NodeKindWord } from '../../model/catalogue.js';
import { NodeKind } from '../enums.js';
import { DateTimeScalar } from '../scalars.js';

const lineageTypes: Readonly<Record<NodeKindWord, string>> = { DATASET: 'Dataset', COLUMN: 'Column', JOB: 'Pipeline', RUN: 'Run' };

/** Name of the object type of anything that has an id. */
export function typeNameOf(value: object): string {
  const kind = 'kind' in value ? String(value.kind) : '';
  if (kind in lineageTypes) return lineageTypes[kind as NodeKindWord];
  if ('datasetNamespace' in value) return 'Connection';
  if ('verdict' in value) return 'ImpactReport';
  return 'status' in value ? 'DeadLetter' : 'DatasetVersion';
}

@InterfaceType('Node', { description: 'Anything with an id. Ids are opaque and never change.', resolveType: typeNameOf })
export abstract class NodeType {
  @Field(() => ID)
  id!: string;
}

@InterfaceType('LineageNode', { description: 'Anything lineage can pass through.', implements: NodeType, resolveType: typeNameOf })
export abstract class LineageNodeType extends NodeType {
  @Field(() => NodeKind)
  kind!: NodeKindWord;

  @Field(() => String)
  displayName!: string;

  @Field(() => DateTimeScalar, { nullable: true })
  deletedAt!: string | null;
}
