import { Field, ID, Int, ObjectType } from 'type-graphql';
import type { ImpactCount, ImpactGroup, ImpactNodeKind, Severity as SeverityWord } from '../../model/impact.js';
import type { FindingGroup, KeptFinding, KeptReport, ReportSubject } from '../../model/impact-report.js';
import type { Truncation as TruncationWord } from '../../model/lineage-query.js';
import { Severity, Truncation } from '../enums.js';
import { NodeType } from './nodes.js';
import { connectionType } from './pages.js';

@ObjectType('ImpactItem', { description: 'What a change does to one job, dataset or column downstream.' })
export class ImpactItemType implements KeptFinding {
  nodeId!: string;
  kind!: ImpactNodeKind;
  path!: readonly string[];

  @Field(() => Severity)
  severity!: SeverityWord;

  @Field(() => String, { description: 'Stable, e.g. COLUMN_READ, JOIN_KEY, TYPE_MISMATCH, FILTER_INPUT, UPSTREAM_BREAKS.' })
  code!: KeptFinding['code'];

  @Field(() => String, { description: 'One sentence that a person can act on; names the job, step and column.' })
  reason!: string;

  @Field(() => Int, { description: 'Jobs from the changed node; 1 for the direct readers.' })
  depth!: number;

  @Field(() => [String])
  owners!: string[];

  tags!: readonly string[];
}

@ObjectType('ImpactCount')
export class ImpactCountType implements ImpactCount {
  @Field(() => String)
  key!: string;

  @Field(() => Severity)
  severity!: SeverityWord;

  @Field(() => Int)
  count!: number;
}

@ObjectType('ImpactReport', {
  description: 'A verdict about a change, as it was given. The newest 1,000 are kept, and all that a save was acknowledged with.',
  implements: NodeType,
})
export class ImpactReportType extends NodeType implements KeptReport {
  createdAt!: string;
  subjects!: readonly ReportSubject[];
  findingsHash!: string;
  groups!: readonly FindingGroup[];
  counts!: Readonly<Record<ImpactGroup, readonly ImpactCount[]>>;
  unjudged!: KeptReport['unjudged'];

  @Field(() => ID)
  override id!: string;

  @Field(() => String, { description: 'Of the graph that was judged.' })
  revision!: string;

  @Field(() => Severity, { description: 'The worst of any job downstream.' })
  verdict!: SeverityWord;

  @Field(() => [Truncation])
  truncated!: readonly TruncationWord[];
}

export const ImpactItemConnection = connectionType<KeptFinding>('ImpactItem', () => ImpactItemType);
