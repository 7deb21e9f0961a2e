import { isDeepStrictEqual } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import { lockMark } from '../graph/ids.js';
import { findPipelinesByIds } from '../graph/pipelines.js';
import { createRun, findRunByKey, lockRun, retryInProgress } from '../graph/runs.js';
import type { GraphTransaction } from '../graph/transaction.js';
import { PlatformError } from '../model/errors.js';
import type { JobRef } from '../model/lineage-query.js';
import { noMetrics, type Run, replayTrigger, unfinishedStates } from '../model/run.js';
import { parseSpec } from '../pipeline/spec/parse-spec.js';
import { checkParams } from './run-params.js';
import { numberTransition } from './run-transitions.js';

export interface StartRequest {
  readonly pipeline: JobRef;
  /** Who or what asks for it. */
  readonly trigger: string;
  /** Values by name: any JSON, which is checked. */
  readonly params?: unknown;
  /** Default: a new one. */
  readonly id?: string;
  /** The same key for the same pipeline is the same run, however often it is asked for; null: every call is a new one. */
  readonly idempotencyKey?: string | null;
}

export type StartedRun =
  | { readonly outcome: 'queued'; readonly run: Run }
  | { readonly outcome: 'notFound'; readonly message: string }
  | { readonly outcome: 'conflict'; readonly message: string };

const longestKey = 255;
/** `trigger` of a run that does another one again. */
const retryTrigger = 'retry';

/**
 * Queues a run of the pipeline's latest version, or gives the one that was queued under the same key.
 *
 * @throws PlatformError BAD_USER_INPUT when `params` are not those of its document, or the key is none; what throws takes the run away again
 */
export async function startRun(transaction: GraphTransaction, request: StartRequest): Promise<StartedRun> {
  const { pipeline, idempotencyKey: key = null, params = null } = request;
  if (key === null) return queueRun(transaction, request, null);
  if (key.length < 1 || key.length > longestKey)
    throw new PlatformError('BAD_USER_INPUT', `\`idempotencyKey\` has ${key.length} characters; it must have 1 to ${longestKey}.`);
  const [earlier] = await transaction.run(findRunByKey, { ...pipeline, key, lock: lockMark() });
  if (earlier === undefined) return queueRun(transaction, request, null);
  if (isDeepStrictEqual(earlier.params ?? {}, params ?? {})) return { outcome: 'queued', run: earlier };
  return conflict(
    `Run ${earlier.id} of ${pipeline.namespace}/${pipeline.name} was started with this idempotencyKey and other params. Use another key for another run.`,
  );
}

/**
 * Queues a run that does one again that is FAIL or ABORT: with its params, by the pipeline's latest version. Its window begins where
 * that of the other began, since positions move only with a commit, and ends with what is there when it reads.
 *
 * @param id  of the new run
 * @throws PlatformError BAD_USER_INPUT when the document has other params by now
 */
export async function retryRun(transaction: GraphTransaction, runId: string, id: string): Promise<StartedRun> {
  const [run] = await transaction.run(lockRun, { id: runId, lock: lockMark() });
  if (run === undefined) return { outcome: 'notFound', message: `There is no run ${runId}.` };
  if (run.state !== 'FAIL' && run.state !== 'ABORT') return conflict(`Run ${runId} is ${run.state}; only a run that is FAIL or ABORT can be retried.`);
  if (run.trigger === replayTrigger)
    return conflict(`Run ${runId} took dead letters again. Those that it did not load are open again: call replayDeadLetters for them.`);
  const [retry] = await transaction.run(retryInProgress, { id: runId, states: unfinishedStates });
  // Its own run when the answer to a commit was lost and the transaction is made again.
  if (retry !== undefined && retry !== id) return conflict(`Run ${retry} is doing run ${runId} again already; wait until it has ended.`);
  const [pipeline] = await transaction.run(findPipelinesByIds, { ids: [run.pipelineId] });
  if (pipeline === undefined) return { outcome: 'notFound', message: `The pipeline of run ${runId} is not there any more.` };
  return queueRun(transaction, { pipeline, trigger: retryTrigger, params: run.params, id }, runId);
}

async function queueRun(
  transaction: GraphTransaction,
  { pipeline: { namespace, name }, trigger, params = null, id = uuidv7(), idempotencyKey: key = null }: StartRequest,
  retryOf: string | null,
): Promise<StartedRun> {
  const written = { metrics: JSON.stringify(noMetrics), params: params === null ? null : JSON.stringify(params) };
  const [created] = await transaction.run(createRun, { id, namespace, name, trigger, ...written, key, retryOf, lock: id });
  if (created === undefined) return { outcome: 'notFound', message: `There is no pipeline ${namespace}/${name}; save it first.` };
  checkParams(parseSpec(created.spec).spec.params, params);
  await numberTransition(transaction, [id], `Queued (${trigger}).`);
  return { outcome: 'queued', run: created.run };
}

function conflict(message: string): StartedRun {
  return { outcome: 'conflict', message };
}
