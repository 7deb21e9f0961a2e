import { unwrapResolverError } from '@apollo/server/errors';
import type { GraphQLFormattedError } from 'graphql';
import type { Logger } from 'pino';
import { type InvalidSpecError, isPlatformError } from '../model/errors.js';

/** Codes of the API itself, beside those of the platform. */
export type ApiErrorCode =
  | 'FORBIDDEN'
  | 'UNAUTHENTICATED'
  | 'PAYLOAD_TOO_LARGE'
  | 'QUERY_TOO_LARGE'
  | 'BAD_REQUEST'
  | 'TOO_MANY_CONNECTIONS'
  | 'TOO_MANY_SUBSCRIPTIONS'
  | 'INTERNAL';

/** An error as it goes out: platform errors with their code, mistakes in the query without the values in it, everything else hidden behind INTERNAL. */
export function formatError(formatted: GraphQLFormattedError, error: unknown, logger: Logger): GraphQLFormattedError {
  const thrown = unwrapResolverError(error);
  const place = placeOf(formatted);
  if (isPlatformError(thrown) && thrown.code !== 'INTERNAL') {
    const issues = thrown.code === 'INVALID_SPEC' ? { issues: (thrown as InvalidSpecError).issues } : {};
    const step = thrown.step === null ? {} : { step: thrown.step };
    return { message: thrown.message, ...place, extensions: { code: thrown.code, retryable: thrown.retryable, ...step, ...issues } };
  }
  const code = formatted.extensions?.['code'];
  if (typeof code === 'string' && code !== 'INTERNAL_SERVER_ERROR') {
    return { message: withoutValues(formatted.message), ...place, extensions: { code, retryable: false } };
  }
  const errorId = crypto.randomUUID();
  logger.error({ err: thrown, errorId, path: formatted.path }, 'A request failed for a reason that is not the caller’s.');
  return {
    message: `Something failed inside the server. The log has the reason under ${errorId}.`,
    ...place,
    extensions: { code: 'INTERNAL', retryable: false, errorId },
  };
}

/** The body of an answer to a request that never became a GraphQL operation. */
export function errorBody(code: ApiErrorCode, message: string): { readonly errors: readonly GraphQLFormattedError[] } {
  return { errors: [{ message, extensions: { code, retryable: false } }] };
}

function placeOf({ path, locations }: GraphQLFormattedError): Pick<GraphQLFormattedError, 'path' | 'locations'> {
  return { ...(path === undefined ? {} : { path }), ...(locations === undefined ? {} : { locations }) };
}

const reasonOfVariable =
  /; (Expected (?:non-nullable )?type "[\w![\]]+"(?: not to be null| to be an object)?|Field "\w+" (?:of required type "[\w![\]]+" was not provided|is not defined by type "\w+")|\w+ cannot represent [\w -]+|DateTime must be an RFC 3339 time with at most 6 decimals of a second)(?:[:.,][\s\S]*)?$/;

/** graphql-js quotes the offending value, which may be a password in the wrong place. */
export function withoutValues(message: string): string {
  const variable = /^Variable "\$\w+" got invalid value /.exec(message)?.[0];
  if (variable !== undefined)
    return `${variable.replace('invalid value ', 'an invalid value')}: ${reasonOfVariable.exec(message)?.[1] ?? 'it does not fit its type'}.`;
  return message
    .replace(/(cannot represent (?:a |an )?[\w -]*?)( value)?: [\s\S]*$/, '$1$2 that was given.')
    .replace(/^(Expected value of type "[\w![\]]+"), found [\s\S]*$/, '$1, found something else.')
    .replace(/Value "[\s\S]*" does not exist in/, 'A value that was given does not exist in')
    .replace(/found (Block)?String "[\s\S]*"/, 'found a string');
}
