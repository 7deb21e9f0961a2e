import type { Logger } from 'pino';
import type { Loaders } from './loaders.js';

/** What belongs to one request. */
export interface ApiContext {
  readonly loaders: Loaders;
  readonly requestId: string;
  readonly logger: Logger;
}
