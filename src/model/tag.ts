import { PlatformError } from './errors.js';

/** A label of a dataset or column. All are set by hand: none is carried along edges. */
export interface Tag {
  readonly name: string;
  readonly inherited: false;
  readonly via: readonly never[];
}

/** Tags that one dataset or column may have. */
export const mostTags = 100;

const longestName = 100;
const unprintable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

/**
 * The name of a tag as it is kept: without blanks around it, in Unicode's composed form. Case counts: `PII` and `pii` are two tags.
 *
 * @throws PlatformError BAD_USER_INPUT unless it has 1 to 100 characters, none of them a control character
 */
export function tagName(given: string): string {
  const name = given.trim().normalize('NFC');
  const { length } = [...name];
  if (length < 1 || length > longestName)
    throw new PlatformError('BAD_USER_INPUT', `The name of a tag has 1 to ${longestName} characters; this one has ${length}.`);
  if (unprintable.test(name)) throw new PlatformError('BAD_USER_INPUT', 'The name of a tag holds no control characters and no line breaks; this one does.');
  return name;
}

export function setByHand(name: string): Tag {
  return { name, inherited: false, via: [] };
}
