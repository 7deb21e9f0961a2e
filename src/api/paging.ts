import type { PageRequest } from '../model/catalogue.js';
import { PlatformError } from '../model/errors.js';

const largestPage = 1_000;

/**
 * A page as a caller asked for it; an explicit null means the default.
 *
 * @throws PlatformError BAD_USER_INPUT when `first` is outside 1..1,000
 */
export function pageRequest(first: number | null | undefined, after: string | null | undefined, defaultFirst: number): PageRequest {
  const wanted = first ?? defaultFirst;
  if (wanted < 1 || wanted > largestPage) throw new PlatformError('BAD_USER_INPUT', `\`first\` must be between 1 and ${largestPage}, and is ${wanted}.`);
  return { first: wanted, after: after ?? null };
}

/** @throws PlatformError BAD_USER_INPUT when a list of the caller's has more than 1,000 items */
export function assertShortList(name: string, items: readonly unknown[]): void {
  if (items.length > largestPage) throw new PlatformError('BAD_USER_INPUT', `\`${name}\` takes at most ${largestPage} items, and has ${items.length}.`);
}
