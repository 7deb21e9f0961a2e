import { Arg, Ctx, FieldResolver, Int, Query, Resolver, Root } from 'type-graphql';
import { PlatformError } from '../model/errors.js';
import type { Direction as DirectionWord, LineageLevel as LineageLevelWord } from '../model/lineage.js';
import type { LineageService } from '../services/lineage.js';
import type { LineageNode } from '../services/nodes.js';
import type { ApiContext } from './context.js';
import { Direction, LineageLevel } from './enums.js';
import { LineageFilterInput, NodeRefInput } from './inputs.js';
import { assertShortList } from './paging.js';
import { JobType } from './types/jobs.js';
import { LineageEdgeType, LineageGraphType, LineageHitType } from './types/lineage.js';
import { LineageNodeType } from './types/nodes.js';
import { RunType } from './types/runs.js';

const defaultNodes = 1_000;
const mostNodes = 200_000;

@Resolver(() => LineageGraphType)
export class LineageResolver {
  constructor(private readonly lineages: LineageService) {}

  @Query(() => LineageGraphType, { description: 'What is downstream or upstream of the given nodes, nearest first.' })
  async lineage(
    @Arg('of', () => [NodeRefInput]) of: NodeRefInput[],
    @Arg('direction', () => Direction, { defaultValue: 'DOWNSTREAM' }) direction: DirectionWord,
    @Arg('level', () => LineageLevel, { defaultValue: 'DATASET' }) level: LineageLevelWord,
    @Arg('maxDepth', () => Int, { nullable: true, description: 'Exact at every level; null: all.' }) maxDepth: number | null,
    @Arg('maxNodes', () => Int, { nullable: true, defaultValue: defaultNodes, description: `At most ${mostNodes}; the nearest stay.` }) maxNodes: number | null,
    @Arg('filter', () => LineageFilterInput, { nullable: true }) filter: LineageFilterInput | null,
  ): Promise<LineageGraphType> {
    assertShortList('of', of);
    const { hits, ...answer } = await this.lineages.graph({
      of,
      direction,
      level,
      maxDepth: depthOf(maxDepth),
      maxNodes: nodesOf(maxNodes),
      filter: filter ?? null,
    });
    return { ...answer, nodes: hits };
  }

  @FieldResolver(() => [LineageNodeType])
  start(@Root() graph: LineageGraphType, @Ctx() { loaders }: ApiContext): Promise<LineageNode[]> {
    return Promise.all(graph.start.map((id) => loaders.node(id)));
  }
}

@Resolver(() => LineageHitType)
export class LineageHitResolver {
  @FieldResolver(() => LineageNodeType)
  node(@Root() { nodeId }: LineageHitType, @Ctx() { loaders }: ApiContext): Promise<LineageNode> {
    return loaders.node(nodeId);
  }
}

@Resolver(() => LineageEdgeType)
export class LineageEdgeResolver {
  @FieldResolver(() => LineageNodeType)
  from(@Root() { fromId }: LineageEdgeType, @Ctx() { loaders }: ApiContext): Promise<LineageNode> {
    return loaders.node(fromId);
  }

  @FieldResolver(() => LineageNodeType)
  to(@Root() { toId }: LineageEdgeType, @Ctx() { loaders }: ApiContext): Promise<LineageNode> {
    return loaders.node(toId);
  }

  @FieldResolver(() => JobType, { nullable: true })
  async job(@Root() { jobId }: LineageEdgeType, @Ctx() { loaders }: ApiContext): Promise<LineageNode | null> {
    return jobId === null ? null : loaders.pipeline(jobId);
  }

  @FieldResolver(() => RunType, { nullable: true, description: 'The newest run that confirmed it.' })
  async lastRun(@Root() { lastRunId }: LineageEdgeType, @Ctx() { loaders }: ApiContext): Promise<LineageNode | null> {
    return lastRunId === null ? null : loaders.run(lastRunId);
  }
}

function depthOf(maxDepth: number | null | undefined): number | null {
  if (maxDepth == null) return null;
  if (maxDepth < 0) throw new PlatformError('BAD_USER_INPUT', `\`maxDepth\` must be 0 or more, and is ${maxDepth}.`);
  return maxDepth;
}

function nodesOf(maxNodes: number | null | undefined): number {
  const wanted = maxNodes ?? defaultNodes;
  if (wanted < 1 || wanted > mostNodes) throw new PlatformError('BAD_USER_INPUT', `\`maxNodes\` must be between 1 and ${mostNodes}, and is ${wanted}.`);
  return wanted;
}
