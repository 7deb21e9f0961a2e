import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { z } from 'zod';
import { ApiError, type GraphqlClientSettings } from './graphql-client.js';

const eventSchema = z.object({
  kind: z.string(),
  state: z.string(),
  stage: z.string().nullable(),
  step: z.string().nullable(),
  estimatedSecondsLeft: z.number().nullable(),
  metrics: z.object({ rowsRead: z.number(), bytesRead: z.number(), rowsPerSecond: z.number().nullable() }),
});
export type RunFeedEvent = z.infer<typeof eventSchema>;

const query = `subscription ($run: ID!) { runUpdated(run: $run) {
  kind state stage step estimatedSecondsLeft metrics { rowsRead bytesRead rowsPerSecond } } }`;

/** Tells what happens to a run until its end. @throws ApiError when the server refuses or goes */
export async function followRun({ url, token, signal }: GraphqlClientSettings, runId: string, onEvent: (event: RunFeedEvent) => void): Promise<void> {
  const client = createClient({
    url: `${url.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: token === null ? {} : { authorization: `Bearer ${token}` },
    retryAttempts: 0,
  });
  const stop = (): void => void client.dispose();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      const refuse = (problem: unknown): void => reject(toApiError(problem));
      const next = ({ data, errors }: { data?: { runUpdated?: unknown } | null | undefined; errors?: unknown }): void => {
        const read = eventSchema.safeParse(data?.runUpdated);
        if (read.success) onEvent(read.data);
        else refuse(errors);
      };
      client.subscribe<{ runUpdated?: unknown }>({ query, variables: { run: runId } }, { next, error: refuse, complete: resolve });
    });
  } finally {
    signal.removeEventListener('abort', stop);
    await client.dispose();
  }
}

const problemsSchema = z.array(z.object({ message: z.string(), extensions: z.object({ code: z.string() }).partial().optional() })).min(1);
const closedSchema = z.object({ code: z.number(), reason: z.string() });

/** What the client gives is a list of GraphQL errors, the close event of the socket, or an error of the socket. */
function toApiError(problem: unknown): ApiError {
  const errors = problemsSchema.safeParse(problem);
  if (errors.success) return new ApiError(errors.data[0]?.extensions?.code ?? 'UNKNOWN', errors.data[0]?.message ?? '');
  const closed = closedSchema.safeParse(problem);
  if (closed.success)
    return new ApiError('CLOSED', `The server closed the connection (${closed.data.code}${closed.data.reason === '' ? '' : `: ${closed.data.reason}`}).`);
  return new ApiError('UNREACHABLE', `The server cannot be reached (${problem instanceof Error ? problem.message : 'no reason is known'}).`);
}
