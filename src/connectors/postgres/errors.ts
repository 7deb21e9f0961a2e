import { type ErrorCode, isPlatformError, PlatformError } from '../../model/errors.js';

/** What was being done when PostgreSQL refused: decides the code of what has no better one. */
export type Doing = 'connect' | 'read' | 'load';

const networkCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EPIPE']);

/**
 * Refusals that pass by themselves: serialization failure, deadlock, lock not available, out of memory, too many connections. Not 53100
 * (disk full) and 53400 (a configured limit), which somebody has to see to, nor 57014: somebody ended the statement on purpose.
 */
const passing = new Set(['40001', '40P01', '55P03', '53200', '53300']);

interface Meaning {
  readonly code: ErrorCode;
  readonly advice: string;
  readonly retryable: boolean;
}

/** A driver or server error as one of ours. The server's detail is left out: it can hold whole rows. */
export function toPostgresError(error: unknown, doing: Doing, where: string): PlatformError {
  if (isPlatformError(error)) return error;
  const { code, retryable, advice } = meaningOf(error, doing);
  return new PlatformError(code, `${where}: ${messageOf(error)}. ${advice}`, { cause: error, retryable });
}

/** SQLSTATE of a server error; null for any other. */
export function sqlState(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}

/** True when the connection itself is gone, so that what the server did last is not known. */
export function isConnectionLost(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== null) return state.startsWith('08') || state.startsWith('57P');
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  return (code !== undefined && networkCodes.has(code)) || /connection (terminated|ended|closed)|not queryable|timeout expired/i.test(message ?? '');
}

function meaningOf(error: unknown, doing: Doing): Meaning {
  const state = sqlState(error);
  if (state === '28P01' || state === '28000') return { code: 'ACCESS_DENIED', retryable: false, advice: 'Check user and password of the connection.' };
  if (state === '42501') return { code: 'ACCESS_DENIED', retryable: false, advice: "Grant the connection's user what it needs." };
  if (state === '3D000') return { code: 'CONNECTION_FAILED', retryable: false, advice: 'Check the database of the connection.' };
  if (state === '42P01' && doing === 'read') return { code: 'STREAM_NOT_FOUND', retryable: false, advice: 'Check the stream of the input.' };
  if (doing === 'load' && (state?.startsWith('23') || state?.startsWith('22')))
    return { code: 'DESTINATION_REFUSED', retryable: false, advice: 'A row does not satisfy the table: mend the rows in a step or change the table.' };
  if (state === '53100' && doing !== 'connect')
    return { code: doing === 'read' ? 'SOURCE_FAILED' : 'DESTINATION_FAILED', retryable: false, advice: "Free some space on the server's disk." };
  if (doing === 'connect')
    return { code: 'CONNECTION_FAILED', retryable: mayPassAtConnect(error, state), advice: 'Check that the server runs and that host and port are right.' };
  const lost = isConnectionLost(error);
  const advice = lost ? 'The connection was cut: check the server, then start the run again.' : 'Check the server, then start the run again.';
  return { code: doing === 'read' ? 'SOURCE_FAILED' : 'DESTINATION_FAILED', retryable: lost || (state !== null && passing.has(state)), advice };
}

/** A certificate stays as it is. */
function mayPassAtConnect(error: unknown, state: string | null): boolean {
  if (state !== null) return passing.has(state) || isConnectionLost(error);
  return !/CERT|TLS|SSL|ALTNAME/i.test((error as { code?: string } | null)?.code ?? '');
}

function messageOf(error: unknown): string {
  const nested = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  const message = nested instanceof Error ? nested.message : String(nested);
  return message.replace(/[.\s]+$/, '');
}

/** Rows were lost or doubled on the way: the load must not be committed. */
export function miscounted(found: string, stream: string): PlatformError {
  return new PlatformError('COUNTS_MISMATCH', `${found} (${stream}). Nothing was written; start the run again and report this if it stays.`);
}
