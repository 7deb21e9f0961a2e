import { Client } from 'pg';
import { servers } from './servers.js';

/** All tests share one graph, and any worker takes any queued run: whoever runs workers or claims holds this lock meanwhile. */
const lockKey = 7_231_450;

/** For tests whose workers execute whatever is queued, as real ones do: they may run beside one another. @returns the release */
export function shareQueue(): Promise<() => Promise<void>> {
  return hold('pg_advisory_lock_shared');
}

/** For tests that must be the only ones to take runs. Waits for the others. @returns the release */
export function ownQueue(): Promise<() => Promise<void>> {
  return hold('pg_advisory_lock');
}

async function hold(lock: 'pg_advisory_lock' | 'pg_advisory_lock_shared'): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: servers.postgres.url });
  await client.connect();
  await client.query(`SELECT ${lock}($1)`, [lockKey]);
  return () => client.end();
}
