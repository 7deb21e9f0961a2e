import type { Logger } from 'pino';
import type { RunEventService } from '../services/run-events.js';
import type { Loaders } from './loaders.js';

/** What belongs to one request. */
export interface ApiContext {
  readonly loaders: Loaders;
  /** For subscriptions, which begin outside of any resolver. */
  readonly runEvents: RunEventService;
  readonly requestId: string;
  readonly logger: Logger;
}
