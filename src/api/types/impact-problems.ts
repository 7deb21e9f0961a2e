import { createUnionType, Field, ObjectType } from 'type-graphql';
import type { Pipeline } from '../../model/catalogue.js';
import type { KeptReport } from '../../model/impact-report.js';
import { ImpactReportType } from './impact.js';
import { PipelineType } from './jobs.js';
import { ConflictType, InvalidSpecType, nameOf, ProblemType } from './problems.js';

@ObjectType('GateBlocked', {
  description: 'The change breaks readers; nothing was saved. `acknowledge` with the id of the report saves it all the same.',
  implements: ProblemType,
})
export class GateBlockedType extends ProblemType {
  readonly typeName = 'GateBlocked';

  @Field(() => ImpactReportType)
  report!: KeptReport;

  constructor(message: string, report: KeptReport) {
    super();
    this.code = 'GATE_BLOCKED';
    this.message = message;
    this.report = report;
  }
}

@ObjectType('SavedPipelines')
export class SavedPipelinesType {
  readonly typeName = 'SavedPipelines';

  @Field(() => [PipelineType], { description: 'In the order of the documents.' })
  pipelines!: readonly Pipeline[];

  constructor(pipelines: readonly Pipeline[]) {
    this.pipelines = pipelines;
  }
}

export const PipelineResult = createUnionType({
  name: 'PipelineResult',
  types: () => [PipelineType, InvalidSpecType, GateBlockedType, ConflictType] as const,
  resolveType: (value: object) => nameOf(value, 'Pipeline'),
});

export const PipelinesResult = createUnionType({
  name: 'PipelinesResult',
  types: () => [SavedPipelinesType, InvalidSpecType, GateBlockedType, ConflictType] as const,
  resolveType: (value: object) => nameOf(value, 'SavedPipelines'),
});
