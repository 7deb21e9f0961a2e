import { finished } from 'node:stream/promises';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { apolloServer } from './apollo.js';
import type { ApiContext } from './context.js';
import { assertSafeDoors, type DoorSettings, doorKeeper, guardDoors } from './doors.js';
import { type ApiErrorCode, errorBody } from './errors.js';
import { addHealth, type Readiness } from './health.js';
import { Loaders } from './loaders.js';
import { deepestNesting, nestingOf, nestsTooDeep } from './query-shape.js';
import { buildGraphqlSchema } from './schema.js';
import type { ApiServices } from './services.js';
import { subscriptionServer } from './subscriptions.js';
import { WebSocketDoor } from './web-socket.js';

export interface ApiSettings extends DoorSettings {
  /** 0: any free one. */
  readonly port: number;
}

export interface ApiParts {
  readonly services: ApiServices;
  readonly settings: ApiSettings;
  readonly logger: Logger;
  readonly readiness: Readiness;
}

export interface RunningApi {
  /** e.g. `http://localhost:4000` */
  readonly url: string;
  /** Answers what it has begun to answer, takes nothing new, and resolves when the port is free. At most 3 s. */
  stop(): Promise<void>;
}

const largestBodyBytes = 1024 * 1024;
/** So much of a body that is too large is read and dropped, so that its sender gets to read the answer. */
const largestDroppedBytes = 32 * 1024 * 1024;
const requestTimeoutMs = 30_000;
const stopWithinMs = 3_000;
const tooLarge = `The request is larger than ${largestBodyBytes} bytes (1 MiB). Send less at once.`;

/**
 * Serves GraphQL at `/graphql`, its subscriptions over WebSocket, and `/healthz` and `/readyz`.
 *
 * @throws PlatformError CONFIG_INVALID when other machines could reach it without a token
 * @throws Error EADDRINUSE when the port is taken
 */
export async function startApi({ services, settings, logger, readiness }: ApiParts): Promise<RunningApi> {
  assertSafeDoors(settings);
  const schema = buildGraphqlSchema(services);
  const apollo = apolloServer(schema, logger);
  await apollo.start();
  const server = fastify({ bodyLimit: largestBodyBytes, requestTimeout: requestTimeoutMs, forceCloseConnections: 'idle', genReqId: () => crypto.randomUUID() });
  const keeper = doorKeeper(settings);
  const contextOf = (requestId: string): ApiContext => ({ loaders: new Loaders(services), runEvents: services.runEvents, requestId, logger });
  guardDoors(server, keeper);
  server.addHook('onRequest', refuseLargeBody);
  answerClearly(server, logger);
  addHealth(server, readiness);
  server.get('/', async () => ({ name: 'Tributary', graphql: '/graphql', health: '/healthz', readiness: '/readyz' }));
  server.route({
    method: ['GET', 'POST'],
    url: '/graphql',
    preValidation: async (request, reply) => refuseDeepQuery(request, reply),
    handler: fastifyApolloHandler(apollo, {
      context: async (request): Promise<ApiContext> => contextOf(request.id),
    }),
  });
  const subscriptions = subscriptionServer({ schema, keeper, contextOf: () => contextOf(crypto.randomUUID()), logger });
  const sockets = new WebSocketDoor({ http: server.server, keeper, subscriptions, logger, largestMessageBytes: largestBodyBytes });
  await server.listen({ host: settings.host, port: settings.port });
  return {
    url: urlOf(server, settings.host),
    stop: async () => {
      const timer = setTimeout(() => server.server.closeAllConnections(), stopWithinMs);
      await sockets.close();
      await server.close();
      clearTimeout(timer);
      await apollo.stop();
    },
  };
}

/** A connection that is closed while its sender still writes shows the sender no answer. */
async function refuseLargeBody({ headers, raw }: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
  const bytes = Number(headers['content-length'] ?? 0);
  if (bytes <= largestBodyBytes) return undefined;
  if (bytes <= largestDroppedBytes) await finished(raw.resume());
  return reply.code(413).send(errorBody('PAYLOAD_TOO_LARGE', tooLarge));
}

/** The parser is recursive: what nests too deep is refused before it is parsed. */
async function refuseDeepQuery(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
  const query = queryOf(request.body) ?? queryOf(request.query);
  if (query === undefined || nestingOf(query, deepestNesting + 1) <= deepestNesting) return undefined;
  return reply.code(400).send(errorBody('QUERY_TOO_LARGE', nestsTooDeep));
}

function queryOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('query' in body)) return undefined;
  return typeof body.query === 'string' ? body.query : undefined;
}

/** Every answer that is not a GraphQL one has the form of one: errors with a code and a sentence. */
function answerClearly(server: FastifyInstance, logger: Logger): void {
  server.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff').header('cache-control', 'no-store');
  });
  server.setNotFoundHandler((request, reply) =>
    reply.code(404).send(errorBody('BAD_REQUEST', `There is nothing for ${request.method} here. GraphQL is at /graphql.`)),
  );
  server.setErrorHandler<FastifyError>((error, _request, reply) => {
    const [status, code, message] = problemOf(error);
    if (status >= 500) logger.error({ err: error }, 'A request failed.');
    return reply.code(status).send(errorBody(code, message));
  });
}

function problemOf({ code, statusCode = 500 }: FastifyError): [status: number, code: ApiErrorCode, message: string] {
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return [413, 'PAYLOAD_TOO_LARGE', tooLarge];
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return [415, 'BAD_REQUEST', 'The request must have the header "content-type: application/json".'];
  if (statusCode >= 400 && statusCode < 500)
    return [statusCode, 'BAD_REQUEST', 'The request is not a JSON object with `query` and, where needed, `variables` and `operationName`.'];
  return [500, 'INTERNAL', 'Something failed inside the server. The log has the reason.'];
}

function urlOf(server: FastifyInstance, host: string): string {
  const address = server.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const name = host === '127.0.0.1' || host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}
