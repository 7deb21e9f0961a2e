import { randomBytes } from 'node:crypto';
import { servers } from '../../support/servers.js';

/** A database of its own for each test file. */
export function documentsUri(): string {
  const uri = new URL(servers.mongodb.uri);
  uri.pathname = `/test_${randomBytes(6).toString('hex')}`;
  return uri.href;
}
