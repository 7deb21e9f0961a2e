import type { PipelineSpec } from '../model/pipeline-spec.js';
import type { ConnectionService } from '../services/connections.js';
import type { DeadLetterService } from '../services/dead-letters.js';
import type { RunLogService } from '../services/run-log.js';
import type { RunService } from '../services/runs.js';

/** What the worker needs of the services, and nothing more. */
export type RunQueue = Pick<RunService, 'claim' | 'renew' | 'progress' | 'complete' | 'fail' | 'abort' | 'retryAttempt' | 'handBack' | 'recover' | 'get'>;
export type RunLog = Pick<RunLogService, 'progress' | 'flushLeft'>;
export type ConnectionSource = Pick<ConnectionService, 'resolve' | 'open'>;
export type DeadLetterKeeper = Pick<
  DeadLetterService,
  'store' | 'open' | 'discardPending' | 'runsWithPending' | 'replayed' | 'resolveReplayed' | 'releaseReplayed' | 'runsWithReplayed'
>;

/** Reads a saved pipeline document. @throws InvalidSpecError */
export type ParseSpec = (document: unknown) => { readonly spec: PipelineSpec };
