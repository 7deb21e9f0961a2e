/** Stable, documented names. Clients, alerts and retry rules match on these, never on messages. */
export type ErrorCode =
  // the caller
  | 'BAD_USER_INPUT'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'INVALID_SPEC'
  | 'GATE_BLOCKED'
  // settings and connections
  | 'CONFIG_INVALID'
  | 'SECRET_MISSING'
  | 'CONNECTION_FAILED'
  | 'ACCESS_DENIED'
  // the source
  | 'STREAM_NOT_FOUND'
  | 'SOURCE_FAILED'
  | 'SOURCE_MALFORMED'
  | 'CURSOR_NULL'
  // the steps
  | 'VALUE_UNCONVERTIBLE'
  | 'EXPRESSION_FAILED'
  | 'REJECTED_BUDGET'
  | 'REPLAY_REFUSED'
  // the destination
  | 'DESTINATION_MISMATCH'
  | 'DESTINATION_REFUSED'
  | 'DESTINATION_FAILED'
  | 'EPOCH_FENCED'
  | 'COUNTS_MISMATCH'
  | 'OVERWRITE_SHRINKS'
  // the run
  | 'RUN_CANCELLED'
  | 'RUN_TIMED_OUT'
  | 'MEMORY_LIMIT'
  | 'DISK_FULL'
  | 'RUN_PROCESS_DIED'
  | 'LEASE_LOST'
  // the stores
  | 'GRAPH_UNAVAILABLE'
  | 'GRAPH_TIMEOUT'
  | 'DOCUMENTS_UNAVAILABLE'
  // us
  | 'INTERNAL';

/** Plain values that help to act: names, ids, counts. Never secrets, never whole rows. */
export type ErrorContext = Readonly<Record<string, string | number | boolean>>;

export interface ErrorOptions {
  readonly context?: ErrorContext;
  readonly cause?: unknown;
  /** True when the same call may succeed later without anyone changing anything. */
  readonly retryable?: boolean;
  /** Id of the pipeline step in which it happened. */
  readonly step?: string;
}

/** Every error this platform throws on purpose. `message` is one sentence that a person can act on. */
export class PlatformError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly step: string | null;
  readonly context: ErrorContext;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PlatformError';
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.step = options.step ?? null;
    this.context = options.context ?? {};
  }
}

/** One thing that is wrong with a pipeline document. `path` as in `steps[2].map.columns.total`. */
export interface SpecIssue {
  readonly path: string;
  readonly message: string;
}

/** The document cannot be saved; nothing was. `issues` names every problem found, not only the first. */
export class InvalidSpecError extends PlatformError {
  readonly issues: readonly SpecIssue[];

  constructor(issues: readonly SpecIssue[]) {
    const shown = issues.slice(0, 5).map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
    super('INVALID_SPEC', `The pipeline document has ${issues.length === 1 ? 'one problem' : `${issues.length} problems`}. ${shown.join(' ')}`);
    this.issues = issues;
  }
}

/** Across processes and realms `instanceof` does not hold, so errors are recognised by their code. */
export function isPlatformError(error: unknown): error is PlatformError {
  return error instanceof Error && typeof (error as Partial<PlatformError>).code === 'string' && error.name === 'PlatformError';
}

/** What is stored with a run that failed and what crosses process borders. */
export interface ErrorRecord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly step: string | null;
}

/** An error as a record; what was not thrown on purpose becomes INTERNAL. */
export function toErrorRecord(error: unknown): ErrorRecord {
  if (isPlatformError(error)) return { code: error.code, message: error.message, retryable: error.retryable, step: error.step };
  return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error), retryable: false, step: null };
}
