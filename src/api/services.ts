import type { ConnectionService } from '../services/connections.js';
import type { DatasetService } from '../services/datasets.js';
import type { DeadLetterService } from '../services/dead-letters.js';
import type { ImpactService } from '../services/impact-questions.js';
import type { ImpactReportService } from '../services/impact-reports.js';
import type { JobService } from '../services/jobs.js';
import type { LineageService } from '../services/lineage.js';
import type { NodeService } from '../services/nodes.js';
import type { PipelineService } from '../services/pipelines.js';
import type { ReplayService } from '../services/replay-letters.js';
import type { RunEventService } from '../services/run-events.js';
import type { RunService } from '../services/runs.js';
import type { TagService } from '../services/tags.js';

/** The use cases that the API is a door to. */
export interface ApiServices {
  readonly connections: ConnectionService;
  readonly datasets: DatasetService;
  readonly deadLetters: DeadLetterService;
  readonly impacts: ImpactService;
  readonly jobs: JobService;
  readonly lineage: LineageService;
  readonly nodes: NodeService;
  readonly pipelines: PipelineService;
  readonly replays: ReplayService;
  readonly reports: ImpactReportService;
  readonly runEvents: RunEventService;
  readonly runs: RunService;
  readonly tags: TagService;
}
