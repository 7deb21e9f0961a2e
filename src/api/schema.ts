import 'reflect-metadata';
import { createPubSub } from '@graphql-yoga/subscription';
import type { GraphQLSchema } from 'graphql';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { buildSchemaSync, type ContainerType, type NonEmptyArray } from 'type-graphql';
import { ConnectionResolver } from './connections.js';
import { ColumnResolver, ColumnVersionResolver, DatasetResolver, DatasetVersionResolver } from './datasets.js';
import { DeadLetterResolver } from './dead-letters.js';
import { ImpactItemResolver, ImpactReportResolver } from './impact.js';
import { JobResolver } from './jobs.js';
import { LineageEdgeResolver, LineageHitResolver, LineageResolver } from './lineage.js';
import { NodeResolver } from './nodes.js';
import { PipelineResolver } from './pipelines.js';
import { RunEventResolver } from './run-events.js';
import { RunResolver } from './runs.js';
import type { ApiServices } from './services.js';
import { TagResolver } from './tags.js';

const resolvers: NonEmptyArray<new (...services: never[]) => object> = [
  ConnectionResolver,
  DatasetResolver,
  ColumnResolver,
  ColumnVersionResolver,
  DatasetVersionResolver,
  DeadLetterResolver,
  ImpactReportResolver,
  ImpactItemResolver,
  JobResolver,
  LineageResolver,
  LineageHitResolver,
  LineageEdgeResolver,
  NodeResolver,
  PipelineResolver,
  RunResolver,
  TagResolver,
  RunEventResolver,
];

/** The GraphQL schema. Without services it can be printed and validated against, but not executed. */
export function buildGraphqlSchema(services?: ApiServices): GraphQLSchema {
  const container = services === undefined ? {} : { container: containerOf(services) };
  // It must be there because there is a subscription, and is not used: ours read the log.
  return buildSchemaSync({ resolvers, validate: false, pubSub: createPubSub(), ...container });
}

/** The schema as it is committed in `schema/schema.graphql`. */
export function printGraphqlSchema(schema: GraphQLSchema): string {
  return `# Written by \`npm run schema\` from src/api; a test keeps it in step. Do not edit.\n\n${printSchema(lexicographicSortSchema(schema))}\n`;
}

function containerOf({
  connections,
  datasets,
  deadLetters,
  impacts,
  jobs,
  lineage,
  nodes,
  pipelines,
  reports,
  replays,
  runs,
  tags,
  runEvents,
}: ApiServices): ContainerType {
  const instances = new Map<unknown, object>([
    [ConnectionResolver, new ConnectionResolver(connections)],
    [DatasetResolver, new DatasetResolver(datasets)],
    [ColumnResolver, new ColumnResolver()],
    [ColumnVersionResolver, new ColumnVersionResolver()],
    [DatasetVersionResolver, new DatasetVersionResolver()],
    [DeadLetterResolver, new DeadLetterResolver(deadLetters, pipelines, replays)],
    [ImpactReportResolver, new ImpactReportResolver(impacts, reports)],
    [ImpactItemResolver, new ImpactItemResolver()],
    [JobResolver, new JobResolver(jobs, runs)],
    [LineageResolver, new LineageResolver(lineage)],
    [LineageHitResolver, new LineageHitResolver()],
    [LineageEdgeResolver, new LineageEdgeResolver()],
    [NodeResolver, new NodeResolver({ nodes, datasets, connections, deadLetters, reports })],
    [PipelineResolver, new PipelineResolver(pipelines)],
    [RunResolver, new RunResolver(runs, runEvents)],
    [RunEventResolver, new RunEventResolver()],
    [TagResolver, new TagResolver(tags)],
  ]);
  return { get: (resolver: unknown) => instances.get(resolver) };
}
