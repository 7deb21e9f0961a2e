import { Arg, Ctx, FieldResolver, Int, Query, Resolver, Root } from 'type-graphql';
import { PlatformError } from '../model/errors.js';
import type { ImpactCount, ImpactGroup as ImpactGroupWord, Severity as SeverityWord } from '../model/impact.js';
import type { KeptFinding, KeptReport } from '../model/impact-report.js';
import { setByHand, type Tag } from '../model/tag.js';
import type { ImpactService } from '../services/impact-questions.js';
import type { ImpactReportService } from '../services/impact-reports.js';
import type { LineageNode } from '../services/nodes.js';
import { ChangeInput, intentionOf } from './change-input.js';
import type { ApiContext } from './context.js';
import { ImpactGroup, NodeKind, Severity } from './enums.js';
import { assertShortList, pageRequest } from './paging.js';
import { ImpactCountType, ImpactItemConnection, ImpactItemType, ImpactReportType } from './types/impact.js';
import { LineageNodeType } from './types/nodes.js';
import { type RelayConnection, toConnection } from './types/pages.js';
import { TagType } from './types/tags.js';

@Resolver(() => ImpactReportType)
export class ImpactReportResolver {
  constructor(
    private readonly impacts: ImpactService,
    private readonly reports: ImpactReportService,
  ) {}

  @Query(() => ImpactReportType, {
    description: 'What a change does to everything downstream. Every reader is compiled against the changed schema; nothing is changed.',
  })
  impact(
    @Arg('of', () => ChangeInput) of: ChangeInput,
    @Arg('maxDepth', () => Int, { nullable: true, description: 'Jobs behind the changed node; null: all.' }) maxDepth: number | null,
  ): Promise<KeptReport> {
    return this.impacts.report(intentionOf(of), maxDepth ?? null);
  }

  @FieldResolver(() => [ImpactCountType])
  summary(@Root() { counts }: ImpactReportType, @Arg('by', () => ImpactGroup, { defaultValue: 'KIND' }) by: ImpactGroupWord): readonly ImpactCount[] {
    assertShortList(`summary(by: ${by})`, counts[by]);
    return counts[by];
  }

  @FieldResolver(() => ImpactItemConnection, { description: 'Worst first; of one severity jobs, then datasets, then columns; nearest first.' })
  async items(
    @Root() report: ImpactReportType,
    @Arg('minSeverity', () => Severity, { nullable: true, description: 'This and worse; null: all.' }) minSeverity: SeverityWord | null,
    @Arg('kinds', () => [NodeKind], { nullable: true, description: 'null: all.' }) kinds: string[] | null,
    @Arg('first', () => Int, { nullable: true, defaultValue: 100 }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | null,
  ): Promise<RelayConnection<KeptFinding>> {
    const request = { minSeverity: minSeverity ?? null, kinds: kinds ?? null, ...pageRequest(first, after, 100) };
    return toConnection(await this.reports.findings(report, request));
  }

  @FieldResolver(() => [LineageNodeType], { description: 'Jobs that read what is affected and could not be judged: look at them yourself.' })
  blindSpots(@Root() { unjudged }: ImpactReportType, @Ctx() { loaders }: ApiContext): Promise<LineageNode[]> {
    assertShortList('blindSpots', unjudged);
    return Promise.all(unjudged.flatMap(({ id }) => (id === null ? [] : [loaders.node(id)])));
  }
}

@Resolver(() => ImpactItemType)
export class ImpactItemResolver {
  @FieldResolver(() => LineageNodeType)
  node(@Root() { nodeId }: ImpactItemType, @Ctx() { loaders }: ApiContext): Promise<LineageNode> {
    return loaders.node(nodeId);
  }

  @FieldResolver(() => [LineageNodeType], { description: 'One shortest path from the changed node, both ends included.' })
  path(@Root() { path, nodeId }: ImpactItemType, @Ctx() { loaders }: ApiContext): Promise<LineageNode[]> {
    if (path.length > longestPath)
      throw new PlatformError('BAD_USER_INPUT', `The path to ${nodeId} has ${path.length} nodes; this list holds at most ${longestPath}.`);
    return Promise.all(path.map((id) => loaders.node(id)));
  }

  @FieldResolver(() => [TagType], { description: 'Of the dataset or column itself, as they were when it was judged; jobs have none.' })
  tags(@Root() { tags }: ImpactItemType): readonly Tag[] {
    return tags.map(setByHand);
  }
}

const longestPath = 1_000;
