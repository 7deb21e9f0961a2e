import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where fetched programs are kept for all copies of the project: `$TRIBUTARY_CACHE`, `$XDG_CACHE_HOME/tributary` or `~/.cache/tributary`. */
export function cacheFolder(environment: NodeJS.ProcessEnv): string {
  const own = environment['TRIBUTARY_CACHE'];
  if (own !== undefined && own !== '') return own;
  const shared = environment['XDG_CACHE_HOME'];
  return join(shared !== undefined && shared !== '' ? shared : join(homedir(), '.cache'), 'tributary');
}
