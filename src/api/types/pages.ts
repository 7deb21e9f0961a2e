import { type ClassType, Field, Int, ObjectType } from 'type-graphql';
import type { Page } from '../../model/catalogue.js';

@ObjectType('PageInfo')
export class PageInfoType {
  @Field(() => Boolean)
  hasNextPage!: boolean;

  @Field(() => Boolean)
  hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true })
  startCursor!: string | null;

  @Field(() => String, { nullable: true })
  endCursor!: string | null;
}

export interface RelayConnection<T> {
  readonly edges: readonly { readonly cursor: string; readonly node: T }[];
  readonly pageInfo: PageInfoType;
  readonly totalCount: number;
}

/** The types `<name>Connection` and `<name>Edge` of the Relay connection convention. */
export function connectionType<T extends object>(name: string, nodeType: () => unknown): ClassType<RelayConnection<T>> {
  @ObjectType(`${name}Edge`)
  class Edge {
    @Field(() => String)
    cursor!: string;

    @Field(() => nodeType() as ClassType)
    node!: T;
  }

  @ObjectType(`${name}Connection`)
  class Connection {
    @Field(() => [Edge])
    edges!: Edge[];

    @Field(() => PageInfoType)
    pageInfo!: PageInfoType;

    @Field(() => Int, { description: 'Of the whole list, whatever the page.' })
    totalCount!: number;
  }
  return Connection;
}

export function toConnection<T>({ items, hasNextPage, hasPreviousPage, totalCount }: Page<T>): RelayConnection<T> {
  const pageInfo = { hasNextPage, hasPreviousPage, startCursor: items[0]?.cursor ?? null, endCursor: items.at(-1)?.cursor ?? null };
  return { edges: items, pageInfo, totalCount };
}
