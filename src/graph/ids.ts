import { randomBytes } from 'node:crypto';

export type IdPrefix = 'conn' | 'ds' | 'col' | 'job' | 'dv' | 'edge' | 'claim' | 'imp' | 'aud';

/** A new opaque id that never changes, e.g. `ds_5f0c…`. A run's id is a bare UUID instead. */
export function newId(prefix: IdPrefix): string {
  return `${prefix}_${randomBytes(12).toString('hex')}`;
}

/** A value to lock a node with: it only has to be another one each time. */
export function lockMark(): string {
  return randomBytes(6).toString('hex');
}
