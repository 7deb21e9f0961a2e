import type { LoadIdentity } from '../../model/connector.js';
import type { PostgresClient } from './client.js';

/** What the server calls the session of a load; at most 63 characters, which is what it keeps. */
export function loadSessionName({ loadId, epoch }: Pick<LoadIdentity, 'loadId' | 'epoch'>): string {
  return `${beginning(loadId)}${epoch}`;
}

/**
 * Ends the sessions of attempts with a lower epoch, which are fenced: one whose process stands still would keep its locks. Whether it
 * committed before, `findLoad` tells afterwards, which waits for its transaction. Behind a proxy that renames sessions none is found.
 */
export async function endEarlierLoads(client: PostgresClient, loadId: string, epoch: number): Promise<void> {
  await client.query(
    `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
     WHERE datname = current_database() AND usename = current_user AND starts_with(application_name, $1)
       AND CASE WHEN substr(application_name, length($1) + 1) ~ '^[0-9]{1,15}$' THEN CAST(substr(application_name, length($1) + 1) AS bigint) < $2 END`,
    [beginning(loadId), epoch],
  );
}

function beginning(loadId: string): string {
  return `tributary ${loadId} `;
}
