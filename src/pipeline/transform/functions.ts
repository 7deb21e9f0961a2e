import type { DuckDBConnection } from '@duckdb/node-api';

/** Which functions an expression may call: those that give the same for the same arguments, and the run's own clock. */
export interface FunctionCatalogue {
  /** null: allowed; otherwise the sentence that says why not. */
  refusal(name: string): string | null;
  /** True for a function that calls a lambda for the elements of a list. */
  takesLambda(name: string): boolean;
  /** True for what sees several rows: aggregates, and functions of windows. */
  isAggregate(name: string): boolean;
}

/** The run's start; see `openDuckDb`. */
const clock = new Set(['now', 'today', 'current_date', 'current_timestamp', 'get_current_timestamp']);

/** Look at the server, its settings or its files, or run text as a statement, whatever DuckDB calls them. */
const reaching =
  /^(pg_|has_|inet_|getvariable$|getenv$|current_|session_|user$|version$|duckdb_|pragma_|read_|write_|glob$|sniff_|query|json_execute|json_serialize_sql|json_deserialize_sql|json_serialize_plan|col_description|obj_description|shobj_description|in_search_path|txid_|currval|nextval|setseed|sleep|icu_|add_parquet|which_secret|parse_duckdb|from_substrait|get_substrait|checkpoint|force_|enable_|disable_|stats$|is_histogram|finalize$|combine$|alias$|vector_type$|rowid$)/;

/** Functions after which the value can no longer be read. */
const masking = new Set(['sha1', 'sha256', 'md5', 'md5_number', 'md5_number_lower', 'md5_number_upper', 'hash']);

export function isMasking(name: string): boolean {
  return masking.has(name.toLowerCase());
}

/** The clock functions that SQL writes without parentheses; a column of that name goes before. */
export function isClockWord(name: string): boolean {
  return /^current_(date|timestamp)$/i.test(name);
}

function isClock(name: string): boolean {
  return clock.has(name.toLowerCase());
}

/** Reads DuckDB's own list once. */
export async function loadFunctions(connection: DuckDBConnection): Promise<FunctionCatalogue> {
  const reader = await connection.runAndReadAll(
    "SELECT lower(function_name), function_type, coalesce(stability, 'CONSISTENT'), array_to_string(parameters, ' ') FROM duckdb_functions()",
  );
  const scalars = new Set<string>();
  const unstable = new Set<string>();
  const aggregates = new Set<string>();
  const tables = new Set<string>();
  const lambdas = new Set<string>();
  for (const [name, type, stability, parameters] of reader.getRows() as [string, string, string, string | null][]) {
    if (parameters?.includes('lambda(')) lambdas.add(name);
    if (type === 'aggregate') aggregates.add(name);
    else if (type === 'scalar' || type === 'macro') (stability === 'CONSISTENT' ? scalars : unstable).add(name);
    else tables.add(name);
  }
  return {
    refusal,
    takesLambda: (name) => lambdas.has(name.toLowerCase()),
    isAggregate: (name) => aggregates.has(name.toLowerCase()) && !scalars.has(name.toLowerCase()),
  };

  function refusal(written: string): string | null {
    const name = written.toLowerCase();
    if (isClock(name)) return null;
    if (reaching.test(name)) return `${name}() looks outside the row and cannot be used in an expression.`;
    if (unstable.has(name))
      return `${name}() gives another value at every call, so that a second attempt would load other rows. It cannot be used in an expression.`;
    if (scalars.has(name)) return null;
    if (aggregates.has(name)) return `${name}() is an aggregate: an expression here sees one row at a time.`;
    if (tables.has(name)) return `${name}() gives a table, and an expression here gives one value.`;
    return `There is no function ${name}().`;
  }
}
