import { PlatformError } from '../model/errors.js';

/**
 * The driver's errors quote addresses and documents; what leaves this folder does not.
 *
 * @param what  e.g. `impact reports`
 * @throws PlatformError DOCUMENTS_UNAVAILABLE
 */
export async function guarded<T>(what: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    const name = error instanceof Error ? error.name : 'unknown error';
    throw new PlatformError('DOCUMENTS_UNAVAILABLE', `The ${what} in MongoDB cannot be used now (${name}).`, { retryable: true });
  }
}
