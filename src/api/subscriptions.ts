import {
  type DocumentNode,
  type FormattedExecutionResult,
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  getOperationAST,
  OperationTypeNode,
  parse,
  validate,
} from 'graphql';
import { type Context, makeServer, type Server, type SubscribePayload } from 'graphql-ws';
import type { Logger } from 'pino';
import type { WebSocket } from 'ws';
import { mostTokens } from './apollo.js';
import type { ApiContext } from './context.js';
import { type DoorKeeper, tokenMissing } from './doors.js';
import { type ApiErrorCode, formatError } from './errors.js';
import { subscribeAfresh } from './executed-events.js';
import { assertAffordable } from './query-cost.js';
import { deepestNesting, nestingOf, nestsTooDeep } from './query-shape.js';

/** What is known of a connection. */
export interface SocketExtra {
  readonly socket: WebSocket;
  /** The header of the request that it began as. */
  readonly authorization: string | undefined;
}

type Params = Record<string, unknown> | undefined;
type SocketContext = Context<Params, SocketExtra>;

export interface SubscriptionParts {
  readonly schema: GraphQLSchema;
  readonly keeper: DoorKeeper;
  readonly contextOf: () => ApiContext;
  readonly logger: Logger;
}

export const mostSubscriptions = 100;
const introductionWithinMs = 5_000;
const unauthorized = 4401;

/** The subscriptions of a connection, by the protocol graphql-transport-ws. Each is judged as a query over HTTP is. */
export function subscriptionServer({ schema, keeper, contextOf, logger }: SubscriptionParts): Server<SocketExtra> {
  const format = (errors: readonly GraphQLError[]): GraphQLFormattedError[] => errors.map((error) => formatError(withCode(error), error, logger));
  return makeServer<Params, SocketExtra>({
    connectionInitWaitTimeout: introductionWithinMs,
    onConnect: (context) => letIn(context, keeper),
    onSubscribe: (context, _id, payload) => judged(() => argumentsOf(context, payload, schema)),
    subscribe: (args) => subscribeAfresh(args, contextOf),
    onError: (_context, _id, _payload, errors) => format(errors),
    onNext: (_context, _id, _payload, _args, result) =>
      result.errors === undefined ? undefined : ({ ...result, errors: format(result.errors) } as FormattedExecutionResult),
  });
}

function letIn({ connectionParams, extra }: SocketContext, keeper: DoorKeeper): boolean {
  const given = connectionParams?.['authorization'] ?? connectionParams?.['Authorization'];
  if (keeper.isTrusted(given ?? extra.authorization)) return true;
  extra.socket.close(unauthorized, tokenMissing.message);
  return false;
}

interface Operation {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operationName: string | null | undefined;
  readonly variableValues: Record<string, unknown> | null | undefined;
}

/** @throws GraphQLError */
function argumentsOf({ subscriptions }: SocketContext, { query, operationName, variables }: SubscribePayload, schema: GraphQLSchema): Operation {
  if (Object.keys(subscriptions).length > mostSubscriptions) {
    throw refusal('TOO_MANY_SUBSCRIPTIONS', `This connection has ${mostSubscriptions} subscriptions already. End one, or open another connection.`);
  }
  if (nestingOf(query, deepestNesting + 1) > deepestNesting) throw refusal('QUERY_TOO_LARGE', nestsTooDeep);
  const document = parsed(query);
  const [mistake] = validate(schema, document);
  if (mistake !== undefined) throw coded(mistake, 'GRAPHQL_VALIDATION_FAILED');
  const operation = getOperationAST(document, operationName);
  if (operation?.operation !== OperationTypeNode.SUBSCRIPTION) {
    throw refusal('BAD_REQUEST', 'Only subscriptions are answered here. Send queries and mutations to /graphql with POST.');
  }
  assertAffordable({ schema, document, operation, variables: variables ?? {} });
  return { schema, document, operationName, variableValues: variables };
}

function parsed(query: string): DocumentNode {
  try {
    return parse(query, { maxTokens: mostTokens });
  } catch (error) {
    throw error instanceof GraphQLError ? coded(error, 'GRAPHQL_PARSE_FAILED') : error;
  }
}

function judged<T>(judge: () => T): T | readonly GraphQLError[] {
  try {
    return judge();
  } catch (error) {
    return [error instanceof GraphQLError ? error : new GraphQLError('Unexpected error', { originalError: error as Error })];
  }
}

function refusal(code: ApiErrorCode, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code } });
}

function coded({ message, locations }: GraphQLError, code: string): GraphQLError {
  const formatted = new GraphQLError(message, { extensions: { code } });
  return Object.defineProperty(formatted, 'locations', { value: locations, enumerable: true });
}

/** What is wrong with variables has no place in the answer, and no cause but itself. */
function withCode(error: GraphQLError): GraphQLFormattedError {
  const formatted = error.toJSON();
  const { originalError: cause, path } = error;
  const ofVariables = path === undefined && (cause === undefined || cause instanceof GraphQLError) && formatted.extensions?.['code'] === undefined;
  return ofVariables ? { ...formatted, extensions: { code: 'BAD_USER_INPUT' } } : formatted;
}
