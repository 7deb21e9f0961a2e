import { Arg, Ctx, ID, Query, Resolver } from 'type-graphql';
import type { DatasetVersion } from '../model/catalogue.js';
import type { Connection } from '../model/connection.js';
import type { DeadLetter } from '../model/dead-letter.js';
import type { KeptReport } from '../model/impact-report.js';
import type { ConnectionService } from '../services/connections.js';
import type { DatasetService } from '../services/datasets.js';
import type { DeadLetterService } from '../services/dead-letters.js';
import type { ImpactReportService } from '../services/impact-reports.js';
import type { LineageNode, NodeService } from '../services/nodes.js';
import type { ApiContext } from './context.js';
import { NodeRefInput } from './inputs.js';
import { assertShortList } from './paging.js';
import { LineageNodeType, NodeType } from './types/nodes.js';

export interface NodeSources {
  readonly nodes: NodeService;
  readonly datasets: DatasetService;
  readonly connections: ConnectionService;
  readonly deadLetters: DeadLetterService;
  readonly reports: ImpactReportService;
}

@Resolver(() => NodeType)
export class NodeResolver {
  constructor(private readonly sources: NodeSources) {}

  @Query(() => NodeType, { nullable: true, description: 'Anything by its id.' })
  async node(
    @Arg('id', () => ID) id: string,
    @Ctx() { loaders }: ApiContext,
  ): Promise<LineageNode | DatasetVersion | Connection | DeadLetter | KeptReport | null> {
    const { datasets, connections, deadLetters, reports } = this.sources;
    const found = await loaders.nodeOrNull(id);
    if (found !== null) return found;
    const [version] = await datasets.versionsByIds([id]);
    return version ?? (await connections.list()).find((connection) => connection.id === id) ?? (await deadLetters.byId(id)) ?? reports.byId(id);
  }

  @Query(() => [LineageNodeType], { nullable: 'items', description: 'In the order of `refs`; null where there is nothing of that name.' })
  resolve(@Arg('refs', () => [NodeRefInput]) refs: NodeRefInput[]): Promise<(LineageNode | null)[]> {
    assertShortList('refs', refs);
    return this.sources.nodes.resolve(refs);
  }
}
