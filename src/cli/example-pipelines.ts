import { z } from 'zod';
import { ApiError, type GraphqlClient } from './graphql-client.js';

const problem = { code: z.string().optional(), message: z.string().optional() };
const savedSchema = z.object({
  savePipeline: z.object({
    __typename: z.string(),
    namespace: z.string().optional(),
    name: z.string().optional(),
    ...problem,
    issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  }),
});
const startedSchema = z.object({ startRun: z.object({ __typename: z.string(), id: z.string().optional(), ...problem }) });
const runSchema = z.object({
  run: z.object({
    state: z.enum(['QUEUED', 'RUNNING', 'COMPLETE', 'FAIL', 'ABORT', 'SKIPPED']),
    attempt: z.number(),
    metrics: z.object({
      rowsRead: z.number(),
      rowsWritten: z.number(),
      rowsRejected: z.number(),
      durationMs: z.number().nullable(),
      rowsPerSecond: z.number().nullable(),
    }),
    error: z.object({ code: z.string(), message: z.string(), step: z.string().nullable() }).nullable(),
  }),
});
export type FinishedRun = z.infer<typeof runSchema>['run'] & { readonly pipeline: PipelineKey };
export interface PipelineKey {
  readonly namespace: string;
  readonly name: string;
}

/** Saves a pipeline document, as a file holds it. @throws ApiError with every issue when it is refused */
export async function savePipeline(client: GraphqlClient, document: string): Promise<PipelineKey> {
  const { savePipeline: saved } = await client.ask(
    `mutation ($spec: JSON!) { savePipeline(spec: $spec) {
       __typename ... on Pipeline { namespace name } ... on Problem { code message } ... on InvalidSpec { issues { path message } } } }`,
    { spec: document },
    savedSchema,
  );
  if (saved.namespace !== undefined && saved.name !== undefined) return { namespace: saved.namespace, name: saved.name };
  const issues = (saved.issues ?? []).map(({ path, message }) => `${path}: ${message}`);
  throw new ApiError(saved.code ?? 'UNKNOWN', [saved.message, ...issues].join(' '));
}

/**
 * Queues a run and waits for its end.
 *
 * @param follow  resolves when the run of this id has ended
 * @throws ApiError when it could not be queued
 */
export async function runToEnd(client: GraphqlClient, pipeline: PipelineKey, follow: (runId: string) => Promise<void>): Promise<FinishedRun> {
  const { startRun: started } = await client.ask(
    'mutation ($pipeline: JobKey!) { startRun(pipeline: $pipeline) { __typename ... on Run { id } ... on Problem { code message } } }',
    { pipeline },
    startedSchema,
  );
  if (started.id === undefined) throw new ApiError(started.code ?? 'UNKNOWN', started.message ?? 'The run could not be started.');
  await follow(started.id);
  const { run } = await client.ask(
    `query ($id: ID!) { run(id: $id) { state attempt metrics { rowsRead rowsWritten rowsRejected durationMs rowsPerSecond } error { code message step } } }`,
    { id: started.id },
    runSchema,
  );
  return { ...run, pipeline };
}
