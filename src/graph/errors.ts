import { Neo4jError } from 'neo4j-driver';
import { isPlatformError, PlatformError } from '../model/errors.js';

/** What the driver threw, in our words. Errors thrown on purpose inside a transaction pass through. */
export function toGraphError(error: unknown, uri: string): unknown {
  if (isPlatformError(error) || !(error instanceof Neo4jError)) return error;
  const { code } = error;
  if (code.startsWith('Neo.ClientError.Security')) {
    return new PlatformError('GRAPH_UNAVAILABLE', `Neo4j at ${uri} refused our user or password; check NEO4J_USER and NEO4J_PASSWORD.`, { cause: error });
  }
  if (code.includes('TransactionTimedOut')) {
    return new PlatformError('GRAPH_TIMEOUT', 'Neo4j took longer than this question is given; ask for less, for example with maxDepth or a filter.', {
      cause: error,
      retryable: true,
    });
  }
  if (code === 'ServiceUnavailable' || code === 'SessionExpired' || code === 'N/A' || code.startsWith('Neo.TransientError')) {
    return new PlatformError('GRAPH_UNAVAILABLE', `Neo4j at ${uri} does not answer at the moment (${code}); try again shortly.`, {
      cause: error,
      retryable: true,
    });
  }
  return new PlatformError('INTERNAL', `Neo4j refused a statement of ours (${code}).`, { cause: error });
}
